"""The report that a run leaves."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from flows.pipeline import Job, Outcome
from flows.run_report import Progress, markdown, summary

DAY = date(2026, 11, 22)


def test_a_report_tells_what_was_done_and_how_long_it_took():
    """Day, status, a line a stage with seconds and counts; zeros say nothing."""
    run = Progress("daily", DAY, {"ingest": {"new": 1200, "failed": 0}, "tag": {}}, {"ingest": 2.04, "tag": 1.0}, "r-1", "ok")
    assert markdown(run) == (
        "# daily: ok\n\nas of 2026-11-22, 3.0 s in 2 stages, run r-1\n\n"
        "| stage | seconds | what it did |\n|---|---:|---|\n| ingest | 2.0 | 1,200 new |\n| tag | 1.0 | nothing to do |\n"
    )
    assert summary(run) == "ok as of 2026-11-22"


def test_a_report_says_what_failed_in_words():
    """A stage that others do not need, sources that failed, and what stopped the run each have their line."""
    counts = {
        "ingest": {"failed": 2},
        "tag": {"failed": 1, "error": "there is no tagger"},
        "derive": {"failed": 1, "error": "no sun"},
    }
    page = markdown(Progress("daily", DAY, counts, error="no sun"))
    assert page.startswith("# daily: failed\n")
    assert "- the run stopped in derive: no sun\n" in page
    assert "- ingest: 2 failed; `lifeline status` names the sources\n" in page
    assert "- tag: there is no tagger\n" in page
    assert page.count("no sun") == 1


def test_foreign_words_stay_words():
    """Whatever a feed put into an error, the page shows it as text in its cell."""
    page = markdown(Progress("daily", DAY, {"tag": {"outcome": "a | b\n<script>*x*</script> [y](http://z)"}}))
    assert "| outcome: a \\| b &lt;script&gt;\\*x\\*&lt;/script&gt; \\[y\\](http://z) |" in page


@pytest.fixture
def reported(home, monkeypatch):
    """A run of one stage under `flows.daily`, without Prefect's server; the reports that it leaves."""
    from flows import daily

    def begin(stage, leave=None):
        def run(job, settings, call):
            return Outcome("r-1", job.as_of, "ok", {"derive": call("derive", stage)}, {"derive": 0.1})

        pages = []
        monkeypatch.setattr(daily, "run", run)
        monkeypatch.setattr(daily, "as_task", lambda name, stage: stage())
        monkeypatch.setattr(daily, "create_markdown_artifact", leave or (lambda page, **_: pages.append(page)))
        begin.pages = pages
        return daily.reported("daily", Job(DAY, datetime(2026, 11, 22, tzinfo=UTC)))

    return begin


def test_a_run_that_fails_leaves_a_report_as_well(reported):
    """The reason stands in it, and the failure goes on its way."""

    def broken():
        raise ValueError("no numbers today")

    with pytest.raises(ValueError, match="no numbers"):
        reported(broken)
    assert len(reported.pages) == 1
    assert "- the run stopped in derive: ValueError: no numbers today" in reported.pages[0]


def test_a_report_that_cannot_be_stored_fails_no_run(reported, capsys):
    """What the run did stays done, and the loss is one line."""

    def refuse(page, **_):
        raise ConnectionError("no server")

    assert reported(lambda: {"lifeline": 3}, refuse).status == "ok"
    assert "report of this run could not be stored: ConnectionError: no server" in capsys.readouterr().err
