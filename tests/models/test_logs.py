"""One line a step, nobody else's line, and no secret in it."""

from __future__ import annotations

import io
import json
import re

import pytest

from models import logs, settings
from models.errors import SettingsError


@pytest.fixture
def lines(home):
    """Configure with settings and get back what was written."""
    stream = io.StringIO()

    def configured(environ=None, **given):
        values = {"LIFELINE_HOME": str(home)} | {f"LIFELINE_{name.upper()}": value for name, value in given.items()}
        logs.configure(settings.load(values), stream, environ or {})
        return lambda: stream.getvalue().splitlines()

    yield configured
    logs.configure(settings.load({"LIFELINE_HOME": str(home)}))


HOSTILE = 'x\nfake line level=error\r\x1b[31m\u2028"} \x00 run_id=forged'


def test_json_lines_hold_the_fields(lines):
    """One JSON object a line: when, how grave, what, and the fields of the event and of its run."""
    written = lines(log="json")
    logs.bind(run_id="r1")
    logs.event("stage.done", stage="tag", seconds=1.5, n_tagged=3, none=None)
    (line,) = written()
    told = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", told.pop("at"))
    assert told == {
        "event": "stage.done",
        "level": "info",
        "stage": "tag",
        "seconds": 1.5,
        "n_tagged": 3,
        "none": None,
        "run_id": "r1",
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_hostile_text_forges_neither_line_nor_field(lines, form):
    """Line breaks, escapes and separators inside a value stay inside it, on one line of plain characters."""
    written = lines(log=form)
    logs.event("source.failed", "warning", error=HOSTILE, **{"na\nme": 1})
    (line,) = written()
    assert line.isprintable()
    assert "\x1b" not in line
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
    assert "forged" not in outside
    assert "fake" not in outside


def test_text_lines_are_read_from_left_to_right(lines):
    """When, level and event come first; words with blanks stand in quotes; nested counts get dotted names."""
    written = lines(log="text")
    logs.bind()
    logs.event("run.ended", status="ok", purpose="the daily pipeline", counts={"new": 3}, is_late=False, error=None)
    (line,) = written()
    assert line.split(" ", 1)[1] == 'info run.ended status=ok purpose="the daily pipeline" counts.new=3 is_late=false error=""'


def test_no_secret_gets_through(lines):
    """Addresses of messages, credentials and queries of web addresses, and what the environment calls a secret are masked."""
    written = lines(
        {"PREFECT_API_AUTH_STRING": "admin:hunter22", "DB_PASSWORD": "pa55word!"},
        log="json",
        notify_urls="slack://tokenA/tokenB https://hooks.example/services/T111/B222/c333",
    )
    logs.event(
        "x",
        error="at slack://tokenA/tokenB and mailto://me:pw@host?to=you and https://u:p@site.example/feed?key=abc#frag",
        also=[
            "pa55word!",
            "admin:hunter22",
            "https://hooks.example/services/T111/B222/c333",
            "postgresql://lifeline:pg@db/prefect",
        ],
    )
    (line,) = written()
    for secret in ("tokenA", "me:pw", "u:p@", "abc", "hunter22", "pa55word!", "T111", "pg@"):
        assert secret not in line
    assert "https://site.example/feed?***" in line


def test_off_by_default_and_levels_filter(lines):
    """Nothing is written unless asked for, and nothing below the level."""
    written = lines()
    logs.event("x", "error")
    assert written() == []
    written = lines(log="text", log_level="warning")
    logs.event("a")
    logs.event("b", "warning")
    assert [line.split(" ")[2] for line in written()] == ["b"]


@pytest.mark.parametrize("given", [{"log": "xml"}, {"log_level": "loud"}])
def test_a_wrong_setting_is_named(lines, given):
    """A form or level there is none of is an error of the settings."""
    with pytest.raises(SettingsError, match="use one of"):
        lines(**given)


def test_a_stream_that_is_gone_harms_nobody(lines, home):
    """A closed standard error ends the log, not the run."""
    stream = io.StringIO()
    logs.configure(settings.load({"LIFELINE_HOME": str(home), "LIFELINE_LOG": "text"}), stream, {})
    stream.close()
    logs.event("x")
    logs.event("y")
