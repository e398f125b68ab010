"""Fit a tagger from labelled documents: encoder, n-gram heads and the stack that weighs them, judged on frozen folds.

Documents that name a `story` are the reference: folds, thresholds and calibration rest on them, split by story. The others teach.
The encoder never sees a reference text, so what it says of them is as honest as what it will say of news.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from models.tagging import scores as judge
from models.tagging.card import write_card
from models.tagging.features import hashed
from models.tagging.fit_ngram import fit_ngram, hashed_half
from models.tagging.fit_stack import Parts, fit_stack, folds, out_of_fold
from models.tagging.gathering import Corpus, gather
from models.tagging.keyword import keyword_voice
from models.tagging.labels import Labels, rows_of
from models.tagging.memory import Memory, drift, recall, remember
from models.tagging.ngram import NgramModel
from models.tagging.stack import FILE
from models.tagging.surface import surface_rows

N_FOLDS = 5
#: the buckets that weigh most; the rest changes about one decision in a hundred
KEPT_BUCKETS = {"ngram": 60_000, "surface": 100_000}
#: examples that a label needs before a tagger says that it has learnt it
LEAST_SUPPORT = 2
SHARES = (0.25, 0.5, 1.0)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Counted:
    """Hashed features of one kind, counted once for all fits: of every document as it is taught, of the references as they are."""

    reads: str
    taught: sparse.csr_matrix
    shown: sparse.csr_matrix


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
        "keyword": keyword_voice(references, corpus.labels.label_names, corpus.labels.kind_names)
    }
    counted = count(corpus)
    parts |= {one.reads: ngram_out_of_fold(corpus, one, say) for one in counted}
    labels = rows_of(corpus.labels, np.arange(corpus.n_references))
    curve = learning_curve(corpus, counted, labels, parts, say)
    for one in counted:
        _pruned(fit_ngram(one.taught, corpus.labels, one.reads)).save(output)
    say("n-gram heads are fitted; now the encoder")
    before = recall(warm_start)
    if base is not None or (warm_start and (warm_start / "encoder").is_dir()):
        from models.tagging.fit_transformer import fit_transformer

        parts |= fit_transformer(corpus, pairs, output, base, warm_start, before, device, epochs, say)
    return conclude(output, name, parts, corpus, labels, curve, warm_start, before)


def conclude(
    output: Path,
    name: str,
    parts: Parts,
    corpus: Corpus,
    labels: Labels,
    curve: Sequence[dict[str, float]],
    warm_start: Path | None,
    before: Memory | None,
) -> dict[str, Any]:
    """Fit the stack, judge it out of fold, compare with the tagger in force, and write stack, memory and card."""
    judged = judged_out_of_fold(parts, corpus, labels)
    figures, ids = judge.overall(judged), [e.id for e in corpus.examples[: corpus.n_references]]
    change = drift(judged, ids, before)
    support = dict(zip(corpus.labels.label_names, corpus.labels.capabilities.sum(0), strict=True))
    not_learnt = [label for label, n in support.items() if n < LEAST_SUPPORT]
    note = {"figures": figures, "n_teachers": len(corpus.examples) - corpus.n_references, "not_learnt": not_learnt}
    replace(fit_stack(name, parts, labels), note=note).save(output)
    remember(output, ids, judged, parts.get("encoder", {}))
    write_card(output, name, judged, figures, change, curve)
    is_first = warm_start is None or not (warm_start / FILE).exists()
    return {
        "figures": figures,
        "before": change.before if change else None,
        "drift": asdict(change) if change else None,
        "is_better": is_first or (change is not None and judge.is_better(change.now, change.before)),
        "output": str(output),
    }


def count(corpus: Corpus) -> list[Counted]:
    """What the n-gram heads read: words and roles, with the source of a random half hidden; and the bare text."""
    surface = surface_rows(corpus.readings)
    return [
        Counted("ngram", hashed_half(corpus.readings, 1), hashed(corpus.readings[: corpus.n_references])),
        Counted("surface", surface, surface[: corpus.n_references]),
    ]


def ngram_out_of_fold(corpus: Corpus, counted: Counted, say: Say, share: float = 1.0) -> dict[str, np.ndarray]:
    """Logits of each reference by n-gram heads that saw nothing of its story; `share` of the teaching labels is used."""
    n = corpus.n_references
    fold = folds([e.story for e in corpus.examples[:n]], N_FOLDS)
    chosen = np.random.default_rng(7).random(len(corpus.examples)) < share
    out = {"kind": np.zeros((n, corpus.labels.n_kinds)), "capabilities": np.zeros((n, len(corpus.labels.label_names)))}
    for k in range(N_FOLDS):
        taught = np.flatnonzero(chosen & np.concatenate([fold != k, np.ones(len(corpus.examples) - n, bool)]))
        model = fit_ngram(sparse.csr_matrix(counted.taught[taught]), rows_of(corpus.labels, taught), counted.reads)
        test = np.flatnonzero(fold == k)
        for key, values in model.logits(counted.shown[test]).items():
            out[key][test] = values
        say(f"{counted.reads} heads on {share:.0%} of the labels: fold {k + 1} of {N_FOLDS}")
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
        scores=found.round(4),
        true_kinds=[e.event_kind for e in references],
        true_labels=[e.capabilities for e in references],
        langs=[r.lang for r in corpus.readings[: corpus.n_references]],
    )


def learning_curve(
    corpus: Corpus, counted: Sequence[Counted], labels: Labels, parts: Parts, say: Say = lambda _: None
) -> list[dict[str, float]]:
    """Figures of the n-gram heads with rules on 25, 50 and 100 % of the labels: what more labels would bring."""
    curve = []
    for share in SHARES:
        heads = {one.reads: parts[one.reads] if share == 1.0 else ngram_out_of_fold(corpus, one, say, share) for one in counted}
        seen = {**heads, "keyword": parts["keyword"]}
        curve.append({"share": share, **judge.overall(judged_out_of_fold(seen, corpus, labels))})
    return curve


def _pruned(model: NgramModel) -> NgramModel:
    """The same without the buckets that weigh least."""
    strength = np.maximum(np.abs(model.kind_weights).max(1), np.abs(model.label_weights).max(1))
    kept = np.sort(np.argsort(-strength, kind="stable")[: KEPT_BUCKETS[model.reads]])
    parts = {name: getattr(model, name)[kept] for name in ("buckets", "idf", "kind_weights", "label_weights")}
    return replace(model, **parts)
