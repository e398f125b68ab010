"""Rulings: what analysts decided, as small append-only JSON files, one decision each.

Writers never touch each other's files: a ruling is written under a name of its own and renamed into place, so two analysts at once lose
nothing. Every run reads them all; a later ruling wins over an earlier one about the same thing, and both stay readable.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from models import taxonomy
from models.catalogue import files
from models.errors import StoreError, UsageError

VERDICTS = ("confirm", "reject", "correct", "merge", "split", "add", "undo")
RELATIONS = ("tag", "jump", "product", "end", "proposal")
ON_STATUS = ("confirm", "reject", "add")
NAMES_OF_NOBODY = ("", "unknown")
SHORT_ID = 12


@dataclass(frozen=True, slots=True)
class Ruling:
    """One decision. `key` names the row: a jump, product or proposal id, `document:capability` or a document id for tags.

    `fields` are the values given: corrected columns; `into` for merge; `document_ids` for split; nothing for confirm, reject and undo.
    """

    ruling_id: str
    ruled_at: datetime
    ruled_by: str
    verdict: str
    relation: str
    key: str
    why: str
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def order(self) -> tuple[datetime, str]:
        """Later wins; the id breaks ties, the same on every machine."""
        return (self.ruled_at, self.ruling_id)


def rule(
    folder: Path,
    verdict: str,
    relation: str,
    key: str,
    *,
    why: str,
    by: str,
    now: datetime,
    fields: Mapping[str, Any] | None = None,
) -> Ruling:
    """Check a decision, write it and return it.

    Raises
    ------
    UsageError
        for a verdict, relation or field that cannot be, or a decision without a reason.
    StoreError
        when the folder cannot be written.

    """
    checked = check(verdict, relation, key, why=why, by=by, fields=fields or {})
    ruling = Ruling(
        uuid.uuid4().hex, now.astimezone(UTC), by.strip(), verdict, relation, key.strip(), " ".join(why.split()), checked
    )
    write(folder, ruling)
    return ruling


def check(verdict: str, relation: str, key: str, *, why: str, by: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with typed values; refuses what no run could apply."""
    if verdict not in VERDICTS:
        raise UsageError(f"verdict {verdict!r} is not known; use one of {', '.join(VERDICTS)}")
    if relation not in RELATIONS:
        raise UsageError(f"relation {relation!r} cannot be ruled on; use one of {', '.join(RELATIONS)}")
    if not key.strip():
        raise UsageError("a ruling needs the key of the row it is about")
    if not why.strip():
        raise UsageError("a ruling needs a reason; say why in a few words")
    if by.strip() in NAMES_OF_NOBODY:
        raise UsageError("a ruling needs a name; say who decides")
    needed = {"merge": "into", "split": "document_ids"}.get(verdict)
    if needed and not fields.get(needed):
        raise UsageError(f"{verdict} needs the field {needed!r}, as in {needed}=…")
    if verdict in ("merge", "split") and relation != "jump":
        raise UsageError(
            f"only jumps can be {verdict}{'d' if verdict == 'merge' else ''}; correct or reject a {relation} instead"
        )
    if verdict == "correct" and not fields:
        raise UsageError("correct needs at least one field with its value")
    return {name: _checked(relation, name, value) for name, value in fields.items()}


def _checked(relation: str, name: str, value: Any) -> Any:
    known = FIELDS[relation]
    if name not in known:
        raise UsageError(f"a {relation} has no field {name!r} that can be ruled on; it has {', '.join(sorted(known))}")
    text = ";".join(map(str, value)) if isinstance(value, (list, tuple)) else "" if value is None else str(value)
    if not text.strip():
        return None
    try:
        parsed = known[name](text)
    except ValueError as error:
        raise UsageError(f"{relation} field {name}: {text!r} {error}") from error
    return list(parsed) if isinstance(parsed, tuple) else parsed.isoformat() if isinstance(parsed, date) else parsed


_JUMP_FIELDS: dict[str, Callable[[str], Any]] = {
    "happened_on": files.day,
    "known_on": files.day,
    "provider": files.text,
    "platform": files.text,
    "release": files.text,
    "stage": files.one_of(taxonomy.STAGES),
    "reach": files.one_of(taxonomy.REACHES),
    "magnitude": files.whole(1, 3),
    "summary": files.text,
    "capabilities": files.labels,
    "document_ids": files.names,
    "source_url": files.link,
    "story_key": files.text,
    "into": files.text,
}
_PRODUCT_FIELDS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(
        ("name", "vendor", "category", "cohort", "ended_because", "note", "source_url", "source_url_launch"), files.text
    ),
    "homepage": files.link,
    **dict.fromkeys(("launched_on", "ended_on", "ended_known_on", "last_alive_on", "gone_by"), files.day),
    "outcome": lambda text: files.one_of(taxonomy.load().outcomes)(text),
    "sells": files.labels,
    "depends_on": files.labels,
    "segment": files.one_of(taxonomy.SEGMENTS),
    "wrapper_tier": files.whole(1, 5),
    "coupling": files.whole(0, 3),
    "moats": lambda text: tuple(files.one_of((*taxonomy.MOATS, "none"))(part) for part in files.names(text)),
    "is_blind": files.flag,
}
_TAG_FIELDS: dict[str, Callable[[str], Any]] = {
    "event_kind": lambda text: files.one_of(taxonomy.load().event_kinds)(text),
    "provider": files.text,
    "magnitude": files.whole(1, 3),
}
FIELDS: Mapping[str, Mapping[str, Callable[[str], Any]]] = {
    "jump": _JUMP_FIELDS,
    "product": _PRODUCT_FIELDS,
    "end": {
        name: _PRODUCT_FIELDS[name]
        for name in ("outcome", "ended_on", "ended_known_on", "gone_by", "ended_because", "note", "source_url")
    },
    "tag": _TAG_FIELDS,
    "proposal": _PRODUCT_FIELDS,
}


def write(folder: Path, ruling: Ruling) -> Path:
    """One new file, whole or not at all: written and synced under a temporary name, then renamed."""
    name = f"{ruling.ruled_at:%Y%m%dT%H%M%S.%fZ}-{ruling.ruling_id[:12]}.json"
    temporary = folder / f".{name}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(as_json(ruling), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, folder / name)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise StoreError(f"cannot write the ruling to {folder} ({error.strerror}); mend the folder and rule again") from error
    return folder / name


def as_json(ruling: Ruling) -> dict[str, Any]:
    """The content of a ruling's file."""
    return {
        "ruling_id": ruling.ruling_id,
        "ruled_at": ruling.ruled_at.isoformat(),
        "ruled_by": ruling.ruled_by,
        "verdict": ruling.verdict,
        "relation": ruling.relation,
        "key": ruling.key,
        "fields": dict(ruling.fields),
        "why": ruling.why,
    }


def read(folder: Path | None) -> tuple[list[Ruling], list[str]]:
    """Every ruling of a folder in order of time, and one line for each file that is none; those are left where they are."""
    rulings: dict[str, Ruling] = {}
    problems = []
    for file in sorted(folder.glob("*.json")) if folder and folder.is_dir() else ():
        try:
            ruling = _from_json(json.loads(file.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
            problems.append(f"{file.name} is no ruling ({error}); mend or remove it")
        else:
            rulings[ruling.ruling_id] = ruling
    return sorted(rulings.values(), key=lambda ruling: ruling.order), problems


def _from_json(raw: Mapping[str, Any]) -> Ruling:
    at = datetime.fromisoformat(raw["ruled_at"])
    fields = check(
        raw["verdict"], raw["relation"], raw["key"], why=raw["why"], by=raw["ruled_by"], fields=raw.get("fields") or {}
    )
    return Ruling(
        ruling_id=str(raw["ruling_id"]),
        ruled_at=at if at.tzinfo else at.replace(tzinfo=UTC),
        ruled_by=raw["ruled_by"],
        verdict=raw["verdict"],
        relation=raw["relation"],
        key=raw["key"],
        why=raw["why"],
        fields=fields,
    )


def in_force(rulings: Sequence[Ruling]) -> list[Ruling]:
    """Those that still count, in order: an undo takes back the latest one about its row, a later verdict replaces an earlier one.

    `correct` counts field by field: an earlier one stays while it gives a field that no later one gives. Undo names a row or a ruling.
    """
    standing: list[Ruling] = []
    for ruling in sorted(rulings, key=lambda one: one.order):
        if ruling.verdict == "undo":
            _take_back(standing, ruling)
        else:
            standing = [one for one in standing if not _replaces(ruling, one)]
            standing.append(ruling)
    return standing


def _take_back(standing: list[Ruling], undo: Ruling) -> None:
    """Drop the ruling that `undo` names by id, else the latest one about its row."""
    for number in range(len(standing) - 1, -1, -1):
        one = standing[number]
        is_named = len(undo.key) >= SHORT_ID and one.ruling_id.startswith(undo.key)
        if is_named or (one.relation, one.key) == (undo.relation, undo.key):
            del standing[number]
            return


def _replaces(later: Ruling, earlier: Ruling) -> bool:
    if (later.relation, later.key) != (earlier.relation, earlier.key):
        return False
    if later.verdict == "correct":
        covers = earlier.verdict == "correct" and set(earlier.fields) <= set(later.fields)
        return covers or earlier.verdict == "reject"
    if later.verdict in ("merge", "split"):
        return earlier.verdict in ("merge", "reject")
    return earlier.verdict in (*ON_STATUS, "merge")


def table_rows(rulings: Sequence[Ruling]) -> list[dict[str, Any]]:
    """Rows of table ruling."""
    standing = {ruling.ruling_id for ruling in in_force(rulings)}
    return [
        {
            **as_json(ruling),
            "ruled_at": ruling.ruled_at,
            "fields": json.dumps(dict(ruling.fields), ensure_ascii=False),
            "is_in_force": ruling.ruling_id in standing,
        }
        for ruling in rulings
    ]


def about(rulings: Iterable[Ruling], relation: str) -> list[Ruling]:
    """Those in force about one relation."""
    return [ruling for ruling in in_force(list(rulings)) if ruling.relation == relation]
