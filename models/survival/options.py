"""What a file of products may say about itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Options:
    """What a file may say about itself: the day before which nothing was observed, the rate at which survivors were sampled, and whether
    its moats were labelled without knowing the fate.
    """

    catalogue_start: date | None = None
    sampling_rate_alive: float | None = None
    use_moats: bool = False
