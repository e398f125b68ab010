"""Tag a file of documents: JSON Lines in, JSON Lines out, in the same order."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from models.errors import UsageError
from models.tagger import Tagger
from models.types import Tags, TextIn

CHUNK = 512


def classify_file(in_path: Path, out_path: Path, tagger: Tagger, say: Callable[[str], None] | None = None) -> dict[str, int]:
    """Write the tags of every document of `in_path` to `out_path`, whole or not at all; returns counts."""
    texts = list(read_texts(in_path))
    part = out_path.with_name(out_path.name + ".part")
    counts = {"documents": 0, "jumps": 0}
    try:
        with part.open("w", encoding="utf-8") as out:
            for start in range(0, len(texts), CHUNK):
                for tags in tagger.tag(texts[start : start + CHUNK]):
                    out.write(json.dumps(as_row(tags), ensure_ascii=False) + "\n")
                    counts["documents"] += 1
                    counts["jumps"] += tags.event_kind == "capability_jump"
                if say:
                    say(f"tagged {counts['documents']} of {len(texts)} documents")
        os.replace(part, out_path)
    except OSError as error:
        raise UsageError(f"cannot write {out_path}: {error.strerror or error}; name a file in a folder that exists") from error
    finally:
        part.unlink(missing_ok=True)
    return counts


def read_texts(path: Path) -> Iterator[TextIn]:
    """Documents of a JSON Lines file; a line that is none is named by its number."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}; give a JSON Lines file of documents") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            raw = json.loads(line)
            identity = raw["id"]
        except (json.JSONDecodeError, KeyError, TypeError, RecursionError) as error:
            raise UsageError(
                f"{path}:{number}: not a document ({error}); each line is an object with id, title and text"
            ) from error
        yield TextIn(str(identity), *(_text(raw, key) for key in ("title", "text", "lang", "url", "source")))


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else "" if value is None else str(value)


def as_row(tags: Tags) -> dict[str, Any]:
    """Tags as one line of the contract's output."""
    return {
        "id": tags.document_id,
        "event_kind": tags.event_kind,
        "kind_scores": dict(tags.kind_scores),
        "capabilities": list(tags.capabilities),
        "scores": dict(tags.scores),
        "provider": tags.provider,
        "magnitude": tags.magnitude,
        "tagger": tags.tagger,
        "evidence": dict(tags.evidence),
        "products": list(tags.products),
    }
