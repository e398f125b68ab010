"""Watchlists: one small CSV of product ids each, in the folder `watchlists` of the home."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from models.errors import UsageError
from models.exports.csv import write_csv
from models.exports.files import write_text_atomically

NAME = re.compile(r"[\w][\w \-]{0,63}")


@dataclass(frozen=True, slots=True)
class Watchlist:
    """Products that somebody follows, in the order they were added."""

    name: str
    product_ids: tuple[str, ...]


def read_all(folder: Path) -> list[Watchlist]:
    """Every watchlist by name; none when the folder does not exist. A file that is no watchlist is passed over."""
    files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
    return [read(folder, file.stem) for file in files if NAME.fullmatch(file.stem)]


def read(folder: Path, name: str) -> Watchlist:
    """One watchlist.

    Raises
    ------
    UsageError
        when there is none of that name; says which there are.

    """
    file = _file(folder, name)
    if not file.is_file():
        there = ", ".join(sorted(path.stem for path in folder.glob("*.csv"))) if folder.is_dir() else ""
        raise UsageError(f"there is no watchlist {name!r}; there are: {there or 'none yet, make one with `lifeline watch add`'}")
    return Watchlist(name, read_ids(file))


def read_ids(file: Path) -> tuple[str, ...]:
    """Product ids of a CSV with a column product_id (or of a plain list, one id a line), each once."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read as a list of product ids in UTF-8 ({error}); save it as CSV") from error
    rows = [row for row in csv.reader(text.splitlines()) if row and row[0].strip()]
    if rows and "product_id" in rows[0]:
        column = rows[0].index("product_id")
        rows = [row[column:] for row in rows[1:] if len(row) > column]
    return tuple(dict.fromkeys(row[0].strip() for row in rows if row[0].strip()))


def add(folder: Path, name: str, product_ids: Iterable[str], known: Iterable[str]) -> Watchlist:
    """Add products, making the watchlist if need be; nothing changes when one of them is not known."""
    wanted = list(dict.fromkeys(product_ids))
    known = set(known)
    for product_id in wanted:
        if product_id not in known:
            near = get_close_matches(product_id, known, n=3)
            raise UsageError(
                f"there is no product {product_id!r}"
                + (
                    f"; did you mean {', '.join(near)}?"
                    if near
                    else "; `lifeline sql 'select product_id, name from product'` lists them"
                )
            )
    before = read(folder, name).product_ids if _file(folder, name).is_file() else ()
    return _write(folder, Watchlist(name, tuple(dict.fromkeys([*before, *wanted]))))


def remove(folder: Path, name: str, product_ids: Sequence[str]) -> Watchlist:
    """Take products off a watchlist; one that is not on it is an error, and then nothing changes."""
    before = read(folder, name).product_ids
    for product_id in product_ids:
        if product_id not in before:
            raise UsageError(f"{product_id!r} is not on watchlist {name!r}; see `lifeline watch list {name}`")
    return _write(folder, Watchlist(name, tuple(key for key in before if key not in set(product_ids))))


def drop(folder: Path, name: str) -> Watchlist:
    """Delete a whole watchlist; returns what was on it."""
    before = read(folder, name)
    _file(folder, name).unlink()
    return before


def _write(folder: Path, watchlist: Watchlist) -> Watchlist:
    rows = [{"product_id": product_id} for product_id in watchlist.product_ids]
    with write_text_atomically(_file(folder, watchlist.name)) as handle:
        write_csv(rows, handle, ["product_id"])
    return watchlist


def _file(folder: Path, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a watchlist; use up to 64 letters, digits, blanks, - and _")
    return folder / f"{name}.csv"
