"""What is worth telling, once, about the products somebody follows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from models import class_changes, digest
from models.digest import Facts, alerts, compose, fresh, is_quiet
from models.errors import SettingsError
from models.store import insert_rows, open_published
from tests.app import published

AS_OF = date(2026, 8, 22)


def retirement(days_left, **fields):
    """A switch-off so many days ahead."""
    row = {
        "product_id": "a",
        "jump_id": "j",
        "capabilities": "agents",
        "provider": "OpenAI",
        "release": "Assistants API",
        "summary": "",
    }
    return row | {"happened_on": AS_OF + timedelta(days=days_left), "source_url": "https://openai.example/x"} | fields


def facts(**rows):
    """Facts about products a and b."""
    return Facts(as_of=AS_OF, names={"a": "Alpha", "b": "Beta"}, **rows)


@pytest.mark.parametrize(
    ("days_left", "bucket", "urgency"),
    [(90, "90", "watch"), (31, "90", "watch"), (30, "30", "soon"), (8, "30", "soon"), (7, "7", "now"), (1, "7", "now")],
)
def test_a_switch_off_is_told_90_30_and_7_days_ahead(days_left, bucket, urgency):
    """Each of the three distances is a milestone of its own, with its urgency."""
    (alert,) = alerts(facts(retirements=[retirement(days_left)]), ["a"])
    assert alert.milestone == f"retirement:a:j:{bucket}"
    assert alert.urgency == urgency
    assert f"in {days_left} day" in alert.line


def test_one_switch_off_makes_three_messages_over_time():
    """Day by day from 100 days ahead to the end, exactly three digests name it; the far ones are not told after a near one."""
    told: set[str] = set()
    sent = []
    for days_left in range(100, -3, -1):
        rows = [retirement(days_left)] if 0 < days_left <= 90 else []
        for alert in fresh(alerts(facts(retirements=rows), ["a"]), told):
            told.add(alert.milestone)
            sent.append(days_left)
    assert sent == [90, 30, 7]
    late = alerts(facts(retirements=[retirement(40)]), ["a"])
    assert fresh(late, {"retirement:a:j:7"}) == []


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [
        ("12", "6", True),
        ("long", "12", True),
        ("6", "3", True),
        ("12", "6/12", True),
        ("6", "12", False),
        ("unsure", "3", False),
        ("6", "unsure", False),
        ("3", "3", False),
        ("6/12", "6", False),
    ],
)
def test_only_a_shorter_class_is_news(before, after, is_told):
    """A class that went down is told; one that went up, or is unsure on either side, is not."""
    rows = [{"product_id": "a", "before": before, "after": after, "happened_on": AS_OF}]
    assert bool(alerts(facts(class_changes=rows), ["a"])) is is_told


def test_only_followed_products_with_a_name_are_told():
    """Others, and those left out because they are private, stay unsaid."""
    rows = [retirement(5), retirement(5, product_id="b"), retirement(5, product_id="hidden")]
    assert {alert.product_id for alert in alerts(facts(retirements=rows), ["a", "hidden"])} == {"a"}


def test_the_most_urgent_comes_first_and_hostile_text_stays_text():
    """Now before soon before watch; a title cannot make links, pictures or HTML in the digest."""
    hostile = "[click](http://evil.example) <script>alert(1)</script> ![x](http://evil.example/p.png)\n# Head `code`"
    rows = [retirement(60), retirement(3, product_id="b", release=hostile, source_url="javascript:alert(1)")]
    found = alerts(facts(retirements=rows), ["a", "b"])
    assert [alert.urgency for alert in found] == ["now", "watch"]
    message = compose("mine", found, AS_OF)
    assert message.title == "Lifeline, mine: 2 changes for 2 products"
    assert "javascript:" not in message.body
    import markdown
    from markdown_it import MarkdownIt

    for render in (MarkdownIt("commonmark", {"html": True}).render, markdown.markdown):
        rendered = render(message.body)
        assert "<script" not in rendered
        assert "<img" not in rendered
        assert rendered.count("<a ") == 1  # the good address of the other alert
        assert "<h1" not in rendered


@pytest.mark.parametrize(
    ("hours", "hour", "expected"),
    [
        ("22-07", 23, True),
        ("22-07", 6, True),
        ("22-07", 7, False),
        ("22-07", 12, False),
        ("08-10", 8, True),
        ("08-10", 10, False),
        ("", 3, False),
        ("22-24", 23, True),
        ("5-5", 5, False),
    ],
)
def test_quiet_hours(hours, hour, expected):
    """Quiet hours may go over midnight; their end is not quiet any more."""
    assert is_quiet(datetime(2026, 8, 22, hour, tzinfo=UTC), hours) is expected


@pytest.mark.parametrize("hours", ["22", "a-b", "22-25", "-7", "22:00-07:00"])
def test_wrong_quiet_hours_are_named(hours):
    """A setting that is no pair of hours is said to be."""
    with pytest.raises(SettingsError, match="quiet_hours"):
        is_quiet(datetime(2026, 8, 22, tzinfo=UTC), hours)


def test_facts_come_from_the_published_file(tmp_path):
    """Decisive jumps, switch-offs ahead, class changes and proposed ends are found; private products only when asked for."""
    extra = {
        "proposal": [
            {
                "proposal_id": "p1",
                "kind": "end",
                "subject": "noteshell",
                "proposed_on": AS_OF,
                "reason": "Site gone",
                "status": "open",
            },
            {"proposal_id": "p2", "kind": "end", "subject": "agentco", "proposed_on": AS_OF, "reason": "x", "status": "rejected"},
        ],
        "change": [
            {
                "changed_at": datetime(2026, 8, 20, tzinfo=UTC),
                "relation": "lifeline",
                "key": "noteshell",
                "field": "lifeline_class",
                "before": "12",
                "after": "6",
                "why": "estimate",
            }
        ],
    }
    with open_published(published.write(tmp_path / "lifeline.duckdb", extra)) as con:
        public = digest.read_facts(con, include_private=False)
        whole = digest.read_facts(con, include_private=True)
    assert {alert.milestone for alert in alerts(public, public.names)} == {
        "decisive:agentco:openai-agents",
        "retirement:noteshell:openai-old-api:30",
        "class:noteshell:12>6:2026-08-20",
        "end:p1",
    }
    assert {alert.milestone for alert in alerts(whole, ["secretco"])} == {"decisive:secretco:openai-agents"}


def test_a_vendor_is_not_warned_of_its_own_switch_off(tmp_path):
    """The product of the platform that switches off, and one that builds on nobody's model, are not warned."""
    extra = {
        "product": [
            published.product("own", vendor="OpenAI"),
            published.product("independent", coupling=0),
            published.product("gone", outcome="acquired"),
        ],
        "product_job": [
            {"product_id": "own", "capability": "frontier_quality", "role": "depends_on", "share": 1.0},
            {"product_id": "independent", "capability": "frontier_quality", "role": "sells", "share": 1.0},
            {"product_id": "gone", "capability": "frontier_quality", "role": "depends_on", "share": 1.0},
        ],
    }
    with open_published(published.write(tmp_path / "lifeline.duckdb", extra)) as con:
        found = digest.read_facts(con, include_private=True)
    assert {row["product_id"] for row in found.retirements} == {"noteshell"}


def test_class_changes_are_noted_from_run_to_run(store):
    """The first class is no change, a new one is one change, the same again is none, and an earlier day tells nothing."""

    def estimate(kind, day):
        store.execute("delete from lifeline")
        insert_rows(store, "lifeline", [{"product_id": "a", "as_of": day, "lifeline_class": kind}])
        return class_changes.note(store, day)

    days = [AS_OF + timedelta(days=n) for n in range(4)]
    assert [estimate(kind, day) for kind, day in zip(["12", "6", "6", "3"], days, strict=True)] == [0, 1, 0, 1]
    assert estimate("long", AS_OF) == 0
    assert store.execute("select before, after from change order by changed_at").fetchall() == [("12", "6"), ("6", "3")]


def test_an_imported_switch_off_with_notice_is_told_ahead(store, tmp_path):
    """A row of jumps.csv that says since when it was known warns before its date, and not before its notice."""
    from models.catalogue import Catalogue, read_jumps, write_tables
    from models.detect.stage import detect
    from models.store import publish, set_as_of

    file = tmp_path / "jumps.csv"
    file.write_text(
        "jump_id,date,known_on,provider,capabilities,stage,reach,magnitude\n"
        "old-api-off,2026-10-01,2026-08-01,OpenAI,api_deprecation,retired,api,2\n"
    )
    products = [
        {"product_id": "a", "outcome": "alive", "launched_on": date(2023, 1, 1), "depends_on": ("frontier_quality",), "moats": ()}
    ]
    catalogue = Catalogue(products, read_jumps(file), [], "x")
    for as_of, told in [(date(2026, 7, 31), set()), (date(2026, 8, 22), {"retirement:a:old-api-off:90"})]:
        set_as_of(store, as_of)
        write_tables(store, catalogue)
        detect(store, catalogue, as_of)
        insert_rows(store, "lifeline", [{"product_id": "a", "as_of": as_of}], conflict="or replace")
        publish(store, tmp_path / "lifeline.duckdb")
        with open_published(tmp_path / "lifeline.duckdb") as con:
            found = digest.read_facts(con, include_private=False)
        assert {alert.milestone for alert in alerts(found, ["a"])} == told
