"""Homes with a published file: the shipped catalogue or made-up products, with made-up estimates, through the real store."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from models import catalogue, store, taxonomy
from models.detect.stage import detect

AS_OF = date(2026, 8, 22)
NOW = datetime(2026, 8, 22, 6, 0, tzinfo=UTC)
ENDED = ("shut_down", "acquired", "pivoted")
HOSTILE = "<script>alert(1)</script>[x](javascript:alert(1)) **bold** $a_1$ :red[y] ![i](http://evil.example/p.png)"


def publish(home: Path, *, n_products: int = 0, hostile: bool = False) -> Path:
    """A home whose published file holds the shipped catalogue (or `n_products` made-up ones) and estimates drawn from a fixed seed."""
    with store.open_work(home) as con:
        facts = catalogue.load()
        if n_products:
            facts = catalogue.Catalogue(_products(n_products), facts.jumps, facts.sources, "made-up")
        fill(con, facts, hostile=hostile)
        store.publish(con, home / "lifeline.duckdb")
    return home


def publish_empty(home: Path) -> Path:
    """A home whose published file has every relation and no row."""
    with store.open_work(home) as con:
        store.publish(con, home / "lifeline.duckdb")
    return home


def fill(con: Any, facts: catalogue.Catalogue, *, hostile: bool) -> None:
    """Every table that pages read, through the store's own door."""
    draw = random.Random(7)
    catalogue.write_tables(con, facts)
    detect(con, facts, AS_OF)
    con.execute("update jump set weight = magnitude / 3 * if(stage = 'ga', 1, 0.5)")
    newest = con.execute("select jump_id from jump order by happened_on desc, jump_id limit 1").fetchone()[0]
    _expose(con)
    living = [row for row in facts.products if row["outcome"] in ("alive", "acquired_running")]
    store.replace_rows(con, "lifeline", [_lifeline(row, draw) for row in living])
    curves = [row for product in living for row in _curve(product["product_id"])]
    store.replace_rows(con, "lifeline_curve", curves)
    con.execute("""
        insert into lifeline_factor
        select product_id, as_of, 'jump', jump_id, lost_months / 2, lost_months / 2
        from lifeline join exposure using (product_id) where role = 'sells'
        qualify row_number() over (partition by product_id order by exposed_on desc, jump_id) <= 2""")
    con.execute("update lifeline set overtaken_on = spell.overtaken_on from spell where spell.product_id = lifeline.product_id")
    con.execute(
        "update lifeline set p_overtaken_3 = null, p_overtaken_6 = null, p_overtaken_12 = null where overtaken_on is not null"
    )
    _documents(con, newest, facts, hostile=hostile)
    _history(con, living, draw)


def _expose(con: Any) -> None:
    con.execute("""
        insert into exposure
        select product_id, jump_id, capability, role, happened_on, jump.weight, jump.weight >= 0.9
        from product join product_job using (product_id) join jump_capability using (capability) join jump using (jump_id)
        where happened_on >= launched_on and (ended_on is null or happened_on < ended_on) and vendor is distinct from provider""")
    con.execute("""
        insert into spell
        select product_id, launched_on, coalesce(ended_on, last_alive_on, date '2026-08-22'), outcome in ('shut_down', 'acquired', 'pivoted'), outcome,
            date_diff('month', launched_on, coalesce(ended_on, date '2026-08-22')),
            (select date_trunc('month', min(exposed_on)) from exposure as hit where hit.product_id = product.product_id and is_decisive and hash(product.product_id) % 3 = 0), 1
        from product where launched_on is not null and coalesce(outcome, '') <> ''""")


def _lifeline(row: dict, draw: random.Random) -> dict:
    s12 = draw.uniform(0.55, 0.96)
    s = {3: s12**0.25, 6: s12**0.5, 12: s12}
    chances = {
        f"s{months}{end}": min(max(value + shift * months / 12, 0), 1)
        for months, value in s.items()
        for end, shift in (("", 0), ("_low", -0.15), ("_high", 0.1))
    }
    p = draw.uniform(0.05, 0.6)
    return {
        "product_id": row["product_id"], "as_of": AS_OF, **chances, "median_months": None, "safe_until_months": int(s12 * 20),
        "lifeline_class": draw.choice(["long", "long", "12/long", "12", "unsure"]), "reason": "made up for a test",
        "p_overtaken_3": p / 4, "p_overtaken_6": p / 2, "p_overtaken_12": p, "p_shut_down_12": (1 - s12) / 2, "p_acquired_12": (1 - s12) / 4,
        "p_pivoted_12": (1 - s12) / 4, "silent_since": date(2026, 1, 1) if draw.random() < 0.1 else None, "p_silent_3": p / 9, "p_silent_6": p / 5,
        "p_silent_12": p / 3, "lost_months": p, "lost_months_low": p / 2, "lost_months_high": 2 * p, "n_at_risk": 180, "n_ended": 96, "evidence": "data",
    }  # fmt: skip


def _curve(product_id: str) -> Iterable[dict]:
    for months in range(25):
        survival = 0.985**months
        yield {
            "product_id": product_id,
            "as_of": AS_OF,
            "months": months,
            "survival": survival,
            "low": survival**1.6,
            "high": survival**0.6,
        }


def _documents(con: Any, jump_id: str, facts: catalogue.Catalogue, *, hostile: bool) -> None:
    """Three documents of one jump; hostile ones carry scripts, formulas and addresses that are none."""
    title = HOSTILE if hostile else "A release"
    store.insert_rows(
        con,
        "source",
        [
            {
                **{key: row.get(key) for key in ("source_id", "title", "kind", "url", "site", "provider", "lang")},
                "is_active": True,
                "tier": "official",
                "health": "fine" if n % 4 else "failing",
                "last_error": None if n % 4 else ("=cmd()" + HOSTILE if hostile else "status 503"),
                "n_failures": 0 if n % 4 else 3,
            }
            for n, row in enumerate(facts.sources)
        ],
    )
    source_id = facts.sources[0]["source_id"]
    rows = [
        {
            "document_id": f"d{n}",
            "source_id": source_id,
            "url": ["https://example.org/a", "javascript:alert(1)", "https://example.org/)b"][n],
            "title": f"=1+1 {title}",
            "text": title,
            "lang": "en",
            "published_at": NOW,
            "first_seen_at": NOW,
        }
        for n in range(3)
    ]
    store.insert_rows(con, "document", rows)
    store.insert_rows(
        con,
        "document_source",
        [{"document_id": row["document_id"], "source_id": source_id, "first_seen_at": NOW} for row in rows],
    )
    con.execute("insert or replace into meta values ('tagger', 'test')")
    store.insert_rows(
        con,
        "tagging",
        [
            {
                "document_id": f"d{n}",
                "tagger": "test",
                "event_kind": "capability_jump",
                "kind_score": 0.9,
                "provider": "OpenAI",
                "magnitude": 2,
            }
            for n in range(3)
        ],
    )
    store.insert_rows(
        con,
        "tagging_label",
        [
            {
                "document_id": f"d{n}",
                "tagger": "test",
                "capability": label,
                "score": 0.8 - n / 10,
                "evidence": f"Sentence. {title}",
            }
            for n in range(3)
            for label in ("vision_input", "coding")
        ],
    )
    store.replace_rows(
        con, "jump_document", [{"jump_id": jump_id, "document_id": f"d{n}", "is_canonical": n == 0} for n in range(3)]
    )
    store.replace_rows(
        con,
        "proposal",
        [
            {
                "proposal_id": "p1",
                "kind": "end",
                "subject": facts.products[0]["product_id"],
                "fields": '{"outcome": "shut_down"}',
                "document_ids": ["d0"],
                "proposed_on": AS_OF,
                "reason": title,
                "status": "open",
            }
        ],
    )
    con.execute("update jump set origin = 'detected', is_confirmed = false where jump_id = ?", [jump_id])
    if hostile:
        con.execute(
            "update jump set summary = ?, release = ?, source_url = 'javascript:alert(1)' where jump_id = ?",
            [HOSTILE, HOSTILE, jump_id],
        )
        con.execute(
            "update product set name = ?, note = ?, vendor = ?, category = ?, homepage = 'javascript:alert(1)' where product_id = ?",
            [HOSTILE, HOSTILE, HOSTILE, HOSTILE, facts.products[0]["product_id"]],
        )


def _history(con: Any, living: list[dict], draw: random.Random) -> None:
    """Forecasts of two days, signs of life, scores, a run."""
    said = [
        (made_on, row["product_id"], months, draw.uniform(0.7, 0.99))
        for made_on in (date(2025, 8, 1), AS_OF)
        for row in living[:400]
        for months in (3, 6, 12)
    ]
    store.insert_rows(
        con,
        "forecast",
        [
            {
                "product_id": product_id,
                "made_on": made_on,
                "horizon_months": months,
                "survival": p,
                "low": p - 0.2,
                "high": min(p + 0.1, 1),
                "method_version": "1",
            }
            for made_on, product_id, months, p in said
        ],
        conflict="or ignore",
    )
    months = [date(2025, month, 1) for month in range(1, 13)] + [date(2026, month, 1) for month in range(1, 9)]
    store.replace_rows(
        con,
        "activity",
        [
            {
                "product_id": row["product_id"],
                "month": month,
                "n_documents": draw.randrange(4),
                "n_releases": draw.randrange(3),
                "n_commits": draw.randrange(30),
                "n_mentions": draw.randrange(5),
                "state": "0:small",
            }
            for row in living[:300]
            for month in months
        ],
    )
    store.replace_rows(
        con,
        "accuracy",
        [
            {
                "origin_on": date(2024 + q // 4, q % 4 * 3 + 1, 1),
                "horizon_months": h,
                "method": "hazard",
                "n": 150 + q,
                "n_ended": 4 + h,
                "brier": 0.05,
                "brier_life_table": 0.052 + q / 900,
                "auc": 0.6,
                "slope": 0.9,
                "oe": 1.1,
            }
            for q in range(8)
            for h in (3, 6, 12)
        ],
    )
    store.replace_rows(
        con, "finding", [{"key": "verdict_on_jumps", "value": '{"en": "No sign either way.", "zh": "看不出方向。"}'}]
    )
    store.insert_rows(
        con,
        "run",
        [
            {
                "run_id": "r1",
                "as_of": AS_OF,
                "started_at": NOW,
                "finished_at": NOW,
                "status": "ok",
                "tagger": "test",
                "catalogue_hash": "c",
                "method_version": "1",
                "counts": "{}",
            }
        ],
    )


def _products(n: int) -> list[dict]:
    """`n` made-up products; every tenth has ended."""
    draw = random.Random(3)
    labels = taxonomy.load().capabilities
    return [
        {
            "product_id": f"product-{number:05}", "name": f"Product {number}", "vendor": f"Vendor {number % 90}", "homepage": "https://example.org",
            "category": f"category {number % 30}", "launched_on": date(2021 + number % 5, 1 + number % 12, 1), "launched_precision": "day",
            "outcome": "shut_down" if number % 10 == 0 else "alive", "ended_on": date(2026, 3, 1) if number % 10 == 0 else None,
            "sells": tuple(draw.sample(labels, 2)), "depends_on": ("frontier_quality",), "segment": taxonomy.SEGMENTS[number % 4],
            "wrapper_tier": 1 + number % 5, "coupling": number % 4, "moats": (),
        }
        for number in range(n)
    ]  # fmt: skip
