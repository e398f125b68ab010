"""The shipped tagger: n-gram heads and, where its weights are there, a transformers encoder, weighed by a stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models import taxonomy
from models.tagging.keyword import keyword_voice, provider_of
from models.tagging.names import NameBook, load_names
from models.tagging.ngram import NgramModel
from models.tagging.products import ProductBook, load_products
from models.tagging.reading import Reading, read, sentences
from models.tagging.stack import Stack, load_stack, rounded
from models.types import Tags, TextIn

if TYPE_CHECKING:
    from models.tagging.encoder import Encoder

WEIGHTS = Path(__file__).with_name("weights")
LONGEST_EVIDENCE = 400


class EmbeddedTagger:
    """Reads English and Chinese, offline, on a CPU. A label that the weights have not learnt scores 0 and is in `not_learnt`."""

    def __init__(
        self, folder: Path = WEIGHTS, device: str = "auto", *, book: NameBook | None = None, compiled: bool = False
    ) -> None:
        self.folder, self.device, self._is_compiled = folder, device, compiled
        self.stack: Stack = load_stack(folder)
        self.name = self.stack.name
        self._book = book or load_names()
        self._labels = taxonomy.load().capabilities
        unlearnt = set(self.stack.note.get("not_learnt", ()))
        self.not_learnt = tuple(label for label in self._labels if label not in self.stack.labels or label in unlearnt)

    @cached_property
    def ngram(self) -> NgramModel:
        """The n-gram heads."""
        return NgramModel.load(self.folder)

    @cached_property
    def surface(self) -> NgramModel | None:
        """The heads that read the bare text, if this tagger has them."""
        return NgramModel.load(self.folder, "surface") if "surface" in self.stack.components else None

    @cached_property
    def encoder(self) -> Encoder | None:
        """The transformers encoder, if this tagger has one."""
        if "encoder" not in self.stack.components:
            return None
        from models.tagging import encoder

        found = encoder.load(self.folder / "encoder", self.device)
        if self._is_compiled and found.device == "cuda":
            found.compile()
        return found

    @cached_property
    def products(self) -> ProductBook:
        """The catalogue's products and how texts write them."""
        return load_products()

    def tag(self, texts: Sequence[TextIn]) -> list[Tags]:
        """Tags of each text, in order; the same text gets the same tags in any company."""
        if not texts:
            return []
        readings = self.read(texts)
        parts = self.parts(readings)
        kind = self.stack.kind_probabilities(parts)
        scores = self.stack.label_probabilities(parts, kind)
        steps = magnitudes(parts)
        return [
            self._tags(*row)
            for row in zip(
                texts,
                readings,
                kind.round(4),
                scores.round(4),
                self.stack.decide(kind.round(4), scores.round(4)),
                steps,
                strict=True,
            )
        ]

    def read(self, texts: Sequence[TextIn]) -> list[Reading]:
        """Clean and mark the texts."""
        return [read(t.title, t.text, self._book, lang=t.lang, url=t.url, source=t.source) for t in texts]

    def parts(self, readings: Sequence[Reading]) -> dict[str, Mapping[str, np.ndarray]]:
        """What each component says of each reading, as logits."""
        found: dict[str, Mapping[str, np.ndarray]] = {
            "ngram": self.ngram.predict(readings),
            "keyword": keyword_voice(readings, self.stack.labels, self.stack.kinds),
        }
        if self.surface is not None:
            found["surface"] = self.surface.predict(readings)
        if self.encoder is not None:
            found["encoder"] = self.encoder.predict(readings)
        return found

    def _tags(
        self,
        text: TextIn,
        reading: Reading,
        kind: np.ndarray,
        scores: np.ndarray,
        decided: tuple[str, tuple[str, ...]],
        step: int,
    ) -> Tags:
        event, labels = decided
        known = rounded(scores, self.stack.labels)
        return Tags(
            document_id=text.id,
            event_kind=event,
            kind_scores=rounded(kind, self.stack.kinds),
            capabilities=labels,
            scores={label: known.get(label, 0.0) for label in self._labels},
            provider=provider_of(reading),
            magnitude=step if event == "capability_jump" else None,
            tagger=self.name,
            evidence={label: self.evidence(reading, label) for label in labels},
            products=self.products.linked(reading),
        )

    def evidence(self, reading: Reading, label: str) -> str:
        """The sentence that speaks most for a label; the title counts as the first sentence."""
        candidates = [reading.title, *sentences(reading.body)][:12]
        if len(candidates) == 1:
            return candidates[0][:LONGEST_EVIDENCE]
        column = self.stack.labels.index(label)
        pulls = [self.ngram.pull(read(sentence, "", self._book), column) for sentence in candidates]
        return candidates[int(np.argmax(np.round(pulls, 6)))][:LONGEST_EVIDENCE]


def magnitudes(parts: Mapping[str, Mapping[str, np.ndarray]]) -> list[int]:
    """Size of the step, 1 to 3, by the encoder where there is one, else by the n-gram heads' default of 2."""
    logits = parts.get("encoder", {}).get("magnitude")
    n = len(parts["ngram"]["kind"])
    return [2] * n if logits is None else [int(i) + 1 for i in np.round(logits, 3).argmax(1)]
