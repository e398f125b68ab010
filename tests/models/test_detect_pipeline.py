"""Detection on the real store: documents and tags in, jumps out."""

from __future__ import annotations

from datetime import date

from models import catalogue
from models.detect.stage import detect


def test_the_catalogue_alone_gives_its_jumps(store, as_of):
    """Without a document every jump of the catalogue known on the day is there, none that became known later."""
    shipped = catalogue.load()
    detect(store, shipped, as_of)
    ids = {row[0] for row in store.execute("select jump_id from pub.jump").fetchall()}
    known = {row["jump_id"] for row in shipped.jumps if (row.get("known_on") or row["date"]) <= date(2026, 7, 1)}
    late = {row["jump_id"] for row in shipped.jumps if (row.get("known_on") or row["date"]) > as_of}
    assert known <= ids
    assert not ids & late
