"""Documents a second, memory and cost of tagging, against the transformers pipelines, on the same texts in one run.

    python benchmarks/tagging.py [--texts FILE.jsonl] [--device cpu|cuda] [--n 256] [--zero-shot large|small|none] [--compile]

(a) is the zero-shot pipeline with 34 labels on a checkpoint of bart-large's (or MiniLM's) shape with random weights: speed does not
depend on what the weights know. It is timed on one text and four labels and scaled to 34.
(b) is the text-classification pipeline on the shipped encoder's own backbone and tokenizer, at batch size 1 and 32.
The whole tagger also cleans, finds names, weighs n-grams, quotes evidence and links products, all on the CPU; "encoder alone" is its
tokenising and forward pass, and what a GPU speeds up. On a GPU take `--n 20000 --device cuda`, with and without `--compile`.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path

N_LABELS = 34
TIMED_LABELS = 4
USD_PER_HOUR = {"cpu": 0.10, "cuda": 4.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, help="JSON Lines with title and text; our own examples, lengthened, by default")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--n", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="compile the encoder (pays on a GPU only)")
    parser.add_argument("--zero-shot", default="large", choices=("large", "small", "none"))
    args = parser.parse_args()

    import torch

    torch.set_num_threads(args.threads)
    texts = load_texts(args.texts, args.n)
    length = sum(len(t.title + t.text) for t in texts) / len(texts)
    where = torch.cuda.get_device_name() if args.device == "cuda" else f"{args.threads} threads"
    print(f"{len(texts)} texts, {length:.0f} characters on average, {args.device}, {where}")
    whole, encoder = time_ours(texts, args.device, args.compile)
    rows = {"lifeline tagger": whole, "lifeline encoder alone": encoder}
    for size, n in ((1, 64), (32, 128)):
        sample = texts[: n if args.device == "cpu" else 16 * n]
        rows[f"(b) text-classification, batch {size}"] = time_pipeline(sample, args.device, size)
    if args.zero_shot != "none":
        rows[f"(a) zero-shot pipeline, {N_LABELS} labels, {args.zero_shot}"] = time_zero_shot(
            texts[0], args.device, args.zero_shot
        )
    hourly = USD_PER_HOUR[args.device]
    print(f"{'':44}{'documents/s':>14}{'tagger is':>12}{'encoder is':>12}   $ a million at {hourly} $/h")
    for name, rate in rows.items():
        cost = hourly / 3600 / rate * 1e6
        print(f"{name:44}{rate:14.3f}{whole / rate:10.1f} x{encoder / rate:10.1f} x{cost:13.2f}")
    print(f"peak memory {peak_mib():.0f} MiB (all of the above together)")
    if args.device == "cuda":
        print(f"peak GPU memory {torch.cuda.max_memory_allocated() / 2**20:.0f} MiB")


def peak_mib() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def load_texts(file: Path | None, n: int) -> list:
    """Texts to tag; the project's own examples, joined to announcement length, when no file is given."""
    from models.tagging.gathering import own_examples
    from models.types import TextIn

    if file:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        pool = [(r.get("title") or "", r.get("text") or "") for r in rows]
    else:
        own = own_examples()
        pool = [(e.title, " ".join(x.text for x in own[i : i + 3])) for i, e in enumerate(own)]
    return [TextIn(str(i), *pool[i % len(pool)]) for i in range(n)]


def time_ours(texts: list, device: str, compiled: bool) -> tuple[float, float]:
    """Documents a second of the whole tagger and of its encoder alone, both warm."""
    from models.tagging.embedded import EmbeddedTagger

    started = time.perf_counter()
    tagger = EmbeddedTagger(device=device, compiled=compiled)
    tagger.tag(texts[:32])
    print(f"loaded and warm in {time.perf_counter() - started:.1f} s; {peak_mib():.0f} MiB")
    readings = tagger.read(texts)
    if device == "cuda":
        tagger.encoder.predict(readings)  # every shape once, so that compiling is not timed
    started = time.perf_counter()
    tagger.tag(texts)
    whole = len(texts) / (time.perf_counter() - started)
    started = time.perf_counter()
    tagger.encoder.predict(readings)
    return whole, len(texts) / (time.perf_counter() - started)


def time_pipeline(texts: list, device: str, batch_size: int) -> float:
    """The text-classification pipeline over the same backbone with as many outputs as we have."""
    from transformers import BertForSequenceClassification, pipeline

    from models.tagging.embedded import WEIGHTS
    from models.tagging.encoder import load

    encoder = load(WEIGHTS / "encoder", "cpu")
    config = encoder.net.backbone.config
    config.num_labels = N_LABELS + 9
    net = BertForSequenceClassification(config)
    net.bert.load_state_dict(encoder.net.backbone.state_dict(), strict=False)
    classify = pipeline("text-classification", model=net.eval(), tokenizer=encoder.tokenizer, device=device, top_k=None)
    lines = [f"{t.title}\n{t.text}"[:1500] for t in texts]
    classify(lines[:2], truncation=True, max_length=256)
    started = time.perf_counter()
    classify(lines, batch_size=batch_size, truncation=True, max_length=256)
    return len(lines) / (time.perf_counter() - started)


def time_zero_shot(text: object, device: str, size: str) -> float:
    """The zero-shot pipeline on a random checkpoint of bart-large's or MiniLM's shape, scaled from four labels to all."""
    from transformers import (
        AutoTokenizer,
        BartConfig,
        BartForSequenceClassification,
        BertConfig,
        BertForSequenceClassification,
        pipeline,
    )

    from models.tagging.embedded import WEIGHTS

    tokenizer = AutoTokenizer.from_pretrained(WEIGHTS / "encoder")
    answers = ("contradiction", "neutral", "entailment")
    shared = {
        "vocab_size": len(tokenizer),
        "id2label": dict(enumerate(answers)),
        "label2id": {a: i for i, a in enumerate(answers)},
    }
    if size == "large":
        special = {"pad_token_id": 0, "eos_token_id": tokenizer.sep_token_id, "bos_token_id": tokenizer.cls_token_id}
        net = BartForSequenceClassification(BartConfig(**shared, **special))
    else:
        shape = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
        net = BertForSequenceClassification(BertConfig(**shared, **shape))
    classify = pipeline("zero-shot-classification", model=net.eval(), tokenizer=tokenizer, device=device)
    labels = [f"capability {i}" for i in range(TIMED_LABELS)]
    started = time.perf_counter()
    classify(f"{text.title}\n{text.text}"[:1000], candidate_labels=labels, multi_label=True)
    return TIMED_LABELS / N_LABELS / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
