"""Keep the memory of a process that runs for months where its first runs left it.

glibc gives threads that allocate at the same time heaps of their own, up to eight a core, and gives back little of each. A poll has
sixteen threads and the store a few more, so the heaps fill up one by one, run after run, without anything being leaked.
"""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8
N_HEAPS = 2


def share_heaps() -> bool:
    """Let all threads share a few heaps; to be called before there are threads. False where the C library is another one."""
    try:
        return bool(ctypes.CDLL(None).mallopt(M_ARENA_MAX, N_HEAPS))
    except (OSError, AttributeError):
        return False
