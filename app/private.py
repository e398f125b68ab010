"""Private products: a form or a CSV makes one, the home keeps them, nothing else carries them.

They lie in `catalogue/private_products.csv` of the home and enter the next run marked as private.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.catalogue import read_products
from models.errors import CatalogueError, UsageError
from models.importing import catalogue_csv

FILE = "private_products.csv"
COLUMNS = (
    "product_id", "name", "vendor", "homepage", "category", "launched_on", "launched_precision", "outcome", "sells", "depends_on",
    "segment", "wrapper_tier", "coupling", "moats", "note",
)  # fmt: skip
Row = dict[str, Any]
_ONE_AT_A_TIME = threading.Lock()  # sessions of one desk that keep a product in the same moment


def new_id(name: str, taken: Mapping[str, Any] | set[str]) -> str:
    """An id made from a name that no other product has: own-my-product, own-my-product-2."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = "own-" + (re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40] or "product")
    number, found = 1, stem
    while found in taken:
        number += 1
        found = f"{stem}-{number}"
    return found


def read(folder: Path) -> list[Row]:
    """The private products of a home's catalogue folder, checked."""
    file = folder / FILE
    return read_products(file) if file.is_file() else []


def read_upload(content: bytes) -> list[Row]:
    """Products of an uploaded CSV, checked like any catalogue file.

    Raises
    ------
    CatalogueError
        naming row, column, value and remedy.

    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "upload.csv"
        file.write_bytes(content)
        try:
            return read_products(file)
        except CatalogueError as error:
            raise CatalogueError(str(error).replace(str(file), "the uploaded file")) from error


def save(folder: Path, row: Mapping[str, Any]) -> None:
    """Add a product, or put it in place of the one with its id; the whole file is checked before it takes the old one's place.

    Raises
    ------
    CatalogueError
        for a value that cannot be; the file stays as it was.

    """
    with _ONE_AT_A_TIME:
        kept = [one for one in read(folder) if one["product_id"] != row["product_id"]]
        _write(folder, [*kept, {**row, "outcome": row.get("outcome") or "alive"}])


def remove(folder: Path, product_id: str) -> None:
    """Take a product out.

    Raises
    ------
    UsageError
        when there is none with that id.

    """
    with _ONE_AT_A_TIME:
        rows = read(folder)
        kept = [one for one in rows if one["product_id"] != product_id]
        if len(kept) == len(rows):
            raise UsageError(f"there is no private product {product_id!r}")
        _write(folder, kept)


def _write(folder: Path, rows: list[Row]) -> None:
    """The file as every catalogue file is written: names stand as they were given, for only this program reads it."""
    if not rows:
        (folder / FILE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    content = catalogue_csv([{name: row.get(name) for name in COLUMNS} for row in rows])
    temporary = folder / f".{FILE}.{os.getpid()}.tmp"
    try:
        temporary.write_text(content.encode("utf-8", "replace").decode(), encoding="utf-8", newline="")
        read_products(temporary)
        os.replace(temporary, folder / FILE)
    finally:
        temporary.unlink(missing_ok=True)
