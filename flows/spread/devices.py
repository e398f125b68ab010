"""One tagger per device: which GPU a worker process takes, and how much it gives it at once."""

from __future__ import annotations

import os
from collections.abc import Mapping

# what a token of a batch takes at most, in 16-bit arithmetic with the attention of 256 tokens, with room for fragmentation
BYTES_A_TOKEN = 160_000
FEWEST_TOKENS, MOST_TOKENS = 4096, 262_144
USABLE = 0.7


def visible_device(rank: int, n_devices: int, environ: Mapping[str, str]) -> str | None:
    """What CUDA_VISIBLE_DEVICES should be for the worker `rank` of its machine; None to leave it, as Ray and operators set it."""
    if n_devices < 2 or rank < 0:
        return None
    listed = [part for part in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if part]
    devices = listed or [str(i) for i in range(n_devices)]
    return devices[rank % len(devices)] if len(devices) > 1 else None


def batch_tokens(free_bytes: int) -> int:
    """Tokens of one batch on a device with so much free memory: a power of two."""
    fitting = max(FEWEST_TOKENS, min(MOST_TOKENS, int(free_bytes * USABLE / BYTES_A_TOKEN)))
    return 1 << (fitting.bit_length() - 1)


def use_device(device: str) -> None:
    """Take this worker's GPU and size its batches; nothing on a machine without one. To be called before torch looks at devices."""
    if device == "cpu":
        return
    n = n_devices()
    if not n:
        return
    own = visible_device(_rank(), n, os.environ)
    if own is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = own
    import torch

    from models.tagging import encoder

    if torch.cuda.is_available():
        encoder.GPU_BATCH_TOKENS = batch_tokens(torch.cuda.mem_get_info()[0])


def n_devices() -> int:
    """GPUs of this machine, counted without torch, for torch never looks a second time."""
    from pathlib import Path

    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def _rank() -> int:
    """The number of this worker on its machine, as Dask counts; -1 where somebody else sees to it."""
    try:
        from distributed import get_worker

        name = get_worker().name
    except (ImportError, ValueError):
        return -1
    return name if isinstance(name, int) else -1
