"""Which tagger a home goes by when its setting is the shipped one: the one adopted there, until a better one is."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

from models.errors import TaggerError

FILE = "adopted.json"


def adopted(taggers: Path) -> Path | None:
    """Folder of the tagger that this home adopted, or None.

    Raises
    ------
    TaggerError
        when the note names a tagger that is not there.

    """
    note = taggers / FILE
    if not note.is_file():
        return None
    try:
        name = str(json.loads(note.read_text(encoding="utf-8"))["tagger"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TaggerError(
            f'{note} names no tagger ({type(error).__name__}); write {{"tagger": "FOLDER"}} or remove it'
        ) from error
    folder = taggers / name
    if Path(name).name != name or not folder.is_dir():
        raise TaggerError(f"{note} names {name!r}, which is no folder beside it; correct the name or remove {FILE}")
    return folder


def adopt(taggers: Path, name: str, on: date) -> None:
    """Let the home go by the tagger `name` of its folder from now on; the note is in place whole or not at all."""
    temporary = taggers / f".{FILE}.tmp"
    temporary.write_text(json.dumps({"tagger": name, "adopted_on": on.isoformat()}), encoding="utf-8")
    os.replace(temporary, taggers / FILE)
