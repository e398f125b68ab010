"""What if a jump came that has not happened? The same draws, paths and imputations with an edited table, so differences are not noise.

Works from the published file alone: the products in question are rebuilt in a store in memory with the jumps of the file, and the
posterior of the last run is read back; nothing is fitted and nothing written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from models import taxonomy
from models.catalogue.load import job_rows, moat_rows, product_row
from models.errors import NotPublishedError, UsageError
from models.store import open_memory
from models.survival import classes, data, explain, lifelines, model, months, overtaken, posterior, predict, priors, tables

if TYPE_CHECKING:
    import duckdb

MOST_PRODUCTS = 500
Row = dict[str, Any]


def run(
    con: duckdb.DuckDBPyConnection,
    product_ids: Sequence[str],
    capability: str,
    platform: str,
    on: date,
    *,
    stage_: str = "ga",
    reach: str = "consumer",
    magnitude: int = 3,
) -> list[Row]:
    """Lifelines before and after a jump on day `on`, for products of the published file; one dict per product, in the order asked.

    Each holds product_id, name, is_exposed, why, before and after (s3, s6, s12 with bounds, median_months, lifeline_class,
    overtaken_on), change_12 with its interval (difference of the same draws), and both curves as lists of 25 values.

    Raises
    ------
    UsageError
        for an unknown product, capability, stage, reach or magnitude, or a day that is past or over two years ahead.
    NotPublishedError
        when the last run fitted nothing.

    """
    prior, as_of = priors.load(), last_day(con)
    gross = weight(prior, capability, stage_, reach, magnitude)
    forward = forward_month(as_of, on)
    known = _known(con, product_ids)
    post = posterior.read(con)
    with _Memory(con, as_of, [known[key] for key in product_ids]) as memory:
        who = _subjects(memory, as_of, con)
        index = _living(who, product_ids, as_of)
        reached = _reached(memory, who, capability, platform, on, gross)
        extra = predict.Extra(forward, _sold(capability), reached.pop("step"), reached["retired"], reached["is_own"])
        before = predict.survival(who, post, lifelines.N_CURVE)
        after = predict.survival(who, post, lifelines.N_CURVE, extra=extra)
        earlier = dict(memory.execute("select product_id, overtaken_on from overtaken").fetchall())
        standing = lifelines.standings(memory)
        covered = _covered(memory, capability, gross >= prior.decisive_weight)

    def told(key: str) -> Row:
        i = index[key]
        later = earlier.get(key) or (on if key in covered and not reached["is_own"][i] else None)
        who_and_why = {"name": known[key]["name"], "is_exposed": bool(reached["is_hit"][i]), "why": reached["why"][i]}
        both = _both(before[:, i], after[:, i], standing[key], as_of, (earlier.get(key), later))
        return {"product_id": key, **who_and_why, **both}

    return [told(key) for key in product_ids]


def _living(who: data.Subjects, product_ids: Sequence[str], as_of: date) -> dict[str, int]:
    """Where each product stands among the subjects; all have to be alive."""
    index = {key: i for i, key in enumerate(who.product_id)}
    missing = [key for key in product_ids if key not in index or not who.is_alive[index[key]]]
    if missing:
        raise UsageError(f"{missing[0]} is not alive on {as_of}; a what-if needs a living product")
    return index


def _both(
    before: np.ndarray, after: np.ndarray, stand: classes.Standing, as_of: date, overtaken_on: tuple[date | None, date | None]
) -> Row:
    """One product on both sides of the jump, from curves of the same draws (draws, 25)."""
    return {
        "before": _summary(before[:, None], stand, as_of, overtaken_on[0]),
        "after": _summary(after[:, None], stand, as_of, overtaken_on[1]),
        "change_12": _interval(after[:, 12] - before[:, 12]),
        "curve_before": before.mean(axis=0).tolist(),
        "curve_after": after.mean(axis=0).tolist(),
    }


def private(con: duckdb.DuckDBPyConnection, row: Mapping[str, Any]) -> Row:
    """A lifeline for a product that is in no catalogue, from one row in the form of products.csv (typed values, lists as tuples).

    Returns the columns of relation lifeline that need no activity, with `curve` (rows of lifeline_curve), `factors` (rows of
    lifeline_factor) and `exposures` (rows of exposure). Nothing is stored.
    """
    as_of = last_day(con)
    launched = row.get("launched_on")
    if launched is None or launched > as_of:
        raise UsageError(f"launched_on is {launched}; give a day up to {as_of}, the day the estimate stands on")
    full = {"product_id": "private", **{k: v for k, v in row.items() if v not in (None, "")}, "outcome": "alive"}
    post = posterior.read(con)
    with _Memory(con, as_of, [product_row(full)], jobs=job_rows(full), moats=moat_rows(full)) as memory:
        who = _subjects(memory, as_of, con)
        told = lifelines.summaries(who, post)
        stand = lifelines.standings(memory)[who.product_id[0]]
        lost = explain.loss(who, post)
        factors = explain.factors(memory, who, post, lost) if stand.has_sells else []
        ahead = overtaken.forecast(memory, months.index(as_of), lifelines.HORIZONS).get(who.product_id[0])
        overtaken_on = dict(memory.execute("select product_id, overtaken_on from overtaken").fetchall()).get(who.product_id[0])
        exposures = [
            dict(zip(("jump_id", "capability", "role", "exposed_on", "weight", "is_decisive"), found, strict=True))
            for found in memory.execute(
                "select jump_id, capability, role, exposed_on, weight, is_decisive from reached order by exposed_on"
            ).fetchall()
        ]
    middle, low, high = told.middle[0], told.low[0], told.high[0]
    unsure = classes.why_unsure(replace(stand, last_alive_on=None), high[12] - low[12], as_of)
    counts = con.execute("select max(n_at_risk), max(n_ended), max(evidence) from lifeline").fetchall()[0]
    return {
        "product_id": who.product_id[0],
        "as_of": as_of,
        **lifelines.horizons(middle, low, high),
        "median_months": classes.median(middle),
        "safe_until_months": classes.safe_until(middle),
        "lifeline_class": "unsure" if unsure else classes.class_name(told.shares[0]),
        "overtaken_on": overtaken_on,
        **lifelines.overtaken_columns(ahead),
        **lifelines.lost_columns(stand, lost.total[0], told.lost[0]),
        "n_at_risk": counts[0],
        "n_ended": counts[1],
        "evidence": counts[2],
        "reason": unsure or "from what you entered and the last run's fit",
        "curve": lifelines.curve_rows(middle, low, high),
        "factors": sorted(factors, key=lambda factor: -abs(factor["lost_months"])),
        "exposures": exposures,
    }


def last_day(con: duckdb.DuckDBPyConnection) -> date:
    """The day the published lifelines stand on."""
    found = con.execute("select max(as_of) from lifeline").fetchall()[0][0]
    if found is None:
        raise NotPublishedError("the published file holds no lifelines yet; run `lifeline run` first")
    return found


def weight(prior: priors.Priors, capability: str, stage_: str, reach: str, magnitude: int) -> float:
    """Stage x reach x magnitude of the jump in question, every word checked."""
    choices = {"stage": stage_, "reach": reach, "magnitude": str(magnitude)}
    if capability not in taxonomy.load().capabilities:
        raise UsageError(f"{capability!r} is no capability; use one of {', '.join(taxonomy.load().capabilities)}")
    for kind, word in choices.items():
        if word not in prior.jump_weight[kind]:
            raise UsageError(f"{kind} {word!r} is not known; use one of {', '.join(prior.jump_weight[kind])}")
    if stage_ == "retired" and capability != "api_deprecation":
        raise UsageError("the end of a feature exposes nobody; use --capability api_deprecation for an interface that is retired")
    return float(np.prod([prior.jump_weight[kind][word] for kind, word in choices.items()]))


def forward_month(as_of: date, on: date) -> int:
    """In which of the 24 months ahead the day lies, from 0."""
    if on < as_of:
        raise UsageError(f"{on} is past: the estimate stands on {as_of}; give a day from then on")
    k = next((k for k in range(lifelines.N_CURVE) if on < months.add(as_of, k + 1)), None)
    if k is None:
        raise UsageError(f"{on} is more than {lifelines.N_CURVE} months after {as_of}; give an earlier day")
    return k


def _known(con: duckdb.DuckDBPyConnection, product_ids: Sequence[str]) -> dict[str, Row]:
    if not product_ids:
        raise UsageError("no product is named; give --product ID or --watchlist NAME")
    if len(product_ids) > MOST_PRODUCTS:
        raise UsageError(f"{len(product_ids)} products are too many for one what-if; name at most {MOST_PRODUCTS}")
    query = con.execute("select * from product where product_id in (select unnest(?::varchar[]))", [list(product_ids)])
    names = [column[0] for column in query.description]
    found = {row["product_id"]: row for row in (dict(zip(names, values, strict=True)) for values in query.fetchall())}
    missing = [key for key in product_ids if key not in found]
    if missing:
        raise UsageError(
            f"{missing[0]!r} is no product of the published file; `lifeline sql 'select product_id from product'` lists them"
        )
    return found


class _Memory:
    """A store in memory with the jumps of the published file and the given products, its tables built for the day."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        as_of: date,
        products: Sequence[Mapping],
        *,
        jobs: Sequence[Row] | None = None,
        moats: Sequence[Row] = (),
    ) -> None:
        self.con, self.as_of, self.products, self.jobs, self.moats = con, as_of, products, jobs, moats

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self.memory = memory = open_memory()
        for name in ("jump", "jump_capability"):
            _copy(self.con, memory, name, f"select * from {name}")
        ids = [row["product_id"] for row in self.products]
        if self.jobs is None:
            for name in ("product", "product_job", "product_moat"):
                _copy(self.con, memory, name, f"select * from {name} where product_id in (select unnest(?::varchar[]))", [ids])
        else:
            from models.store import insert_rows

            for name, rows in (
                ("product", list(self.products)),
                ("product_job", list(self.jobs)),
                ("product_moat", list(self.moats)),
            ):
                insert_rows(memory, name, rows)
        tables.build(memory, self.as_of, priors.load())
        memory.execute("create or replace temp table sample_weight as select product_id, 1.0 as weight from period")
        tables.build_exposures(memory)
        return memory

    def __exit__(self, *_: object) -> None:
        self.memory.close()


def _copy(
    source: duckdb.DuckDBPyConnection, target: duckdb.DuckDBPyConnection, name: str, query: str, parameters: Sequence[Any] = ()
) -> None:
    table = source.sql(query, params=list(parameters) or None).to_arrow_table()
    wanted = {
        row[0]
        for row in target.execute(
            f"select column_name from duckdb_columns() where table_name = '{name}' and schema_name = 'main'"
        ).fetchall()
    }
    shared = [column for column in table.column_names if column in wanted]
    target.register("incoming", table.select(shared))
    target.execute(f"insert into {name} by name select {', '.join(shared)} from incoming")
    target.unregister("incoming")


def _subjects(memory: duckdb.DuckDBPyConnection, as_of: date, con: duckdb.DuckDBPyConnection) -> data.Subjects:
    from models.survival.signs import SIZES, last_whole_month

    who = data.subjects(memory, as_of, use_moats=True)
    states = con.execute(
        "select product_id, state from activity where month = ? and product_id in (select unnest(?::varchar[]))",
        [months.first_day(last_whole_month(as_of)), list(who.product_id)],
    ).fetchall()
    silent, small = who.silent.copy(), who.small.copy()
    where = {key: i for i, key in enumerate(who.product_id)}
    for key, state in states:
        if ":" in (state or ""):
            n, size = state.split(":")
            silent[where[key]], small[where[key]] = min(int(n.rstrip("+")), 5), float(size == SIZES[0])
    return replace(who, silent=silent, small=small)


def _sold(capability: str) -> tuple[int, ...]:
    return () if capability == "api_deprecation" else (data.capability_index()[capability],)


def _reached(
    memory: duckdb.DuckDBPyConnection, who: data.Subjects, capability: str, platform: str, on: date, gross: float
) -> Row:
    """Whom the jump reaches: its step after what the platform gave before, shares that a deprecation hits, reasons."""
    key = _provider_key(memory, platform)
    earlier = memory.execute(
        "select coalesce(max(gross), 0) from jump_step where provider_key = ? and capability = ? and happened_on >= ?::date - interval 6 month",
        [key, capability, on],
    ).fetchall()[0][0]
    vendor = dict(memory.execute("select product_id, vendor_key from period").fetchall())
    is_own = np.array([bool(key) and vendor[product] == key for product in who.product_id])
    role, label = ("any", "frontier_quality") if capability == "api_deprecation" else ("sells", capability)
    share = dict(
        memory.execute(
            "select product_id, max(share) from job_period where capability = ? and not is_guess and (? = 'any' or role = ?) group by 1",
            [label, role, role],
        ).fetchall()
    )
    hit = np.array([product in share for product in who.product_id]) & ~is_own
    step = max(0.0, gross - float(earlier))
    verb = "needs or sells what is retired" if capability == "api_deprecation" else f"sells {capability}"
    why = [
        "the platform's own product"
        if own
        else verb
        if got
        else f"does not {verb.replace('sells', 'sell').replace('needs', 'need')}"
        for own, got in zip(is_own, hit, strict=True)
    ]
    retired = (
        np.array([share.get(product, 0.0) * step for product in who.product_id]) * hit
        if capability == "api_deprecation"
        else np.zeros(who.n)
    )
    return {"step": step, "retired": retired, "is_own": is_own, "is_hit": hit & (step > 0), "why": why}


def _provider_key(memory: duckdb.DuckDBPyConnection, platform: str) -> str:
    found = memory.execute("select provider_key from provider_alias where name = lower(trim(?))", [platform]).fetchall()
    return found[0][0] if found else platform.strip().lower()


def _covered(memory: duckdb.DuckDBPyConnection, capability: str, is_decisive: bool) -> set[str]:
    """Products of whose jobs half would be covered if the jump is decisive."""
    if not is_decisive:
        return set()
    rows = memory.execute(
        "select j.product_id from job_period as j where j.role = 'sells' and not j.is_guess group by 1 "
        "having sum(case when j.capability = ? or exists (select 1 from jump_step as s where s.capability = j.capability and s.is_decisive "
        "and s.happened_on >= j.launch_on and not (s.provider_key <> '' and s.provider_key = j.vendor_key)) then j.share else 0 end) >= 0.5 - 1e-9 "
        "and bool_or(j.capability = ?)",
        [capability, capability],
    ).fetchall()
    return {row[0] for row in rows}


def _summary(curves: np.ndarray, stand: classes.Standing, as_of: date, overtaken_on: date | None) -> Row:
    middle, low, high = (part[0] for part in model.mean_curve(curves))
    unsure = classes.why_unsure(stand, high[12] - low[12], as_of)
    return {
        **lifelines.horizons(middle, low, high),
        "median_months": classes.median(middle),
        "lifeline_class": "unsure" if unsure else classes.class_name(classes.class_shares(curves)[0]),
        "overtaken_on": overtaken_on,
    }


def _interval(values: np.ndarray) -> Row:
    low, high = np.quantile(values, [0.05, 0.95])
    return {"middle": float(values.mean()), "low": float(low), "high": float(high)}
