"""Files that are whole or not there."""

from __future__ import annotations

import os
from pathlib import Path

from models.errors import StoreError


def write_atomically(file: Path, content: bytes) -> None:
    """Put `content` in place of `file` in one step; a reader sees the old file or the new one, never a part."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        os.replace(temporary, file)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"{file} cannot be written ({error.strerror}); give a folder you may write to") from error
