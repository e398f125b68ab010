"""Fit a tagger from labelled documents: encoder, n-gram heads and the stack that weighs them, judged on frozen folds.

Documents that name a `story` are the reference: folds, thresholds and calibration rest on them, split by story. The others teach.
The encoder never sees a reference text, so what it says of them is as honest as what it will say of news.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from models import taxonomy
from models.errors import TaggerError
from models.tagging import scores as judge
from models.tagging.card import write_card
from models.tagging.features import hashed
from models.tagging.fit_ngram import fit_ngram, hashed_half
from models.tagging.fit_stack import Parts, fit_stack, folds, out_of_fold
from models.tagging.keyword import keyword_counts
from models.tagging.labels import Example, Labels, as_labels, read_examples
from models.tagging.names import load_names
from models.tagging.ngram import NgramModel, weighted
from models.tagging.reading import Reading, read
from models.tagging.stack import FILE, load_stack
from models.tagging.twins import near_copies, translations, with_translations

OWN_EXAMPLES = Path(__file__).with_name("examples.tsv")
REFERENCE_WEIGHT = 3.0
N_FOLDS = 5
KEPT_BUCKETS = 60_000
SHARES = (0.25, 0.5, 1.0)
#: how far into a text the readers of the labels looked, in characters
READ_CHARS = {"zh": 420, "en": 700}
Say = Callable[[str], None]


@dataclass
class Corpus:
    """References first, then teachers; `is_reference` tells them apart."""

    examples: list[Example]
    readings: list[Reading]
    labels: Labels
    n_references: int


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

    With `base` an encoder is fine-tuned on it; otherwise the encoder of `warm_start` is used, tuned further when `epochs` > 0.
    """
    corpus, pairs = gather(label_files, text_files)
    say(f"{corpus.n_references} reference and {len(corpus.examples) - corpus.n_references} teaching documents")
    output.mkdir(parents=True, exist_ok=True)
    parts: dict[str, dict[str, np.ndarray]] = {"ngram": ngram_out_of_fold(corpus, say)}
    references = corpus.readings[: corpus.n_references]
    parts["keyword"] = {"capabilities": np.log1p(keyword_counts(references, corpus.labels.label_names))}
    encoder = _encoder(corpus, pairs, base, warm_start, device, epochs, say)
    if encoder is not None:
        encoder.save(output / "encoder")
        parts["encoder"] = {k: v for k, v in encoder.predict(references).items() if k != "mean"}
    labels = _rows(corpus.labels, np.arange(corpus.n_references))
    judged = judged_out_of_fold(parts, corpus, labels)
    _pruned(fit_ngram(corpus.readings, corpus.labels)).save(output)
    figures, before = judge.overall(judged), figures_of(warm_start)
    stack = fit_stack(name, parts, labels)
    curve = learning_curve(corpus, labels, parts, say)
    note = {
        "figures": figures,
        "n_references": corpus.n_references,
        "n_teachers": len(corpus.examples) - corpus.n_references,
        "curve": curve,
    }
    replace(stack, note=note).save(output)
    write_card(output, name, judged, figures, before, curve)
    return {
        "figures": figures,
        "before": before,
        "is_better": before is None or judge.is_better(figures, before),
        "output": str(output),
    }


def gather(label_files: Sequence[Path], text_files: Sequence[Path]) -> tuple[Corpus, list[tuple[Example, Example]]]:
    """Everything to learn from: labels, their translations, our own examples; near copies of references are left out."""
    terms = taxonomy.load()
    labelled = list({e.id: e for e in read_examples(label_files, terms.event_kinds)}.values())
    references = [e for e in labelled if e.story != e.id] or labelled
    reference_ids = {e.id for e in references}
    teachers = [e for e in labelled if e.id not in reference_ids]
    pairs = translations([*labelled, *(e for e in read_unlabelled(text_files) if e.id not in {x.id for x in labelled})])
    copies = near_copies(teachers, references, pairs) if teachers else set()
    teachers = [e for e in teachers if e.id not in copies]
    teachers += with_translations(teachers, pairs, reference_ids | copies)
    teachers += own_examples()
    examples = [*references, *teachers]
    weights = np.array([REFERENCE_WEIGHT] * len(references) + [1.0] * len(teachers))
    labels = as_labels(examples, weights, terms.capabilities, terms.event_kinds)
    return Corpus(examples, [reading_of(e) for e in examples], labels, len(references)), pairs


def reading_of(example: Example) -> Reading:
    """An example as far as its reader read."""
    text = example.text[: READ_CHARS.get(example.lang, READ_CHARS["en"])]
    return read(example.title, text, load_names(), lang=example.lang, url=example.url, source=example.source)


def read_unlabelled(files: Sequence[Path]) -> list[Example]:
    """Documents without labels, from JSON Lines; their kind is a placeholder that nothing reads."""
    found = []
    for file in files:
        try:
            rows = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
            raise TaggerError(f"cannot read texts from {file}: {error}; give plain JSON Lines (unpack .zst first)") from error
        for row in rows:
            text = {key: str(row.get(key) or "") for key in ("id", "title", "text", "lang", "url", "source")}
            found.append(Example(**text, event_kind="", capabilities=(), provider="", magnitude=0, labeller="", story=text["id"]))
    return found


def own_examples(path: Path = OWN_EXAMPLES) -> list[Example]:
    """Examples written for this project, for labels that announcements rarely carry."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Example(
            f"own-{i}",
            r["title"],
            r["text"],
            r["lang"],
            "",
            "",
            r["kind"],
            tuple(filter(None, r["capabilities"].split(";"))),
            "",
            0,
            "own",
            f"own-{i}",
        )
        for i, r in enumerate(rows)
    ]


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


def figures_of(folder: Path | None) -> dict[str, float] | None:
    """The figures that a tagger was judged by, or None where it has none."""
    if folder is None or not (folder / FILE).exists():
        return None
    return dict(load_stack(folder).note.get("figures") or {}) or None


def _encoder(
    corpus: Corpus,
    pairs: Sequence[tuple[Example, Example]],
    base: str | None,
    warm_start: Path | None,
    device: str,
    epochs: int,
    say: Say,
) -> Any:
    """A tuned encoder, or None where there is neither a base nor one to start from."""
    if base is None and not (warm_start and (warm_start / "encoder").is_dir()):
        return None
    from models.tagging import encoder as door
    from models.tagging.fit_encoder import Recipe, ask_definitions, fit_encoder
    from models.tagging.vocabulary import add_chinese, reads_chinese

    if base is None:
        assert warm_start is not None
        found = door.load(warm_start / "encoder", device)
        recipe = Recipe(epochs=epochs, backbone_rate=3e-5, head_rate=2e-4)
    else:
        settings = door.EncoderSettings(corpus.labels.label_names, corpus.labels.kind_names)
        found, recipe = door.from_base(base, settings, device), Recipe(epochs=epochs)
        texts = [f"{e.title} {e.text}" for e in corpus.examples if e.lang == "zh"] + [f"{z.title} {z.text}" for z, _ in pairs]
        if not reads_chinese(found.tokenizer, texts[:500]):
            say(f"added {add_chinese(found, texts, pairs)} Chinese words to the vocabulary")
        ask_definitions(found)
    if recipe.epochs > 0:
        teachers = np.arange(corpus.n_references, len(corpus.examples))
        fit_encoder(found, [corpus.readings[i] for i in teachers], _rows(corpus.labels, teachers), recipe, say)
    return found


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
