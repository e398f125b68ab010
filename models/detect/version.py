"""What is made of a document also depends on the rules: their hash, so that what was made by other rules is made anew."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from models.detect import providers

HERE = Path(__file__).parent
KINDS = {".py", ".sql", ".csv"}
TABLES = HERE.parent / "sql" / "derived.sql"


@cache
def rules() -> str:
    """Hash of every file of detection, of the list of providers and of the tables that are filled."""
    files = [*sorted(file for file in HERE.iterdir() if file.suffix in KINDS), providers.FILE, TABLES]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
