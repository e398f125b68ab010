"""A run on a home that an earlier release left."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pytest

from flows import pipeline
from flows.pipeline import Job
from models import settings
from models.errors import StoreError
from models.store import open_published, open_work
from tests.models.schema_snapshots import FOLDER

KEPT = ("document", "document_version", "document_identity", "tagging", "tagging_label", "forecast", "activity_count")


@pytest.mark.slow
@pytest.mark.parametrize("release", sorted(file.stem for file in FOLDER.glob("*.sql")))
def test_a_run_works_on_what_every_release_left(release, home):
    """Publishing alone is refused where it would publish emptied tables; a run publishes, and keeps what was kept."""
    home.mkdir()
    with duckdb.connect(str(home / "work.duckdb")) as old:
        old.execute((FOLDER / f"{release}.sql").read_text(encoding="utf-8"))
        before = {table: old.execute(f"select count(*) from {table}").fetchone() for table in KEPT if table != "forecast"}
    config, now = settings.load(), datetime(2026, 11, 22, 12, tzinfo=UTC)

    def run(*stages):
        return pipeline.run(Job(date(2026, 8, 22), now, stages=stages, is_offline=True, say=lambda line: None), config)

    with open_work(home) as con:
        is_emptied = con.execute("select count(*) from meta where key = 'stale'").fetchone() == (1,)
    if is_emptied:
        with pytest.raises(StoreError, match="--stage detect"):
            run("publish")
        assert not config.published.exists()
    outcome = run("detect", "derive", "publish")
    assert outcome.status == "ok"
    with open_published(config.published) as con:
        assert con.execute("select count(*) > 100 from lifeline").fetchone() == (True,)
        assert con.execute("select count(*) from document").fetchone() == (2,)
        assert con.execute("select count(*) from jump where origin = 'detected'").fetchone() == (1,)
    with open_work(home) as con:
        assert {table: con.execute(f"select count(*) from {table}").fetchone() for table in before} == before
    assert is_emptied == (release != "0.1.0")
