"""The estimator: outside oracles, made-up worlds with a known truth, what must always hold, and files at the edge."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from models import catalogue
from models.errors import UsageError
from models.store import open_memory
from models.survival import backtest, estimate, fit, load, months, nonparametric, priors, scores, silence, stage, whatif
from models.survival.data import Rows
from models.survival.design import Terms
from tests.models import worlds

START = {"catalogue_start": worlds.CATALOGUE_START.isoformat()}


def rng():
    return np.random.default_rng(7)


def spells(n=300):
    """Random spells with delayed entry and three outcomes."""
    r = rng()
    entry = r.uniform(0, 10, n)
    leave = entry + r.exponential(12, n)
    return entry, leave, r.choice([-1, 0, 1, 2], n, p=[0.4, 0.3, 0.2, 0.1])


def test_kaplan_meier_agrees_with_lifelines():
    """With delayed entry, at every end time."""
    from lifelines import KaplanMeierFitter

    entry, leave, outcome = spells()
    ours = nonparametric.curve(entry, leave, outcome, np.ones(len(entry)), 3)
    theirs = KaplanMeierFitter().fit(leave, outcome >= 0, entry=entry).survival_function_at_times(ours.times).to_numpy()
    assert ours.survival == pytest.approx(theirs, abs=1e-9)


def test_aalen_johansen_agrees_with_lifelines():
    """The chance of each outcome, with delayed entry; the three and survival sum to one."""
    from lifelines import AalenJohansenFitter

    entry, leave, outcome = spells()
    ours = nonparametric.curve(entry, leave, outcome, np.ones(len(entry)), 3)
    for k in range(3):
        fitter = AalenJohansenFitter(calculate_variance=False).fit(leave, outcome + 1, event_of_interest=k + 1, entry=entry)
        theirs = fitter.cumulative_density_.iloc[:, 0].reindex(ours.times, method="ffill").to_numpy()
        assert ours.incidence[:, k] == pytest.approx(theirs, abs=1e-9)
    assert ours.incidence.sum(axis=1) + ours.survival == pytest.approx(1)


def test_a_flat_fit_agrees_with_statsmodels():
    """With priors too wide to matter the mode is the maximum likelihood of a weighted binomial regression, to 1e-8."""
    import statsmodels.api as sm

    r = rng()
    x = np.column_stack([np.ones(3000), r.normal(size=(3000, 3))])
    y = (r.random(3000) < 1 / (1 + np.exp(-(x @ [-2, 0.5, -0.3, 0.1])))).astype(float)
    w = r.uniform(0.2, 2, 3000)
    sample = fit.Sample(x, y, np.ones(3000), w, np.arange(3000))
    ours = fit.newton(sample, np.zeros(4), np.full(4, 1e-12), np.zeros(4), tolerance=1e-13)
    theirs = sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=w).fit(tol=1e-14, maxiter=100).params
    assert ours == pytest.approx(theirs, abs=1e-8)


def test_the_chord_finds_the_same_mode_as_newton():
    """The cheap steps of the mixture end where full Newton ends."""
    r = rng()
    x = np.column_stack([np.ones(2000), r.normal(size=(2000, 2))])
    y = (r.random(2000) < 0.1).astype(float)
    rows = Rows(np.arange(2000), *[np.zeros(2000)] * 2, np.ones(2000), y, np.zeros(2000, bool), np.ones(2000), *[np.zeros(0)] * 7)
    terms = Terms(
        ("level", "a", "b"),
        np.array([-2.0, 0.3, 0.3]),
        np.array([1.0, 0.2, 0.2]),
        np.zeros(3),
        np.array([], int),
        np.array([False, True, True]),
    )
    sample = fit.sample(x, rows)
    for one in fit.mixture(sample, terms, priors.load()):
        mean, precision = fit.prior(terms, one.mean_scale, one.sd_scale)
        assert one.mean == pytest.approx(fit.newton(sample, mean, precision, mean), abs=1e-5)


def test_runs_of_silence_agree_with_simulation():
    """The recursion for six silent months equals what simulated chains do."""
    r = rng()
    table = silence.Table(r.uniform(0.1, 0.9, (6, 4)), r.dirichlet(np.ones(4), (6, 4)), 1)
    done = table.complete_within(9)
    for s, z in ((0, 2), (3, 1), (5, 0)):
        hits = 0
        for _ in range(4000):
            silent, size = s, z
            for _ in range(9):
                if r.random() < table.active[silent, size]:
                    silent, size = 0, r.choice(4, p=table.size[silent, size])
                else:
                    silent += 1
                if silent == silence.RUN:
                    hits += 1
                    break
        assert hits / 4000 == pytest.approx(done[9, s, z], abs=0.03)


def test_gaps_are_zeros_and_nothing_later_is_seen():
    """Months absent between the first and last known one are zeros; months after the day do not exist."""
    counts = {"a": {10: 5, 14: 0, 20: 9}}
    [known] = silence.histories(counts, 16, {})
    assert (known.first_m, list(known.counts)) == (10, [5, 0, 0, 0, 0])
    [whole] = silence.histories({"a": {10: 5}, "b": {10: 1, 13: 2}}, 30, {})[:1]
    assert list(whole.counts) == [5, 0, 0, 0]


def run_world(world, tmp_path, **meta):
    """A world through the readers and the derive stage; the store."""
    products, jumps = (
        reader(path)
        for reader, path in zip((catalogue.read_products, catalogue.read_jumps), worlds.write(world, tmp_path), strict=True)
    )
    return estimate.estimate(products, jumps, [], worlds.AS_OF, options=estimate.options(START | meta))


def judge(world, con):
    """Forecast and true chances, outcomes, bounds, and the life table's chances for the survivors of a world."""
    rows = con.execute("select product_id, s12, s12_low, s12_high from lifeline order by 1").fetchall()
    ids = [row[0] for row in rows]
    s, low, high = (np.array([row[k] for row in rows]) for k in (1, 2, 3))
    true = np.array([world.true_s12[key] for key in ids])
    y = np.array([float(world.ended_in_12[key]) for key in ids])
    from models.survival import lifetable, tables

    r = tables.columns(con, "select age_months, n_risk, n_event, weight from person_period join sample_weight using (product_id)")
    table = lifetable.fit(r["age_months"], r["n_risk"], r["n_event"], r["weight"], level=0.009)
    ages = [
        row[0]
        for row in con.execute(
            "select date_diff('day', launch_on, getvariable('as_of')) / 30.4375 from period join lifeline using (product_id) order by product_id"
        ).fetchall()
    ]
    return {
        "p": 1 - s,
        "true": 1 - true,
        "y": y,
        "inside": (true >= low) & (true <= high),
        "width": high - low,
        "table": 1 - table.survival(np.array(ages), 12)[:, 12],
    }


def pooled(found, name):
    return np.concatenate([one[name] for one in found])


def test_made_up_worlds_are_told_apart_with_honest_intervals(tmp_path):
    """Against a truth that is not its own model: better than the life table, ordered, level right, intervals that hold."""
    found = []
    for seed in range(3):
        world = worlds.make(seed)
        con = run_world(world, tmp_path)
        found.append(judge(world, con))
        con.close()
    p, true = pooled(found, "p"), pooled(found, "true")
    assert scores.brier(p, true) <= 0.97 * scores.brier(pooled(found, "table"), true)
    assert scores.auc(p, true) >= 0.61
    assert np.sqrt(np.mean((p - true) ** 2)) <= 0.135
    assert 0.8 <= true.sum() / p.sum() <= 1.2
    assert 0.6 <= scores.slope(p, true) <= 1.5
    assert 0.8 <= pooled(found, "inside").mean() <= 0.97
    assert pooled(found, "width").mean() <= 0.42


def test_without_an_effect_none_is_claimed(tmp_path):
    """In worlds where jumps do nothing the coefficient is not told apart from nought and the life table is not lost to."""
    found, claims = [], []
    for seed in (11, 12):
        world = worlds.make(seed, effect=0.0)
        con = run_world(world, tmp_path)
        found.append(judge(world, con))
        effect = json.loads(con.execute("select value from finding where key = 'effect_of_jumps'").fetchall()[0][0])
        claims.append(not effect["low"] <= 0 <= effect["high"])
        con.close()
    assert not all(claims)
    assert scores.brier(pooled(found, "p"), pooled(found, "true")) <= 1.005 * scores.brier(
        pooled(found, "table"), pooled(found, "true")
    )


def test_a_known_sampling_rate_mends_the_level(tmp_path):
    """Where only four in ten survivors are in the file, saying so brings the expected ends back to the truth."""
    world = worlds.make(21, sampling_rate_alive=0.4)
    blind, told = run_world(world, tmp_path), run_world(world, tmp_path, sampling_rate_alive=0.4)
    off, right = (judge(world, con) for con in (blind, told))
    assert 0.75 <= right["true"].sum() / right["p"].sum() <= 1.3
    assert off["true"].sum() / off["p"].sum() < 0.7


@pytest.fixture(scope="module")
def small_world(tmp_path_factory):
    """Rows of one small world."""
    world = worlds.make(5, n=120)
    paths = worlds.write(world, tmp_path_factory.mktemp("world"))
    return catalogue.read_products(paths[0]), catalogue.read_jumps(paths[1])


@pytest.fixture(scope="module")
def estimated(small_world):
    """Its lifelines, for tests that only look at them."""
    con = estimate.estimate(*small_world, [], worlds.AS_OF)
    yield con
    con.close()


def lifelines_of(con):
    query = con.execute("select * from lifeline order by product_id")
    names = [column[0] for column in query.description]
    return [dict(zip(names, row, strict=True)) for row in query.fetchall()]


def test_what_must_always_hold(small_world, estimated):
    """S falls with the horizon inside its bounds, ends sum to 1 - S, shares of lost months add up exactly, one row per survivor."""
    rows = lifelines_of(estimated)
    assert len(rows) == sum(row["outcome"] == "alive" for row in small_world[0])
    for row in rows:
        assert 1 >= row["s3"] >= row["s6"] >= row["s12"] >= 0
        assert all(row[f"s{h}_low"] <= row[f"s{h}"] <= row[f"s{h}_high"] for h in (3, 6, 12))
        assert row["p_shut_down_12"] + row["p_acquired_12"] + row["p_pivoted_12"] == pytest.approx(1 - row["s12"], abs=1e-9)
        if row["overtaken_on"] is None:
            assert row["p_overtaken_3"] <= row["p_overtaken_6"] <= row["p_overtaken_12"]
    summed = dict(estimated.execute("select product_id, sum(lost_months) from lifeline_factor group by 1").fetchall())
    assert all(summed.get(row["product_id"], 0.0) == pytest.approx(row["lost_months"], abs=1e-9) for row in rows)
    assert all(row["lost_months_low"] <= row["lost_months"] <= row["lost_months_high"] for row in rows)
    unexposed = [row for row in rows if row["lost_months"] == 0]
    assert unexposed
    assert all(row["lost_months_low"] == row["lost_months_high"] == 0 for row in unexposed)
    curve = estimated.execute(
        "select survival from lifeline_curve where product_id = ? order by months", [rows[0]["product_id"]]
    ).fetchall()
    assert [row[0] for row in curve] == sorted((row[0] for row in curve), reverse=True)


def test_same_seed_same_numbers_and_order_does_not_matter(small_world, estimated):
    """Two runs agree to the last digit, whatever the order of the file."""
    products, jumps = small_world
    again = estimate.estimate(products[::-1], jumps[::-1], [], worlds.AS_OF)
    assert lifelines_of(again) == lifelines_of(estimated)
    again.close()


def test_later_ends_and_jumps_leave_a_forecast_unchanged(small_world):
    """Standing on an earlier day, deleting everything known after it changes no prediction (to 1e-9)."""
    products, jumps = small_world
    day = date(2024, 7, 1)
    later = [row["ended_on"] is not None and row["ended_on"] > day for row in products]
    blanked = [row | {"ended_on": None, "outcome": "alive"} if gone else row for row, gone in zip(products, later, strict=True)]
    assert any(later)
    full = estimate.estimate(products, jumps, [], day)
    blind = estimate.estimate(blanked, [row for row in jumps if row["date"] <= day], [], day)
    for a, b in zip(lifelines_of(full), lifelines_of(blind), strict=True):
        assert [a[f"s{h}"] for h in (3, 6, 12)] == pytest.approx([b[f"s{h}"] for h in (3, 6, 12)], abs=1e-9)
        assert a["p_overtaken_12"] == b["p_overtaken_12"]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sixty products", lambda p, j: (p[:60], j)),
        ("no jumps", lambda p, j: (p, [])),
        ("no ends", lambda p, j: ([r | {"outcome": "alive", "ended_on": None} for r in p], j)),
        ("no sells", lambda p, j: ([r | {"sells": (), "depends_on": ()} for r in p], j)),
        (
            "nothing known",
            lambda p, j: ([r | {"segment": None, "wrapper_tier": None, "coupling": None, "moats": ()} for r in p], j),
        ),
        ("one product", lambda p, j: ([r | {"outcome": "alive", "ended_on": None} for r in p[:1]], j[:1])),
        (
            "dates to come",
            lambda p, j: (
                [*p, p[0] | {"product_id": "x", "launched_on": date(2031, 1, 1), "outcome": "alive", "ended_on": None}],
                [*j, j[0] | {"jump_id": "y", "date": date(2031, 1, 1)}],
            ),
        ),
    ],
)
def test_files_at_the_edge_get_an_answer_with_a_reason(small_world, name, change):
    """Thin, empty or odd files: every survivor gets numbers and says what they rest on."""
    con = estimate.estimate(*change(*small_world), [], worlds.AS_OF)
    rows = lifelines_of(con)
    assert rows
    assert all(row["reason"] and 0 <= row["s12"] <= 1 for row in rows)
    assert not any(row["product_id"] == "x" for row in rows)
    if name == "no sells":
        assert {row["lifeline_class"] for row in rows} == {"unsure"}
    if name in ("no ends", "one product"):
        assert {row["evidence"] for row in rows} == {"mostly_prior"}
        assert all(row["s12"] > 0.8 for row in rows)
    con.close()


def test_nobody_alive_is_one_clear_line(small_world):
    """A day before every launch is refused."""
    with pytest.raises(UsageError, match="no product is alive on 1999-01-01"):
        estimate.estimate(*small_world, [], date(1999, 1, 1))


def test_activity_tells_who_falls_silent(small_world):
    """Silent since its first silent month; those active get chances that rise with the horizon; others stay empty."""
    products, jumps = small_world
    alive = [row["product_id"] for row in products if row["outcome"] == "alive"]

    def at(k):
        return months.first_day(months.index(worlds.AS_OF) - 1 - k)

    activity = [{"product_id": alive[0], "month": at(k), "n": 3 if k >= 8 else 0} for k in range(20)]
    activity += [{"product_id": alive[1], "month": at(k), "n": 4} for k in range(20)]
    con = estimate.estimate(products, jumps, activity, worlds.AS_OF)
    by_id = {row["product_id"]: row for row in lifelines_of(con)}
    silent, active, unknown = (by_id[key] for key in alive[:3])
    assert silent["silent_since"] == at(7)
    assert silent["p_silent_3"] is None
    assert active["silent_since"] is None
    assert 0 <= active["p_silent_3"] <= active["p_silent_6"] <= active["p_silent_12"] <= 1
    assert unknown["p_silent_12"] is None
    assert con.execute("select state from activity where product_id = ? order by month desc limit 1", [alive[0]]).fetchall() == [
        ("6+:medium",)
    ]
    con.close()


def test_forecasts_are_appended_and_never_rewritten(small_world):
    """A second run at one day leaves the log as it was; when the horizon has passed the log is scored."""
    con = open_memory()
    load.write(con, *small_world)
    stage.derive(con, date(2024, 1, 1))
    first = con.execute("select * from forecast order by all").fetchall()
    stage.derive(con, date(2024, 1, 1), seed=2)
    assert con.execute("select * from forecast order by all").fetchall() == first
    stage.derive(con, worlds.AS_OF)
    rows = con.execute(
        "select horizon_months, n, n_ended from accuracy where method like '%:log' and origin_on = date '2024-01-01' order by 1"
    ).fetchall()
    assert [row[0] for row in rows] == [3, 6, 12]
    assert all(n > n_ended > 0 for _, n, n_ended in rows)
    con.close()


def test_what_if_moves_only_who_sells_it(estimated):
    """The same draws: a product that does not sell the capability does not move at all, before equals what is published."""
    rows = {row["product_id"]: row for row in lifelines_of(estimated)}
    jobs = estimated.execute(
        "select product_id, capability from product_job join lifeline using (product_id) where role = 'sells' order by 1, 2"
    ).fetchall()
    hit, capability = jobs[0]
    spared = next(key for key in rows if (key, capability) not in jobs)
    moved, same = whatif.run(estimated, [hit, spared], capability, "Somebody", worlds.AS_OF)
    assert moved["before"]["s12"] == pytest.approx(rows[hit]["s12"], abs=1e-12)
    assert moved["is_exposed"]
    assert moved["after"]["s12"] != moved["before"]["s12"]
    assert same["change_12"] == {"middle": 0.0, "low": 0.0, "high": 0.0}
    with pytest.raises(UsageError, match="is past"):
        whatif.run(estimated, [hit], capability, "Somebody", date(2020, 1, 1))
    with pytest.raises(UsageError, match="no product of the published file"):
        whatif.run(estimated, ["nobody"], capability, "Somebody", worlds.AS_OF)


def test_a_private_product_gets_a_lifeline_without_being_stored(estimated):
    """One row in the form of products.csv is enough; the store does not change."""
    before = estimated.execute("select count(*) from product").fetchall()
    found = whatif.private(estimated, {"name": "Mine", "launched_on": date(2024, 5, 1), "sells": ("coding",), "wrapper_tier": 2})
    assert 0 < found["s12_low"] <= found["s12"] <= found["s12_high"] < 1
    assert len(found["curve"]) == 25
    assert found["lost_months_low"] <= found["lost_months"] <= found["lost_months_high"]
    assert sum(factor["lost_months"] for factor in found["factors"]) == pytest.approx(found["lost_months"], abs=1e-9)
    assert estimated.execute("select count(*) from product").fetchall() == before


def test_an_end_inside_a_window_counts_in_parts():
    """A case whose end is known to a window falls within the horizon by the part of the window that does."""
    fate = backtest.Fate(date(2024, 1, 1), date(2024, 12, 30), date(2024, 12, 30), True, 1.0)
    share, after = backtest.outcome(fate, date(2024, 3, 31), 6)
    assert share == pytest.approx(183 / 274, abs=0.01)
    assert after == pytest.approx(274 / 365, abs=0.01)
    alive = replace(fate, end_from=None, end_to=None, seen_until=date(2024, 6, 1))
    assert backtest.outcome(alive, date(2024, 3, 31), 6) is None


def test_the_command_writes_the_columns_of_the_contract(tmp_path):
    """`lifeline estimate` on the narrow files, with JSON meta; wrong meta is one line."""
    from app.cli import main

    world = worlds.make(3, n=60)
    products, jumps = worlds.write(world, tmp_path)
    meta, out = tmp_path / "meta.json", tmp_path / "out.csv"
    meta.write_text(json.dumps(START))
    words = [
        "estimate",
        "--products",
        str(products),
        "--jumps",
        str(jumps),
        "--as-of",
        "2025-07-01",
        "--meta",
        str(meta),
        "--output",
        str(out),
    ]
    assert main(words) == 0
    with out.open() as handle:
        rows = list(csv.DictReader(handle))
    assert tuple(rows[0]) == estimate.COLUMNS
    assert {row["product_id"] for row in rows} == set(world.true_s12)
    meta.write_text('{"sampling_rate_alive": 3}')
    assert main(words) == 2


def test_a_start_that_the_file_keeps_to_itself_is_noticed(tmp_path):
    """Where years were lived before the first end, nothing was observed then; a file watched from launch has no such gap."""
    products = catalogue.read_products(worlds.write(worlds.make(0), tmp_path)[0])
    first = min(row["ended_on"] for row in products if row["ended_on"])
    assert estimate.guessed_start(products, worlds.AS_OF) == first
    young = [row for row in products if row["launched_on"] > date(2023, 6, 1)]
    assert estimate.guessed_start(young, worlds.AS_OF) is None
