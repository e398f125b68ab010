"""One forward pass from readings to event kind, capabilities and magnitude: a transformers encoder with label attention."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

from models.errors import TaggerError
from models.tagging.batching import Batch, Coded, ahead, fixed_batches
from models.tagging.names import ROLES
from models.tagging.reading import Reading, source_words

N_KIND_QUERIES = 4
CPU_BATCH_TOKENS = 512
GPU_BATCH_TOKENS = 32768
#: documents that are tokenised at once while a GPU computes the ones before
GPU_CHUNK = 4096
ROLE_IDS = {(role, is_release): 1 + 2 * i + is_release for i, role in enumerate(ROLES) for is_release in (False, True)}


@dataclass(frozen=True)
class EncoderSettings:
    """What must be known, beside the weights, to run an encoder again."""

    capabilities: tuple[str, ...]
    kinds: tuple[str, ...]
    max_tokens: int = 256
    pad_to: int = 16
    extra: dict[str, Any] = field(default_factory=dict)


class TagEncoder(nn.Module):
    """Backbone, an embedding for the role of each named party, and heads that attend to the tokens of each label."""

    def __init__(self, backbone: Any, settings: EncoderSettings) -> None:
        super().__init__()
        width = int(backbone.config.hidden_size)
        if getattr(backbone, "pooler", None) is not None:
            backbone.pooler = None  # our heads pool for themselves
        n_caps, n_kinds = len(settings.capabilities), len(settings.kinds)
        self.backbone: Any = backbone
        self.settings = settings
        self.role = nn.Embedding(1 + len(ROLE_IDS), width)
        self.queries = nn.Parameter(torch.randn(n_caps + N_KIND_QUERIES, width) * 0.05)
        self.cap_local = nn.Parameter(torch.randn(n_caps, width) * 0.02)
        self.cap_whole = nn.Linear(width, n_caps)
        self.kind = nn.Linear(width * (1 + N_KIND_QUERIES), n_kinds)
        self.magnitude = nn.Linear(width, 3)
        self.dropout = nn.Dropout(0.1)
        nn.init.zeros_(self.role.weight)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, roles: torch.Tensor) -> dict[str, torch.Tensor]:
        """Logits for `ids`, `mask`, `roles` of shape (documents, tokens); capabilities are given that it is a jump."""
        embedded = self.backbone.get_input_embeddings()(ids) + self.role(roles)
        hidden = self.backbone(inputs_embeds=embedded, attention_mask=mask).last_hidden_state.float()
        hidden = self.dropout(hidden)
        weight = mask.unsqueeze(-1).float()
        mean = (hidden * weight).sum(1) / weight.sum(1).clamp(min=1)
        affinity = hidden @ self.queries.T.float()
        attention = affinity.masked_fill(mask.unsqueeze(-1) == 0, -1e4).softmax(1)
        pooled = attention.transpose(1, 2) @ hidden
        n_caps = len(self.settings.capabilities)
        caps = (pooled[:, :n_caps] * self.cap_local).sum(-1) + self.cap_whole(mean)
        kind = self.kind(torch.cat([mean, pooled[:, n_caps:].flatten(1)], dim=1))
        return {
            "kind": kind,
            "capabilities": caps,
            "magnitude": self.magnitude(mean),
            "mean": mean,
            "attention": attention[:, :, :n_caps],
        }


@dataclass
class Encoder:
    """A tag encoder with its tokenizer."""

    net: TagEncoder
    tokenizer: Any
    device: str = "cpu"

    def tokens(self, readings: Sequence[Reading], *, hide_source: Sequence[bool] | None = None) -> list[Coded]:
        """Token ids and role ids of each reading; the source's words come first unless hidden."""
        heads = []
        for i, reading in enumerate(readings):
            words = "" if hide_source is not None and hide_source[i] else source_words(reading.source)
            heads.append(f"{words} : " if words else "")
        coded = self.tokenizer(
            [head + r.title for head, r in zip(heads, readings, strict=True)],
            [r.body for r in readings],
            truncation="only_second" if self.net.settings.max_tokens > 150 else True,
            max_length=self.net.settings.max_tokens,
            return_offsets_mapping=True,
            return_token_type_ids=False,
        )
        out = []
        for i, (ids, offsets) in enumerate(zip(coded["input_ids"], coded["offset_mapping"], strict=True)):
            out.append((ids, _roles(coded.sequence_ids(i), offsets, len(heads[i]), readings[i])))
        return out

    def predict(self, readings: Sequence[Reading]) -> dict[str, np.ndarray]:
        """Logits of every reading, in the order given: kind (n, kinds), capabilities (n, labels), magnitude (n, 3)."""
        if self.device == "cuda":
            return self.predict_streamed(readings, GPU_BATCH_TOKENS, GPU_CHUNK)
        return self._predict_exactly(readings)

    def _predict_exactly(self, readings: Sequence[Reading]) -> dict[str, np.ndarray]:
        """The same bits for a document in any company: every batch of one width has the same shape, and is computed by one thread.

        Several batches run side by side.
        """
        out = np.zeros((len(readings), sum(self.widths.values())), dtype=np.float32)

        def compute(batch: Batch) -> None:
            out[batch.index] = self._logits(batch).numpy()

        shapes = fixed_batches(self.tokens(readings), CPU_BATCH_TOKENS, self.pad)
        with ThreadPoolExecutor(max(1, torch.get_num_threads()), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            list(pool.map(compute, shapes))
        return self._parts(out)

    def predict_streamed(self, readings: Sequence[Reading], batch_tokens: int, chunk: int) -> dict[str, np.ndarray]:
        """The way of a GPU: chunks are tokenised and padded by a thread of their own while the batches before them are computed.

        Nothing is copied back before the last batch is under way, so the device never waits for the host.
        """
        said = [(batch.index, self._logits(batch)) for batch in ahead(self._stream(readings, batch_tokens, chunk), n=8)]
        out = np.zeros((len(readings), sum(self.widths.values())), dtype=np.float32)
        for index, logits in said:
            out[index] = logits.cpu().numpy()
        return self._parts(out)

    def _stream(self, readings: Sequence[Reading], batch_tokens: int, chunk: int) -> Iterator[Batch]:
        for start in range(0, len(readings), chunk):
            coded = self.tokens(readings[start : start + chunk])
            for batch in fixed_batches(coded, batch_tokens, self.pad):
                yield (batch.pinned() if self.device == "cuda" else batch).moved(start)

    def _logits(self, batch: Batch) -> torch.Tensor:
        """Logits of a batch's documents on the device, the heads side by side."""
        with torch.inference_mode(), torch.autocast("cuda", dtype=torch.bfloat16, enabled=self.device == "cuda"):
            out = self.net(*batch.on(self.device))
        return torch.cat([out[key] for key in self.widths], dim=1)[: len(batch.index)].float()

    def _parts(self, out: np.ndarray) -> dict[str, np.ndarray]:
        widths = self.widths
        return dict(zip(widths, np.split(out, np.cumsum(list(widths.values()))[:-1], axis=1), strict=True))

    @property
    def widths(self) -> dict[str, int]:
        """What the heads say of a document, and with how many numbers each."""
        settings = self.net.settings
        return {"kind": len(settings.kinds), "capabilities": len(settings.capabilities), "magnitude": 3}

    @property
    def pad(self) -> int:
        """Token that fills up rows."""
        return int(self.tokenizer.pad_token_id or 0)

    def to(self, device: str) -> None:
        """Move to `auto`, `cpu` or `cuda`."""
        self.device = pick_device(device)
        self.net.to(self.device)

    def compile(self) -> None:
        """Fuse the forward pass for the few shapes of `fixed_batches`; pays on a GPU from some ten thousand documents on."""
        self.net.compile(dynamic=False)

    def save(self, folder: Path, dtype: torch.dtype = torch.float16) -> None:
        """Weights (safetensors), backbone configuration, tokenizer and settings into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {k: v.detach().to(dtype).contiguous().cpu() for k, v in self.net.state_dict().items()}
        save_file(state, folder / "encoder.safetensors")
        self.net.backbone.config.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        (folder / "encoder.json").write_text(json.dumps(asdict(self.net.settings), ensure_ascii=False, indent=1))


def _roles(parts: list[int | None], offsets: list[tuple[int, int]], shift: int, reading: Reading) -> list[int]:
    """The role of the party that each token names; 0 for the rest. `shift` is the length of what stands before the title."""
    roles = [0] * len(offsets)
    for part, mentions, by in ((0, reading.title_mentions, shift), (1, reading.body_mentions, 0)):
        spans = [(m.start + by, m.end + by, ROLE_IDS[m.name.role, m.is_release]) for m in mentions]
        for i, (start, end) in enumerate(offsets if spans else ()):
            if parts[i] == part and end > start:
                roles[i] = next((role for low, high, role in spans if start < high and end > low), 0)
    return roles


def from_base(base: str, settings: EncoderSettings, device: str = "cpu") -> Encoder:
    """A fresh tagger on any encoder, by folder or hub name; only safetensors, no remote code."""
    try:
        backbone = AutoModel.from_pretrained(base, use_safetensors=True, trust_remote_code=False, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise TaggerError(
            f"cannot load the encoder {base!r}: {str(error).splitlines()[0]}; give a folder or a hub name"
        ) from error
    found = Encoder(TagEncoder(backbone, settings), tokenizer)
    found.to(device)
    return found


def load(folder: Path, device: str = "cpu") -> Encoder:
    """An encoder saved by `Encoder.save`, on `device` (auto, cpu or cuda)."""
    raw = json.loads((folder / "encoder.json").read_text())
    settings = EncoderSettings(**{**raw, "capabilities": tuple(raw["capabilities"]), "kinds": tuple(raw["kinds"])})
    backbone = AutoModel.from_config(AutoConfig.from_pretrained(folder), trust_remote_code=False)
    net = TagEncoder(backbone, settings)
    net.load_state_dict({k: v.float() for k, v in load_file(folder / "encoder.safetensors").items()})
    found = Encoder(net.eval(), AutoTokenizer.from_pretrained(folder))
    found.to(device)
    return found


def pick_device(wanted: str) -> str:
    """`auto` is the GPU where there is one."""
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise TaggerError("there is no usable GPU for --device cuda; use --device cpu or auto")
    return "cuda" if wanted != "cpu" and has_gpu else "cpu"
