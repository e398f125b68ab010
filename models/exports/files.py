"""Files that are whole or not there."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

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


@contextmanager
def write_text_atomically(file: Path) -> Iterator[TextIO]:
    """A text file (UTF-8) to write into, put in place of `file` when all went well; nothing changes when it did not."""
    buffer = io.StringIO(newline="")
    yield buffer
    write_atomically(file, buffer.getvalue().encode())
