"""The watchlists of the home, as pages read them: name to product ids."""

from __future__ import annotations

from app import data
from models import watchlists


def lists() -> dict[str, list[str]]:
    """Every watchlist in order of name; empty when there is none."""
    return {found.name: list(found.product_ids) for found in watchlists.read_all(data.home().watchlists)}
