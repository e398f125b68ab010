"""The watchlists of the home, as pages read them: name to product ids."""

from __future__ import annotations

from app import data


def lists() -> dict[str, list[str]]:
    """Every watchlist in order of name; empty when there is none."""
    folder = data.home().watchlists
    files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    if not files:
        return {}
    from models import watchlists

    return {file.stem: list(watchlists.read(folder, file.stem)) for file in files}
