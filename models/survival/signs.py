"""Signs of life in the store: histories by product, the published activity table, and the states that the hazard reads.

A sign is an entry of a product's own feed or changelog, a release or a commit; what others write about it is counted beside, never as a
sign. Polled months are known from the first entry to the last whole month before the last successful poll; imported ones as the file says.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import TYPE_CHECKING

from models.store import insert_rows, replace_rows
from models.survival import months, silence

if TYPE_CHECKING:
    import duckdb

SIZES = ("small", "medium", "large", "huge")
COLUMN = {"documents": "n_documents", "releases": "n_releases", "commits": "n_commits"}
HORIZONS = (3, 6, 12)


def last_whole_month(as_of: date) -> int:
    """The last month that is over at the end of `as_of`."""
    m = months.index(as_of)
    return m if months.last_day(m) == as_of else m - 1


def read(con: duckdb.DuckDBPyConnection, as_of: date) -> list[silence.History]:
    """Histories of all products with activity known on `as_of`."""
    last_m = last_whole_month(as_of)
    rows = con.execute(
        "select product_id, month, sum(n), bool_or(origin = 'polled') from activity_count "
        "where known_at is null or known_at::date <= ? group by all order by all",
        [as_of],
    ).fetchall()
    imported: dict[str, dict[int, int]] = defaultdict(dict)
    polled: dict[str, dict[int, int]] = defaultdict(dict)
    is_polled = {product for product, _, _, poll in rows if poll}
    for product, month, n, _ in rows:
        (polled if product in is_polled else imported)[product][months.index(month)] = int(n)
    entered = _entered(con)
    out = silence.histories(imported, last_m, entered)
    ends = _polled_until(con, last_m)
    for product, counts in polled.items():
        last = ends.get(product, max(counts))
        out += silence.histories({product: counts | {last: counts.get(last, 0)}}, last_m, entered)
    return sorted(out, key=lambda one: one.product_id)


def _entered(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    rows = con.execute(
        "select product_id, greatest(launched_on, cohort_seen_on) from product where launched_on is not null"
    ).fetchall()
    return {product: months.index(day) for product, day in rows if day is not None}


def _polled_until(con: duckdb.DuckDBPyConnection, last_m: int) -> dict[str, int]:
    rows = con.execute(
        "select product_id, max(last_success_at)::date from source where product_id <> '' and last_success_at is not null group by all"
    ).fetchall()
    return {product: min(last_m, months.index(day) - 1) for product, day in rows}


def write(con: duckdb.DuckDBPyConnection, as_of: date, known: list[silence.History]) -> None:
    """Fill table activity and the temp tables that give the hazard each row's and each product's signs."""
    replace_rows(con, "activity", _activity_rows(con, as_of, known))
    con.execute("create or replace temp table sign_month (product_id varchar, m bigint, silent integer, small integer)")
    insert_rows(con, "sign_month", [row for one in known for row in _states(one)])
    # a row of month m may look at the state at the end of month m - 1 only
    con.execute(
        "create or replace temp table sign_row as select r.row_id, s.silent, s.small from wanted_row as r "
        "join sign_month as s on s.product_id = r.product_id and s.m = r.m - 1"
    )
    con.execute(
        "create or replace temp table sign_now as select product_id, silent, small from sign_month where m = ?",
        [last_whole_month(as_of)],
    )


def _states(one: silence.History) -> list[dict]:
    silent, size = silence.states(one.counts)
    return [
        {"product_id": one.product_id, "m": one.first_m + k, "silent": min(int(s), silence.RUN - 1), "small": int(z == 0)}
        for k, (s, z) in enumerate(zip(silent, size, strict=True))
        if s != silence.UNKNOWN
    ]


def _activity_rows(con: duckdb.DuckDBPyConnection, as_of: date, known: list[silence.History]) -> list[dict]:
    counted: dict[tuple[str, int], dict[str, int]] = defaultdict(dict)
    for product, month, kind, n in con.execute(
        "select product_id, month, kind, sum(n) from activity_count where month <= ? group by all", [as_of]
    ).fetchall():
        column = COLUMN.get(kind, "n_releases")
        cell = counted[product, months.index(month)]
        cell[column] = cell.get(column, 0) + int(n)
    for product, month, n in con.execute(_MENTIONS, [as_of]).fetchall():
        counted[product, months.index(month)]["n_mentions"] = int(n)
    named: dict[tuple[str, int], str] = {}
    for one in known:
        silent, size = silence.states(one.counts)
        for k, (s, z) in enumerate(zip(silent, size, strict=True)):
            if s != silence.UNKNOWN:
                named[one.product_id, one.first_m + k] = f"{s if s < silence.RUN else '6+'}:{SIZES[z]}"
    return [
        {
            "product_id": product,
            "month": months.first_day(m),
            **counted.get((product, m), {}),
            "state": named.get((product, m), "unknown"),
        }
        for product, m in sorted(counted.keys() | named.keys())
    ]


_MENTIONS = """
select mention.product_id, date_trunc('month', coalesce(document.published_at, document.first_seen_at))::date as month, count(*)
from (select document_id, unnest(products) as product_id from tagging where tagger = (select value from meta where key = 'tagger')) as mention
join product using (product_id)
join document using (document_id)
left join source using (source_id)
where document.first_seen_at::date <= ? and coalesce(source.product_id, '') <> mention.product_id
group by all
"""
