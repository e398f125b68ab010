"""The SQL side of survival: weights of jumps, exposure, the overtaken clock, person-period rows; all as known on a day."""

from __future__ import annotations

from datetime import date

import pytest

from models.store import insert_rows
from models.survival import priors, tables, weights

AS_OF = date(2025, 1, 15)


def a_product(con, product_id="p", *, sells=("coding",), depends_on=(), **fields):
    """A product alive since 2023-01-10 unless told otherwise, with its jobs."""
    row = {
        "product_id": product_id,
        "name": product_id,
        "launched_on": date(2023, 1, 10),
        "launched_precision": "day",
        "outcome": "alive",
        **fields,
    }
    insert_rows(con, "product", [row])
    roles = [("sells", sells), ("depends_on", depends_on)]
    insert_rows(
        con,
        "product_job",
        [{"product_id": product_id, "capability": c, "role": r, "share": 1 / len(cs)} for r, cs in roles for c in cs],
    )


def a_jump(con, jump_id, happened_on, *, capabilities=("coding",), **fields):
    """A decisive jump unless told otherwise."""
    row = {
        "jump_id": jump_id,
        "happened_on": happened_on,
        "known_on": happened_on,
        "provider": "OpenAI",
        "stage": "ga",
        "reach": "consumer",
        "magnitude": 3,
    }
    insert_rows(con, "jump", [row | fields])
    insert_rows(con, "jump_capability", [{"jump_id": jump_id, "capability": c, "share": 1.0} for c in capabilities])


def build(con, as_of=AS_OF, **options):
    tables.build(con, as_of, priors.load(), **options)


def fetch(con, query):
    return con.execute(query).fetchall()


def test_a_later_stage_of_one_story_adds_only_its_increase(store):
    """Preview then general availability within six months weigh 1 together, and a repeat adds nothing."""
    a_product(store)
    a_jump(store, "preview", date(2023, 3, 1), stage="preview")
    a_jump(store, "ga", date(2023, 5, 1))
    a_jump(store, "repeat", date(2023, 6, 1))
    build(store)
    assert fetch(store, "select jump_id, step from jump_step order by happened_on") == [
        ("preview", 0.5),
        ("ga", 0.5),
        ("repeat", 0.0),
    ]


def test_without_a_provider_every_jump_is_its_own_story(store):
    """A file without providers cannot know which jumps are one story."""
    a_product(store)
    a_jump(store, "one", date(2023, 3, 1), provider=None)
    a_jump(store, "two", date(2023, 4, 1), provider=None)
    build(store)
    assert fetch(store, "select step from jump_step") == [(1.0,), (1.0,)]


def test_a_vendor_is_not_exposed_to_its_own_jump(store):
    """Neither linked nor overtaken by what it ships itself, under any of its names."""
    a_product(store, "own", vendor="OpenAI")
    a_product(store, "other", vendor="Somebody")
    a_jump(store, "j", date(2023, 3, 1), provider="OpenAI")
    build(store)
    assert fetch(store, "select product_id from reached") == [("other",)]
    assert fetch(store, "select product_id, overtaken_on from overtaken order by 1") == [
        ("other", date(2023, 3, 1)),
        ("own", None),
    ]


def test_a_jump_before_the_launch_is_no_exposure(store):
    """What was there at launch is not what overtook the product."""
    a_product(store)
    a_jump(store, "j", date(2023, 1, 9))
    build(store)
    assert fetch(store, "from reached") == []


def test_overtaken_needs_half_of_what_is_sold(store):
    """One of three jobs is not enough; the second decisive jump dates it."""
    a_product(store, sells=("coding", "memory", "translation"))
    a_jump(store, "a", date(2023, 3, 1))
    a_jump(store, "b", date(2023, 7, 1), capabilities=("memory",))
    build(store)
    assert fetch(store, "select overtaken_on from overtaken") == [(date(2023, 7, 1),)]


def test_a_retirement_acts_only_as_a_deprecation(store):
    """The end of a feature exposes nobody; the end of an interface exposes who needs what went."""
    a_product(store, depends_on=("frontier_quality",))
    a_jump(store, "feature", date(2023, 3, 1), stage="retired")
    a_jump(store, "interface", date(2023, 4, 1), stage="retired", capabilities=("api_deprecation",))
    build(store)
    assert fetch(store, "select jump_id, capability from reached") == [("interface", "api_deprecation")]


def test_what_was_not_known_yet_does_not_exist(store):
    """Jumps and ends count from the day they could be known."""
    a_product(store, "gone", outcome="shut_down", ended_on=date(2024, 6, 1), ended_known_on=date(2024, 6, 1))
    a_jump(store, "later", date(2024, 5, 1), known_on=date(2024, 8, 1))
    build(store, date(2024, 5, 31))
    assert fetch(store, "select is_ended, exited_on from period") == [(False, date(2024, 5, 31))]
    assert fetch(store, "from reached") == []


def test_an_undated_end_is_spread_over_its_window(store):
    """The rows of the window carry shares of one end and a falling chance to be at risk."""
    a_product(
        store, outcome="shut_down", last_alive_on=date(2023, 10, 1), gone_by=date(2024, 1, 31), ended_known_on=date(2024, 1, 31)
    )
    build(store)
    rows = fetch(store, "select n_event, n_risk from person_period where is_spread order by m")
    assert [row[0] for row in rows] == pytest.approx([0.25] * 4)
    assert [row[1] for row in rows] == pytest.approx([1, 0.75, 0.5, 0.25])


def test_delayed_entry_counts_from_the_later_of_launch_and_list(store):
    """A product is at risk from the day its list was dated, and a catalogue's start delays everybody."""
    a_product(store, "listed", cohort="L23", cohort_seen_on=date(2023, 6, 1))
    build(store)
    assert fetch(store, "select entered_on from period") == [(date(2023, 6, 1),)]
    build(store, catalogue_start=date(2023, 9, 1))
    assert fetch(store, "select entered_on, min(m) from period join person_period using (product_id) group by all") == [
        (date(2023, 9, 1), 32)
    ]


def test_running_sums_agree_with_the_links(store):
    """The exposure of a row equals the discounted sum of its links."""
    a_product(store, sells=("coding", "memory"), vendor="Google")
    for i, (provider, capability, stage) in enumerate(
        [("OpenAI", "coding", "preview"), ("Google", "coding", "ga"), ("OpenAI", "coding", "ga"), ("Meta", "memory", "ga")]
    ):
        a_jump(store, f"j{i}", date(2023, 2 + i, 5), provider=provider, capabilities=(capability,), stage=stage, magnitude=2)
    build(store)
    tables.build_exposures(store)
    direct = fetch(
        store,
        "select r.row_id, l.capability, sum(l.weight * pow(2, -(r.m - (12 * (year(l.exposed_on) - 2021) + month(l.exposed_on) - 1)) / 6)) "
        "from wanted_row as r join reached as l on 12 * (year(l.exposed_on) - 2021) + month(l.exposed_on) - 1 <= r.m group by all order by all",
    )
    summed = fetch(store, "select row_id, capability, x from sold_exposure order by all")
    assert [row[:2] for row in summed] == [row[:2] for row in direct]
    assert [row[2] for row in summed] == pytest.approx([row[2] for row in direct])


def test_the_known_dead_weigh_so_that_the_rest_has_the_cohorts_hazard(store):
    """Famous deaths must not lift the level; w solves the balance of the two groups."""
    for i in range(40):
        a_product(store, f"c{i}", cohort="L23", cohort_seen_on=date(2023, 2, 1))
        a_product(store, f"a{i}")
    for i in range(60):
        a_product(store, f"d{i}", outcome="shut_down", ended_on=date(2024, 1, 15), ended_known_on=date(2024, 1, 15))
    build(store)
    w = weights.write(store, priors.load())
    assert 0.05 <= w < 0.3
    assert fetch(store, "select distinct weight from sample_weight order by 1") == [(pytest.approx(w),), (1.0,)]
