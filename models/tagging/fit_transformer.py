"""The encoder's part of a training: on a fresh base, or on from the tagger before; and what it says of the references out of fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from models.tagging import encoder as door
from models.tagging.encoder import Encoder
from models.tagging.finish import finish
from models.tagging.fit_encoder import Recipe, ask_definitions, fit_encoder, with_labels
from models.tagging.gathering import Corpus
from models.tagging.labels import Example, rows_of
from models.tagging.memory import Memory, numbers_of
from models.tagging.vocabulary import add_chinese, reads_chinese

MAX_TOKENS = 144
Say = Callable[[str], None]


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
    """Tune and save an encoder, on `base` or on from the one of `warm_start`; what it says of the references, as a voice of the stack."""
    stories = [e.story for e in corpus.examples[: corpus.n_references]]
    teachers = np.arange(corpus.n_references, len(corpus.examples))
    taught = [corpus.readings[i] for i in teachers]
    if base is not None:
        found = on_base(base, corpus, pairs, device, say)
        fit_encoder(found, taught, rows_of(corpus.labels, teachers), Recipe(epochs=epochs), say)
        said = finish(found, corpus.readings, corpus.labels, stories, say)
    else:
        assert warm_start is not None
        found = with_labels(door.load(warm_start / "encoder", device), corpus.labels.label_names)
        if epochs > 0:
            fit_encoder(
                found, taught, rows_of(corpus.labels, teachers), Recipe(epochs=epochs, backbone_rate=3e-5, head_rate=2e-4), say
            )
        said = _said(found, corpus, before)
    found.save(output / "encoder")
    return {"encoder": said}


def on_base(base: str, corpus: Corpus, pairs: Sequence[tuple[Example, Example]], device: str, say: Say) -> Encoder:
    """A fresh tag encoder on a base, taught to read Chinese where it does not."""
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
            values[known] = before.aligned(key, corpus.labels.label_names)[[row_of[numbers[i]] for i in known]]
    return out
