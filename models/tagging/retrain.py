"""Train the tagger anew from what analysts ruled, and adopt the result only if it is better where both can be judged alike.

    rulings on tags -> teaching documents ─┐
    labels/*.jsonl of the home -> references ─> train, started from the tagger in force -> better? -> models/adopted.json

The references are labelled documents that name a story. The tagger in force must have been judged on them, too, and the two are compared
on those in common: figures on other documents, or on ones that analysts picked because it was wrong about them, would say nothing.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.settings import Settings
from models.tagging.adopted import adopt, adopted

if TYPE_CHECKING:
    import duckdb

SQL = Path(__file__).with_name("ruled.sql")
META = "tags_ruled_until"
SCORES = ("micro_f1", "macro_f1", "kind_accuracy", "jump_f1")
Train = Callable[..., Mapping[str, Any]]


def retrain(
    con: duckdb.DuckDBPyConnection, settings: Settings, as_of: date, say: Callable[[str], None], train: Train | None = None
) -> dict[str, Any]:
    """Train if there is something new to learn; the counts say what was found, and `outcome` in words what came of it.

    A comparison that cannot be made adopts nothing and leaves the rulings new, so that they count once it can.
    """
    ruled = ruled_documents(settings.published)
    until = _until(con)
    n_new = sum(row["ruled_at"] > until for row in ruled)
    counts: dict[str, Any] = {"ruled_document": len(ruled), "new_ruling": n_new}
    if not n_new:
        return {**counts, "outcome": "no ruling on a tag since the last training"}
    references = sorted((settings.home / "labels").glob("*.jsonl"))
    current = in_force(settings)
    if reason := why_not(settings, references, current):
        say(f"nothing is trained: {reason}")
        return {**counts, "outcome": f"nothing trained: {reason}"}
    assert current is not None
    result = _train(settings, references, current, ruled, as_of, say, train)
    con.execute("insert or replace into meta values (?, ?)", [META, max(row["ruled_at"] for row in ruled)])
    return {**counts, **result}


def ruled_documents(published: Path) -> list[dict[str, Any]]:
    """Documents whose tags were ruled on, as labels that teach: they name no story, so nothing is judged on them."""
    from models.store import open_published

    if not published.is_file():
        return []
    with open_published(published) as con:
        result = con.execute(SQL.read_text(encoding="utf-8"))
        names = [column[0] for column in result.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return [{**row, "ruled_at": row["ruled_at"].isoformat()} for row in rows]


def in_force(settings: Settings) -> Path | None:
    """Folder of the trainable tagger in force; None where the setting names another kind of tagger."""
    from models.tagging.embedded import WEIGHTS

    return (adopted(settings.taggers) or WEIGHTS) if settings["tagger"] == "embedded" else None


def why_not(settings: Settings, references: Sequence[Path], current: Path | None) -> str:
    """Why no fair comparison can be made; nothing when one can."""
    from models.tagging.gathering import gather
    from models.tagging.memory import LEAST_COMMON, in_common, recall

    if current is None:
        return f"the setting `tagger` is {settings['tagger']!r}; only with `embedded` can a tagger be adopted"
    folder = settings.home / "labels"
    if not references:
        return f"no reference labels in {folder}, so a new tagger cannot be compared with the one in force"
    corpus, _ = gather(references, [])
    if in_common([e.id for e in corpus.examples[: corpus.n_references]], recall(current)) < LEAST_COMMON:
        return f"the tagger in force was not judged on the references in {folder}, so a new one cannot be compared with it"
    return ""


def _train(
    settings: Settings,
    references: Sequence[Path],
    current: Path,
    ruled: Sequence[Mapping[str, Any]],
    as_of: date,
    say: Callable[[str], None],
    train: Train | None,
) -> dict[str, Any]:
    from models.tagging import training

    name = _new_name(settings.taggers, as_of)
    for leftover in settings.taggers.glob(".*.tmp"):  # of a training that was killed; only one runs at a time
        shutil.rmtree(leftover, ignore_errors=True)
    folder = settings.taggers / f".{name}.tmp"
    folder.mkdir(parents=True)
    teaching = folder / "ruled.jsonl"
    teaching.write_text("".join(json.dumps(row, default=str) + "\n" for row in ruled), encoding="utf-8")
    # references go last: where a ruling is about one of them, the reference stays what both were judged on
    result = (train or training.train)(
        [teaching, *references], folder, name, warm_start=current, device=settings["device"], epochs=0, say=say
    )
    before, after = result["before"], (result.get("drift") or {}).get("now") or result["figures"]
    said = f"{_mean(after):.3f} against {_mean(before):.3f} of the tagger in force, on the same references"
    if not result["is_better"]:
        shutil.rmtree(folder)
        return {"trained": 1, "outcome": f"not better, not adopted: {said}"}
    teaching.unlink()
    folder.rename(settings.taggers / name)
    adopt(settings.taggers, name, as_of)
    return {"trained": 1, "adopted": 1, "outcome": f"{name} adopted: {said}"}


def _new_name(taggers: Path, as_of: date) -> str:
    """A name that no tagger here has had, for tags are kept under it."""
    stem = f"lifeline-{as_of:%Y.%m.%d}"
    names = [stem, *(f"{stem}-{n}" for n in range(2, 100))]
    return next(name for name in names if not (taggers / name).exists())


def _mean(figures: Mapping[str, float] | None) -> float:
    return sum((figures or {}).get(name, 0.0) for name in SCORES) / len(SCORES)


def _until(con: duckdb.DuckDBPyConnection) -> str:
    row = con.execute("select value from meta where key = ?", [META]).fetchone()
    return str(row[0]) if row else ""
