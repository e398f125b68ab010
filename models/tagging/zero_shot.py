"""Tag with an NLI checkpoint: does the text entail "this announces …"? All labels of a text in batches, the premise tokenised once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from models import taxonomy
from models.errors import TaggerError
from models.tagging.keyword import provider_of
from models.tagging.names import load_names
from models.tagging.reading import Reading, read
from models.tagging.stack import rounded
from models.types import Tags, TextIn

MAX_TOKENS = 320
THRESHOLD = 0.6


class ZeroShotTagger:
    """An NLI checkpoint read with the taxonomy's own definitions; new labels work at once, calibration is the checkpoint's."""

    def __init__(self, checkpoint: str, device: str = "auto", *, batch_size: int = 64) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        from models.tagging.encoder import pick_device

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
            net: Any = AutoModelForSequenceClassification.from_pretrained(
                checkpoint, use_safetensors=True, trust_remote_code=False
            )
        except (OSError, ValueError) as error:
            raise TaggerError(f"cannot load the NLI checkpoint {checkpoint!r}: {str(error).splitlines()[0]}") from error
        self._device = pick_device(device)
        self._net = net.eval().to(self._device, torch.bfloat16 if self._device == "cuda" else torch.float32)
        self._entails, self._denies = _entailment(net.config.label2id)
        self._batch_size = batch_size
        terms = taxonomy.load()
        self._labels, self._kinds = terms.capabilities, terms.event_kinds
        meaning = {term.id: term.definition for term in terms.terms}
        hypotheses = [f"A platform makes this available: {meaning[label]}." for label in self._labels]
        hypotheses += [f"This text reports: {meaning[kind]}." for kind in self._kinds]
        self._hypotheses = [self._tokenizer(h, add_special_tokens=False)["input_ids"] for h in hypotheses]
        self._markers = _pair_markers(self._tokenizer)
        self._book = load_names()
        self.name = f"zero-shot:{checkpoint.rstrip('/').rsplit('/', 1)[-1]}"

    def tag(self, texts: Sequence[TextIn]) -> list[Tags]:
        """Tags of each text, in order."""
        readings = [read(t.title, t.text, self._book, lang=t.lang, url=t.url, source=t.source) for t in texts]
        return [self._tags(text, reading) for text, reading in zip(texts, readings, strict=True)]

    def entailment(self, reading: Reading) -> np.ndarray:
        """Chance that each hypothesis follows, labels first, then kinds."""
        premise = self._tokenizer(reading.text, add_special_tokens=False, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        chances = []
        for start in range(0, len(self._hypotheses), self._batch_size):
            coded = self._pairs(premise, self._hypotheses[start : start + self._batch_size])
            with torch.inference_mode():
                logits = self._net(**coded).logits.float()[:, [self._denies, self._entails]]
            chances.append(logits.softmax(-1)[:, 1].cpu().numpy())
        return np.concatenate(chances)

    def _pairs(self, premise: list[int], hypotheses: Sequence[list[int]]) -> Any:
        """Premise and hypotheses joined by the tokenizer's own markers, padded."""
        before, between, after = self._markers
        rows = [[*before, *premise, *between, *hypothesis, *after] for hypothesis in hypotheses]
        width = max(map(len, rows))
        pad = self._tokenizer.pad_token_id or 0
        ids = torch.tensor([row + [pad] * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        coded = {"input_ids": ids.to(self._device), "attention_mask": mask.to(self._device)}
        if "token_type_ids" in self._tokenizer.model_input_names:
            start = len(before) + len(premise) + len(between)
            second = torch.tensor([[int(start <= i < len(row)) for i in range(width)] for row in rows])
            coded["token_type_ids"] = second.to(self._device)
        return coded

    def _tags(self, text: TextIn, reading: Reading) -> Tags:
        chances = self.entailment(reading)
        scores = rounded(chances[: len(self._labels)], self._labels)
        raw = chances[len(self._labels) :]
        kinds = rounded(raw / max(float(raw.sum()), 1e-9), self._kinds)
        kind = max(self._kinds, key=lambda name: (kinds[name], name))
        labels = tuple(label for label in self._labels if scores[label] >= THRESHOLD) if kind == "capability_jump" else ()
        if kind == "product_shutdown" and scores.get("api_deprecation", 0) >= THRESHOLD:
            labels = ("api_deprecation",)
        step = 2 if kind == "capability_jump" else None
        return Tags(text.id, kind, kinds, labels, scores, provider_of(reading), step, self.name)


def _pair_markers(tokenizer: Any) -> tuple[list[int], list[int], list[int]]:
    """What a tokenizer puts before, between and after two texts; architectures differ."""
    coded = tokenizer("a", "b")
    ids, parts = coded["input_ids"], coded.sequence_ids()
    first, second = ([i for i, part in enumerate(parts) if part == which] for which in (0, 1))
    return ids[: first[0]], ids[first[-1] + 1 : second[0]], ids[second[-1] + 1 :]


def _entailment(label2id: dict[str, int]) -> tuple[int, int]:
    """Columns of entailment and of its contrary."""
    named = {label.lower(): i for label, i in label2id.items()}
    entails = next((i for label, i in named.items() if label.startswith("entail")), None)
    if entails is None or len(named) < 2:
        raise TaggerError("this checkpoint is no NLI classifier: none of its labels is called entailment")
    denies = next(
        (i for label, i in named.items() if label.startswith(("contra", "not"))), next(i for i in named.values() if i != entails)
    )
    return entails, denies
