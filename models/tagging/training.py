"""Fit a tagger from labelled documents: encoder, n-gram heads and the stack that weighs them, judged on frozen folds.

Documents that name a `story` are the reference: folds, thresholds and calibration rest on them, split by story. The others teach.
The encoder never sees a reference text, so what it says of them is as honest as what it will say of news.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy import sparse

from models.tagging import scores as judge
from models.tagging.card import write_card
from models.tagging.features import hashed
from models.tagging.fit_ngram import fit_ngram, hashed_half
from models.tagging.fit_stack import Parts, fit_stack, folds, out_of_fold
from models.tagging.gathering import Corpus, gather
from models.tagging.keyword import keyword_counts
from models.tagging.labels import Example, Labels
from models.tagging.ngram import NgramModel, weighted
from models.tagging.stack import FILE, load_stack

N_FOLDS = 5
MAX_TOKENS = 144
#: what the encoder said of each reference before it had seen it
MEMORY = "memory.safetensors"
KEPT_BUCKETS = 60_000
SHARES = (0.25, 0.5, 1.0)
Say = Callable[[str], None]


def train(
    label_files: Sequence[Path],
    output: Path,
    name: str,
    *,
    text_files: Sequence[Path] = (),
    base: str | None = None,
    warm_start: Path | None = None,
    device: str = "auto",
    epochs: int = 3,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Fit a tagger into `output`; returns its figures and whether it is better than the one it started from.

    With `base` an encoder is fine-tuned on it and finished on the references; otherwise the encoder of `warm_start` is used, tuned
    further on the teaching documents when `epochs` > 0.
    """
    corpus, pairs = gather(label_files, text_files)
    say(f"{corpus.n_references} reference and {len(corpus.examples) - corpus.n_references} teaching documents")
    output.mkdir(parents=True, exist_ok=True)
    references = corpus.readings[: corpus.n_references]
    parts: dict[str, dict[str, np.ndarray]] = {
        "ngram": ngram_out_of_fold(corpus, say),
        "keyword": {"capabilities": np.log1p(keyword_counts(references, corpus.labels.label_names))},
    }
    parts |= fit_transformer(corpus, pairs, output, base, warm_start, device, epochs, say)
    _pruned(fit_ngram(corpus.readings, corpus.labels)).save(output)
    labels = _rows(corpus.labels, np.arange(corpus.n_references))
    curve = learning_curve(corpus, labels, parts, say)
    return conclude(output, name, parts, corpus, labels, curve, warm_start)


def conclude(
    output: Path,
    name: str,
    parts: Parts,
    corpus: Corpus,
    labels: Labels,
    curve: Sequence[dict[str, float]],
    warm_start: Path | None,
) -> dict[str, Any]:
    """Fit the stack, judge it out of fold, compare with the tagger in force, and write stack and card."""
    judged = judged_out_of_fold(parts, corpus, labels)
    figures, basis = judge.overall(judged), basis_of(corpus)
    before = figures_of(warm_start, basis)
    note = {"figures": figures, "basis": basis, "n_teachers": len(corpus.examples) - corpus.n_references}
    replace(fit_stack(name, parts, labels), note=note).save(output)
    write_card(output, name, judged, figures, before, curve)
    is_better = before is not None and judge.is_better(figures, before)
    is_first = warm_start is None or not (warm_start / FILE).exists()
    return {"figures": figures, "before": before, "is_better": is_better or is_first, "output": str(output)}


def basis_of(corpus: Corpus) -> str:
    """What a tagger was judged on: figures compare only on the same references."""
    return f"{crc32(chr(10).join(sorted(e.id for e in corpus.examples[: corpus.n_references])).encode()):08x}"


def ngram_out_of_fold(corpus: Corpus, say: Say, share: float = 1.0) -> dict[str, np.ndarray]:
    """Logits of each reference by n-gram heads that saw nothing of its story; `share` of the teaching labels is used."""
    n = corpus.n_references
    rows, shown = hashed_half(corpus.readings, 1), hashed(corpus.readings[:n])
    fold = folds([e.story for e in corpus.examples[:n]], N_FOLDS)
    chosen = np.random.default_rng(7).random(len(corpus.examples)) < share
    out = {"kind": np.zeros((n, corpus.labels.n_kinds)), "capabilities": np.zeros((n, len(corpus.labels.label_names)))}
    for k in range(N_FOLDS):
        taught = np.flatnonzero(chosen & np.concatenate([fold != k, np.ones(len(corpus.examples) - n, bool)]))
        model = fit_ngram([], _rows(corpus.labels, taught), rows=sparse.csr_matrix(rows[taught]))
        test = np.flatnonzero(fold == k)
        at = weighted(shown[test], model.buckets, model.idf)
        out["kind"][test] = at @ model.kind_weights + model.kind_bias
        out["capabilities"][test] = at @ model.label_weights + model.label_bias
        say(f"n-gram heads: fold {k + 1} of {N_FOLDS}")
    return out


def judged_out_of_fold(parts: Parts, corpus: Corpus, labels: Labels) -> judge.Judged:
    """Decisions on the references by stacks that saw nothing of the same story."""
    references = corpus.examples[: corpus.n_references]
    _, found, decided = out_of_fold(parts, labels, [e.story for e in references], N_FOLDS)
    return judge.Judged(
        kinds=labels.kind_names,
        labels=labels.label_names,
        said_kinds=[kind for kind, _ in decided],
        said_labels=[said for _, said in decided],
        scores=found,
        true_kinds=[e.event_kind for e in references],
        true_labels=[e.capabilities for e in references],
        langs=[r.lang for r in corpus.readings[: corpus.n_references]],
    )


def learning_curve(corpus: Corpus, labels: Labels, parts: Parts, say: Say) -> list[dict[str, float]]:
    """Figures of the n-gram heads with rules on 25, 50 and 100 % of the labels: what more labels would bring."""
    curve = []
    for share in SHARES:
        ngram = parts["ngram"] if share == 1.0 else ngram_out_of_fold(corpus, lambda _: None, share)
        seen = {"ngram": ngram, "keyword": parts["keyword"]}
        curve.append({"share": share, **judge.overall(judged_out_of_fold(seen, corpus, labels))})
        say(f"learning curve: {share:.0%} of the labels")
    return curve


def figures_of(folder: Path | None, basis: str) -> dict[str, float] | None:
    """The figures of a tagger on the same references, or None where it was judged on others or on none."""
    if folder is None or not (folder / FILE).exists():
        return None
    note = load_stack(folder).note
    return dict(note["figures"]) if note.get("basis") == basis else None


def fit_transformer(
    corpus: Corpus,
    pairs: Sequence[tuple[Example, Example]],
    output: Path,
    base: str | None,
    warm_start: Path | None,
    device: str,
    epochs: int,
    say: Say,
) -> dict[str, dict[str, np.ndarray]]:
    """Tune and save an encoder; what it says of the references out of fold, under its component's name (nothing without one)."""
    if base is None and not (warm_start and (warm_start / "encoder").is_dir()):
        return {}
    from models.tagging import encoder as door
    from models.tagging.finish import finish
    from models.tagging.fit_encoder import Recipe, fit_encoder

    stories = [e.story for e in corpus.examples[: corpus.n_references]]
    teachers = np.arange(corpus.n_references, len(corpus.examples))
    taught = [corpus.readings[i] for i in teachers]
    if base is not None:
        found = _on_base(base, corpus, pairs, device, say)
        fit_encoder(found, taught, _rows(corpus.labels, teachers), Recipe(epochs=epochs), say)
        said = finish(found, corpus.readings, corpus.labels, stories, say)
    else:
        assert warm_start is not None
        found = door.load(warm_start / "encoder", device)
        if epochs > 0:
            fit_encoder(
                found, taught, _rows(corpus.labels, teachers), Recipe(epochs=epochs, backbone_rate=3e-5, head_rate=2e-4), say
            )
        said = _remembered(found.predict(corpus.readings[: corpus.n_references]), corpus, warm_start)
    found.save(output / "encoder")
    save_file({"ids": _id_numbers(corpus), **{k: v.astype(np.float16) for k, v in said.items()}}, output / MEMORY)
    return {"encoder": said}


def _on_base(base: str, corpus: Corpus, pairs: Sequence[tuple[Example, Example]], device: str, say: Say) -> Any:
    """A fresh tag encoder on a base, taught to read Chinese where it does not."""
    from models.tagging import encoder as door
    from models.tagging.fit_encoder import ask_definitions
    from models.tagging.vocabulary import add_chinese, reads_chinese

    settings = door.EncoderSettings(corpus.labels.label_names, corpus.labels.kind_names, max_tokens=MAX_TOKENS)
    found = door.from_base(base, settings, device)
    texts = [f"{e.title} {e.text}" for e in corpus.examples if e.lang == "zh"] + [f"{z.title} {z.text}" for z, _ in pairs]
    if not reads_chinese(found.tokenizer, texts[:500]):
        say(f"added {add_chinese(found, texts, pairs)} Chinese words to the vocabulary")
    ask_definitions(found)
    return found


def _remembered(said: dict[str, np.ndarray], corpus: Corpus, folder: Path) -> dict[str, np.ndarray]:
    """What an encoder says now, except of references it was finished on: there, what it said before it had seen them."""
    if not (folder / MEMORY).exists():
        return said
    memory = load_file(folder / MEMORY)
    row_of = {int(number): row for row, number in enumerate(memory["ids"])}
    for i, number in enumerate(_id_numbers(corpus)):
        if int(number) in row_of:
            for key, values in said.items():
                values[i] = memory[key][row_of[int(number)]]
    return said


def _id_numbers(corpus: Corpus) -> np.ndarray:
    """References by a number that does not tell their text."""
    return np.array([crc32(e.id.encode()) for e in corpus.examples[: corpus.n_references]], dtype=np.int64)


def _rows(labels: Labels, index: np.ndarray) -> Labels:
    return replace(
        labels,
        kinds=labels.kinds[index],
        capabilities=labels.capabilities[index],
        magnitudes=labels.magnitudes[index],
        weights=labels.weights[index],
    )


def _pruned(model: NgramModel) -> NgramModel:
    """The buckets that weigh most; the rest changes decisions in well under one document of a hundred."""
    strength = np.maximum(np.abs(model.kind_weights).max(1), np.abs(model.label_weights).max(1))
    kept = np.sort(np.argsort(-strength, kind="stable")[:KEPT_BUCKETS])
    parts = {name: getattr(model, name)[kept] for name in ("buckets", "idf", "kind_weights", "label_weights")}
    return replace(model, **parts)
