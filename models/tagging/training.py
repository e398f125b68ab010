"""Fit a tagger from labelled documents: encoder, n-gram heads and the stack that weighs them, judged on frozen folds.

Documents that name a `story` are the reference: folds, thresholds and calibration rest on them, split by story. The others teach.
The encoder never sees a reference text, so what it says of them is as honest as what it will say of news.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from models.tagging import scores as judge
from models.tagging.card import write_card
from models.tagging.features import hashed
from models.tagging.fit_ngram import fit_ngram, hashed_half
from models.tagging.fit_stack import Parts, fit_stack, folds, out_of_fold
from models.tagging.gathering import Corpus, gather
from models.tagging.keyword import keyword_voice
from models.tagging.labels import Example, Labels
from models.tagging.memory import Memory, drift, numbers_of, recall, remember
from models.tagging.ngram import NgramModel, weighted
from models.tagging.stack import FILE

if TYPE_CHECKING:
    from models.tagging.encoder import Encoder

N_FOLDS = 5
MAX_TOKENS = 144
KEPT_BUCKETS = 60_000
SHARES = (0.25, 0.5, 1.0)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Counted:
    """Hashed features, counted once for all fits: of every document with half of the sources hidden, of the references as they are."""

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
    counted = Counted(hashed_half(corpus.readings, 1), hashed(references))
    parts: dict[str, dict[str, np.ndarray]] = {
        "ngram": ngram_out_of_fold(corpus, counted, say),
        "keyword": keyword_voice(references, corpus.labels.label_names, corpus.labels.kind_names),
    }
    labels = rows_of(corpus.labels, np.arange(corpus.n_references))
    curve = learning_curve(corpus, counted, labels, parts, say)
    _pruned(fit_ngram([], corpus.labels, rows=counted.taught)).save(output)
    say("n-gram heads are fitted; now the encoder")
    before = recall(warm_start)
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
    note = {"figures": figures, "n_teachers": len(corpus.examples) - corpus.n_references}
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


def ngram_out_of_fold(corpus: Corpus, counted: Counted, say: Say, share: float = 1.0) -> dict[str, np.ndarray]:
    """Logits of each reference by n-gram heads that saw nothing of its story; `share` of the teaching labels is used."""
    n = corpus.n_references
    fold = folds([e.story for e in corpus.examples[:n]], N_FOLDS)
    chosen = np.random.default_rng(7).random(len(corpus.examples)) < share
    out = {"kind": np.zeros((n, corpus.labels.n_kinds)), "capabilities": np.zeros((n, len(corpus.labels.label_names)))}
    for k in range(N_FOLDS):
        taught = np.flatnonzero(chosen & np.concatenate([fold != k, np.ones(len(corpus.examples) - n, bool)]))
        model = fit_ngram([], rows_of(corpus.labels, taught), rows=sparse.csr_matrix(counted.taught[taught]))
        test = np.flatnonzero(fold == k)
        at = weighted(counted.shown[test], model.buckets, model.idf)
        out["kind"][test] = at @ model.kind_weights + model.kind_bias
        out["capabilities"][test] = at @ model.label_weights + model.label_bias
        say(f"n-gram heads on {share:.0%} of the labels: fold {k + 1} of {N_FOLDS}")
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
    corpus: Corpus, counted: Counted, labels: Labels, parts: Parts, say: Say = lambda _: None
) -> list[dict[str, float]]:
    """Figures of the n-gram heads with rules on 25, 50 and 100 % of the labels: what more labels would bring."""
    curve = []
    for share in SHARES:
        ngram = parts["ngram"] if share == 1.0 else ngram_out_of_fold(corpus, counted, say, share)
        seen = {"ngram": ngram, "keyword": parts["keyword"]}
        curve.append({"share": share, **judge.overall(judged_out_of_fold(seen, corpus, labels))})
    return curve


def fit_transformer(
    corpus: Corpus,
    pairs: Sequence[tuple[Example, Example]],
    output: Path,
    base: str | None,
    warm_start: Path | None,
    before: Memory | None,
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
        found = on_base(base, corpus, pairs, device, say)
        fit_encoder(found, taught, rows_of(corpus.labels, teachers), Recipe(epochs=epochs), say)
        said = finish(found, corpus.readings, corpus.labels, stories, say)
    else:
        assert warm_start is not None
        found = door.load(warm_start / "encoder", device)
        if epochs > 0:
            fit_encoder(
                found, taught, rows_of(corpus.labels, teachers), Recipe(epochs=epochs, backbone_rate=3e-5, head_rate=2e-4), say
            )
        said = _said(found, corpus, before)
    found.save(output / "encoder")
    return {"encoder": said}


def on_base(base: str, corpus: Corpus, pairs: Sequence[tuple[Example, Example]], device: str, say: Say) -> Encoder:
    """A fresh tag encoder on a base, taught to read Chinese where it does not."""
    from models.tagging import encoder as door
    from models.tagging.fit_encoder import ask_definitions
    from models.tagging.vocabulary import add_chinese, reads_chinese

    settings = door.EncoderSettings(corpus.labels.label_names, corpus.labels.kind_names, max_tokens=MAX_TOKENS)
    found = door.from_base(base, settings, "cpu")
    texts = [f"{e.title} {e.text}" for e in corpus.examples if e.lang == "zh"] + [f"{z.title} {z.text}" for z, _ in pairs]
    if not reads_chinese(found.tokenizer, texts[:500]):
        say(f"added {add_chinese(found, texts, pairs)} Chinese words to the vocabulary")
    ask_definitions(found)
    found.to(device)
    return found


def _said(found: Encoder, corpus: Corpus, before: Memory | None) -> dict[str, np.ndarray]:
    """What an encoder says of the references; of those that it was finished on, what it said before it had seen them."""
    row_of = before.row_of if before and before.logits else {}
    numbers = [int(number) for number in numbers_of([e.id for e in corpus.examples[: corpus.n_references]])]
    known = [i for i, number in enumerate(numbers) if number in row_of]
    fresh = [i for i, number in enumerate(numbers) if number not in row_of]
    out = {key: np.zeros((len(numbers), width), np.float32) for key, width in found.widths.items()}
    said = found.predict([corpus.readings[i] for i in fresh]) if fresh else {}
    for key, values in out.items():
        if fresh:
            values[fresh] = said[key]
        if before and known:
            values[known] = before.logits[key][[row_of[numbers[i]] for i in known]]
    return out


def rows_of(labels: Labels, index: np.ndarray) -> Labels:
    """The targets of some documents."""
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
