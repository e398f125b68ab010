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
from models.tagging.names import ROLES
from models.tagging.reading import Reading, source_words

N_KIND_QUERIES = 4
CPU_BATCH_TOKENS = 512
GPU_BATCH_TOKENS = 65536
WIDTH_STEP = 32
Coded = tuple[list[int], list[int]]
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
class Batch:
    """Tensors of some documents and where they stood."""

    index: list[int]
    ids: torch.Tensor
    mask: torch.Tensor
    roles: torch.Tensor


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

    def batches(self, coded: Sequence[Coded], max_batch_tokens: int) -> Iterator[Batch]:
        """Length-sorted batches whose padded size stays under `max_batch_tokens`; widths are multiples of `pad_to`."""
        step, pad = self.net.settings.pad_to, self.tokenizer.pad_token_id or 0
        order = sorted(range(len(coded)), key=lambda i: (len(coded[i][0]), i))
        at = 0
        while at < len(order):
            take = [order[at]]
            width = -(-len(coded[order[at]][0]) // step) * step
            while at + len(take) < len(order):
                wider = -(-len(coded[order[at + len(take)]][0]) // step) * step
                if max(width, wider) * (len(take) + 1) > max_batch_tokens:
                    break
                width = max(width, wider)
                take.append(order[at + len(take)])
            at += len(take)
            yield collate([coded[i] for i in take], take, width, pad)

    def predict(self, readings: Sequence[Reading]) -> dict[str, np.ndarray]:
        """Logits of every reading, in the order given.

        On a CPU a document's logits are the same bits in any company: every batch of one width has the same shape, and is
        computed by one thread; several batches run side by side.
        """
        coded = self.tokens(readings)
        parts = {key: np.zeros((len(readings), width), dtype=np.float32) for key, width in self._widths().items()}
        shapes = self.fixed_batches(coded, GPU_BATCH_TOKENS if self.device == "cuda" else CPU_BATCH_TOKENS)
        if self.device == "cuda":
            for batch in shapes:
                self._into(parts, batch)
            return parts
        with ThreadPoolExecutor(max(1, torch.get_num_threads()), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            list(pool.map(lambda batch: self._into(parts, batch), shapes))
        return parts

    def fixed_batches(self, coded: Sequence[Coded], batch_tokens: int) -> Iterator[Batch]:
        """Batches of few widths; rows and width of a batch depend on the width alone, so the last of each is filled up."""
        pad = self.tokenizer.pad_token_id or 0
        by_width: dict[int, list[int]] = {}
        for i, (ids, _) in enumerate(coded):
            by_width.setdefault(-(-len(ids) // WIDTH_STEP) * WIDTH_STEP, []).append(i)
        for width, members in sorted(by_width.items(), reverse=True):
            n_rows = max(1, batch_tokens // width)
            for start in range(0, len(members), n_rows):
                rows = members[start : start + n_rows]
                filled = [coded[i] for i in rows] + [coded[rows[0]]] * (n_rows - len(rows))
                yield collate(filled, rows, width, pad)

    def _widths(self) -> dict[str, int]:
        settings = self.net.settings
        return {"kind": len(settings.kinds), "capabilities": len(settings.capabilities), "magnitude": 3}

    def _into(self, parts: dict[str, np.ndarray], batch: Batch) -> None:
        with torch.inference_mode(), torch.autocast("cuda", dtype=torch.bfloat16, enabled=self.device == "cuda"):
            out = self.net(*(part.to(self.device, non_blocking=True) for part in (batch.ids, batch.mask, batch.roles)))
        for key, values in parts.items():
            values[batch.index] = out[key][: len(batch.index)].float().cpu().numpy()

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
        for i, (start, end) in enumerate(offsets):
            if parts[i] == part and end > start:
                roles[i] = next((role for low, high, role in spans if start < high and end > low), 0)
    return roles


def collate(coded: Sequence[Coded], index: list[int], width: int, pad: int) -> Batch:
    """Pad to `width`."""
    ids = torch.full((len(coded), width), pad, dtype=torch.long)
    mask = torch.zeros((len(coded), width), dtype=torch.long)
    roles = torch.zeros((len(coded), width), dtype=torch.long)
    for row, (tokens, named) in enumerate(coded):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        roles[row, : len(tokens)] = torch.tensor(named)
        mask[row, : len(tokens)] = 1
    return Batch(index, ids, mask, roles)


def from_base(base: str, settings: EncoderSettings, device: str = "cpu") -> Encoder:
    """A fresh tagger on any encoder, by folder or hub name; only safetensors, no remote code."""
    try:
        backbone = AutoModel.from_pretrained(base, use_safetensors=True, trust_remote_code=False, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise TaggerError(
            f"cannot load the encoder {base!r}: {str(error).splitlines()[0]}; give a folder or a hub name"
        ) from error
    chosen = pick_device(device)
    return Encoder(TagEncoder(backbone, settings).to(chosen), tokenizer, chosen)


def load(folder: Path, device: str = "cpu") -> Encoder:
    """An encoder saved by `Encoder.save`, on `device` (auto, cpu or cuda)."""
    raw = json.loads((folder / "encoder.json").read_text())
    settings = EncoderSettings(**{**raw, "capabilities": tuple(raw["capabilities"]), "kinds": tuple(raw["kinds"])})
    backbone = AutoModel.from_config(AutoConfig.from_pretrained(folder), trust_remote_code=False)
    net = TagEncoder(backbone, settings)
    net.load_state_dict({k: v.float() for k, v in load_file(folder / "encoder.safetensors").items()})
    chosen = pick_device(device)
    return Encoder(net.eval().to(chosen), AutoTokenizer.from_pretrained(folder), chosen)


def pick_device(wanted: str) -> str:
    """`auto` is the GPU where there is one."""
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise TaggerError("there is no usable GPU for --device cuda; use --device cpu or auto")
    return "cuda" if wanted != "cpu" and has_gpu else "cpu"
