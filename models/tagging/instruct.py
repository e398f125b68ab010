"""Tag with a chat checkpoint through transformers; the answer is constrained to the label set by scoring, never by parsing prose."""

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

MAX_PROMPT_TOKENS = 1400
THRESHOLD = 0.5
_RULES = (
    "You label announcements about AI. A platform is a model provider, an open-weights lab, an incumbent suite or hosted infrastructure; "
    "apps built on them are not platforms. Only what is usable or dated is a capability_jump; talk, rumours and tutorials are commentary."
)


class InstructTagger:
    """Asks one question per event kind set and one per label, and reads the probability of each allowed answer."""

    def __init__(self, checkpoint: str, device: str = "auto", *, batch_size: int = 34) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        from models.tagging.encoder import pick_device

        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
            net: Any = AutoModelForCausalLM.from_pretrained(checkpoint, use_safetensors=True, trust_remote_code=False)
        except (OSError, ValueError) as error:
            raise TaggerError(f"cannot load the chat checkpoint {checkpoint!r}: {str(error).splitlines()[0]}") from error
        self._device = pick_device(device)
        self._net = net.eval().to(self._device, torch.bfloat16 if self._device == "cuda" else torch.float32)
        self._batch_size = batch_size
        terms = taxonomy.load()
        self._labels, self._kinds = terms.capabilities, terms.event_kinds
        self._meaning = {
            term.id: f"{term.definition}; not {term.excludes}" if term.excludes else term.definition for term in terms.terms
        }
        self._book = load_names()
        self.name = f"instruct:{checkpoint.rstrip('/').rsplit('/', 1)[-1]}"

    def tag(self, texts: Sequence[TextIn]) -> list[Tags]:
        """Tags of each text, in order."""
        readings = [read(t.title, t.text, self._book, lang=t.lang, url=t.url, source=t.source) for t in texts]
        return [self._tags(text, reading) for text, reading in zip(texts, readings, strict=True)]

    def _tags(self, text: TextIn, reading: Reading) -> Tags:
        kinds = rounded(self._kind_chances(reading), self._kinds)
        kind = max(self._kinds, key=lambda name: (kinds[name], name))
        scores = rounded(self._label_chances(reading), self._labels)
        labels = tuple(label for label in self._labels if scores[label] >= THRESHOLD) if kind == "capability_jump" else ()
        if kind == "product_shutdown" and scores.get("api_deprecation", 0) >= THRESHOLD:
            labels = ("api_deprecation",)
        step = 2 if kind == "capability_jump" else None
        return Tags(text.id, kind, kinds, labels, scores, provider_of(reading), step, self.name)

    def _kind_chances(self, reading: Reading) -> np.ndarray:
        """Share of each event kind among the allowed answers, by the likelihood of its whole name per token."""
        menu = "\n".join(f"- {kind}: {self._meaning[kind]}" for kind in self._kinds)
        prompt = self._prompt(
            reading, f"Which one of these kinds of event does the text report?\n{menu}\nAnswer with the name only."
        )
        answers = [self._tokenizer(kind, add_special_tokens=False)["input_ids"] for kind in self._kinds]
        scores = self._likelihood([(prompt, answer) for answer in answers])
        weights = np.exp(scores - scores.max())
        return np.asarray(weights / weights.sum())

    def _label_chances(self, reading: Reading) -> np.ndarray:
        """Chance of "yes" against "no" for each label."""
        yes, no = (self._tokenizer(word, add_special_tokens=False)["input_ids"] for word in ("yes", "no"))
        prompts = [
            self._prompt(
                reading, f"Does the text report that a platform makes this available: {self._meaning[label]}? Answer yes or no."
            )
            for label in self._labels
        ]
        scores = self._likelihood([(prompt, answer) for prompt in prompts for answer in (yes, no)]).reshape(-1, 2)
        return np.asarray(1 / (1 + np.exp(np.clip(scores[:, 1] - scores[:, 0], -30, 30))))

    def _prompt(self, reading: Reading, question: str) -> list[int]:
        content = f"{_RULES}\n\nText:\n{reading.text}\n\n{question}"
        if self._tokenizer.chat_template:
            turn = [{"role": "user", "content": content}]
            written = self._tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        else:
            written = f"{content}\nAnswer: "
        return list(self._tokenizer(written, add_special_tokens=False)["input_ids"][-MAX_PROMPT_TOKENS:])

    def _likelihood(self, pairs: Sequence[tuple[list[int], list[int]]]) -> np.ndarray:
        """Mean log-likelihood per token of each answer after its prompt."""
        out = []
        for start in range(0, len(pairs), self._batch_size):
            chunk = pairs[start : start + self._batch_size]
            width = max(len(prompt) + len(answer) for prompt, answer in chunk)
            ids = torch.zeros((len(chunk), width), dtype=torch.long)
            mask = torch.zeros_like(ids)
            for row, (prompt, answer) in enumerate(chunk):
                ids[row, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
                mask[row, : len(prompt) + len(answer)] = 1
            with torch.inference_mode():
                logits = (
                    self._net(input_ids=ids.to(self._device), attention_mask=mask.to(self._device))
                    .logits.float()
                    .log_softmax(-1)
                    .cpu()
                )
            for row, (prompt, answer) in enumerate(chunk):
                steps = [logits[row, len(prompt) + i - 1, token] for i, token in enumerate(answer)]
                out.append(float(torch.stack(steps).mean()))
        return np.array(out)
