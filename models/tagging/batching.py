"""From token ids to tensors: padding, batches of like length, and making the next batch while the present one is computed."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar, cast

import numpy as np
import torch

#: token ids and the role of the party that each token names
Coded = tuple[list[int], list[int]]
#: widths of the batches that are computed; few, so that a compiled encoder sees few shapes
WIDTH_STEP = 32
T = TypeVar("T")
_END = object()


@dataclass(frozen=True)
class Batch:
    """Tensors (rows, tokens) of some documents, and where these stood; rows beyond `index` are filling."""

    index: list[int]
    ids: torch.Tensor
    mask: torch.Tensor
    roles: torch.Tensor

    def moved(self, by: int) -> Batch:
        """The same batch of documents that stand `by` places later."""
        return replace(self, index=[i + by for i in self.index])

    def pinned(self) -> Batch:
        """The same in memory that a GPU reads while it computes."""
        return replace(self, ids=self.ids.pin_memory(), mask=self.mask.pin_memory(), roles=self.roles.pin_memory())

    def on(self, device: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Ids, mask and roles on a device."""
        ids, mask, roles = (part.to(device, non_blocking=True) for part in (self.ids, self.mask, self.roles))
        return ids, mask, roles


def collate(coded: Sequence[Coded], index: list[int], width: int, pad: int) -> Batch:
    """Pad to `width`."""
    ids = np.full((len(coded), width), pad, dtype=np.int64)
    mask, roles = np.zeros_like(ids), np.zeros_like(ids)
    for row, (tokens, named) in enumerate(coded):
        ids[row, : len(tokens)] = tokens
        roles[row, : len(tokens)] = named
        mask[row, : len(tokens)] = 1
    return Batch(index, torch.from_numpy(ids), torch.from_numpy(mask), torch.from_numpy(roles))


def fixed_batches(coded: Sequence[Coded], batch_tokens: int, pad: int) -> Iterator[Batch]:
    """Batches of few widths; rows and width of a batch depend on the width alone, so the last of each is filled up."""
    by_width: dict[int, list[int]] = {}
    for i, (ids, _) in enumerate(coded):
        by_width.setdefault(-(-len(ids) // WIDTH_STEP) * WIDTH_STEP, []).append(i)
    for width, members in sorted(by_width.items(), reverse=True):
        n_rows = max(1, batch_tokens // width)
        for start in range(0, len(members), n_rows):
            rows = members[start : start + n_rows]
            filled = [coded[i] for i in rows] + [coded[rows[0]]] * (n_rows - len(rows))
            yield collate(filled, rows, width, pad)


def buckets(coded: Sequence[Coded], max_batch_tokens: int, step: int) -> list[tuple[list[int], int]]:
    """Documents of like length together: which, and the width to pad them to (a multiple of `step`).

    Rows times width stay under `max_batch_tokens`, except for a document that is longer by itself.
    """
    order = sorted(range(len(coded)), key=lambda i: (len(coded[i][0]), i))
    widths = [-(-len(ids) // step) * step for ids, _ in coded]
    out, at = [], 0
    while at < len(order):
        end = at + 1
        while end < len(order) and widths[order[end]] * (end + 1 - at) <= max_batch_tokens:
            end += 1
        out.append((order[at:end], widths[order[end - 1]]))
        at = end
    return out


def ahead(items: Iterable[T], n: int = 2) -> Iterator[T]:
    """The same items in the same order, made up to `n` ahead by another thread; what fails there fails here."""
    source = iter(items)
    with ThreadPoolExecutor(1) as maker:
        waiting = deque(maker.submit(next, source, _END) for _ in range(n))
        while (item := waiting.popleft().result()) is not _END:
            waiting.append(maker.submit(next, source, _END))
            yield cast(T, item)
