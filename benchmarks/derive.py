"""Time and memory of the derive stage: `python benchmarks/derive.py [SCALE ...] [--cox]` (default scale 1 = 10,000 products x 5,000 jumps).

Prints seconds of the SQL, of the fit, of the intervals for every living product, and the peak of memory, each scale in its own
process. With --cox, also a Cox model with time-varying covariates (lifelines) on a made-up world of 400 products, with scores.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
AS_OF = date(2026, 8, 22)


def fill(con, scale: float) -> None:
    """Products launched 2021-2026 of which a fifth has ended, and jumps over five years, as random as they come."""
    from models import taxonomy
    from models.store import insert_rows

    rng = np.random.default_rng(1)
    caps, segment = taxonomy.load().capabilities[:-1], taxonomy.load().segment_of
    products, jobs = [], []
    for i in range(int(10_000 * scale)):
        born = date(2021, 6, 1) + timedelta(days=int(rng.integers(0, 1800)))
        end = born + timedelta(days=int(rng.exponential(3000)))
        sells = rng.choice(len(caps), size=rng.integers(1, 4), replace=False)
        gone = end <= AS_OF
        products.append({
            "product_id": f"p{i}", "name": f"p{i}", "launched_on": born, "launched_precision": "day", "outcome": "shut_down" if gone else "alive",
            "ended_on": end if gone else None, "ended_known_on": end if gone else None, "segment": segment[caps[sells[0]]],
            "wrapper_tier": int(rng.integers(1, 6)), "coupling": int(rng.integers(0, 4)), "is_moats_known": True,
        })  # fmt: skip
        jobs += [{"product_id": f"p{i}", "capability": caps[c], "role": "sells", "share": 1 / len(sells)} for c in sells]
    jumps, carried = [], []
    for j in range(int(5_000 * scale)):
        day = date(2021, 6, 1) + timedelta(days=int(rng.integers(0, 1900)))
        jumps.append({
            "jump_id": f"j{j}", "happened_on": day, "known_on": day, "provider": f"v{rng.integers(0, 60)}", "stage": str(rng.choice(["announced", "preview", "ga"])),
            "reach": str(rng.choice(["consumer", "api", "suite"])), "magnitude": int(rng.integers(1, 4)),
        })  # fmt: skip
        carried.append({"jump_id": f"j{j}", "capability": caps[rng.integers(0, len(caps))], "share": 1.0})
    for name, rows in (("product", products), ("product_job", jobs), ("jump", jumps), ("jump_capability", carried)):
        insert_rows(con, name, rows)


def measure(scale: float) -> dict:
    """One scale in this process."""
    from models.store import SQL, open_memory, run_sql
    from models.survival import data, lifelines, model, months, predict, priors, tables, weights

    con = open_memory()
    con.execute("set threads = 2")
    fill(con, scale)
    prior = priors.load()
    out: dict = {"scale": scale}
    start = time.perf_counter()
    tables.set_parameters(con, AS_OF, prior, None)
    tables.write_terms(con, prior)
    for name in tables.BEFORE_WEIGHTS:
        began = time.perf_counter()
        run_sql(con, SQL / "survival" / f"{name}.sql")
        out[name] = round(time.perf_counter() - began, 2)
    weights.write(con, prior)
    tables.build_exposures(con)
    out["sql_s"] = round(time.perf_counter() - start, 2)
    out["sql_without_links_s"] = round(out["sql_s"] - out["030_exposure"], 2)
    start = time.perf_counter()
    fitted = model.estimate(con, AS_OF, prior, seed=1, use_moats=False)
    out["fit_s"] = round(time.perf_counter() - start, 2)
    who = data.subjects(con, AS_OF, use_moats=False)
    start = time.perf_counter()
    lifelines.summaries(predict.subset(who, np.flatnonzero(who.is_alive)), fitted.posterior)
    out["intervals_s"] = round(time.perf_counter() - start, 2)
    out |= {"rows": fitted.rows.n, "alive": int(who.is_alive.sum()), "as_of_m": months.index(AS_OF)}
    out["peak_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2)
    return out


def cox() -> dict:
    """The same made-up world by the estimate and by Cox time-varying: Brier, AUC, seconds."""
    import tempfile

    import pandas as pd
    from lifelines import CoxTimeVaryingFitter

    from benchmarks.worlds import one
    from models import catalogue
    from models.survival import estimate, scores, tables
    from tests.models import worlds

    ours = one(0)
    world = worlds.make(0)
    products, jumps = worlds.write(world, Path(tempfile.mkdtemp()))
    options = estimate.options({"catalogue_start": str(worlds.CATALOGUE_START)})
    con = estimate.estimate(catalogue.read_products(products), catalogue.read_jumps(jumps), [], worlds.AS_OF, options=options)
    start = time.perf_counter()
    rows = tables.columns(
        con,
        "select w.product_id, r.age_months::double as age, r.n_event, coalesce(e.x, 0) as exposure, coalesce(b.wrapper_tier, 3)::double as tier, "
        "coalesce(b.coupling, 1.5)::double as coupling from wanted_row as w join person_period as r using (product_id, m) join period as b using (product_id) "
        "left join (select row_id, sum(ln(1 + x)) as x from sold_exposure group by 1) as e using (row_id)",
    )
    frame = pd.DataFrame(rows)
    frame["start"], frame["stop"], frame["event"] = frame["age"] - 0.5, frame["age"] + 0.5, frame["n_event"] > 0.5
    fitter = CoxTimeVaryingFitter(penalizer=0.01)
    fitter.fit(
        frame[["product_id", "start", "stop", "event", "exposure", "tier", "coupling"]],
        id_col="product_id",
        event_col="event",
        start_col="start",
        stop_col="stop",
    )
    last = frame.sort_values("age").groupby("product_id").tail(1).set_index("product_id").loc[sorted(world.true_s12)]
    risk = fitter.predict_partial_hazard(last[["exposure", "tier", "coupling"]]).to_numpy()
    base = fitter.baseline_cumulative_hazard_.iloc[:, 0]
    at = lambda age: np.interp(age, base.index.to_numpy(), base.to_numpy())  # noqa: E731
    ages = last["age"].to_numpy()
    p = 1 - np.exp(-risk * (at(ages + 12) - at(ages)))
    y = np.array([float(world.ended_in_12[key]) for key in last.index])
    true = 1 - np.array([world.true_s12[key] for key in last.index])
    theirs = {
        "brier": scores.brier(p, y),
        "auc": scores.auc(p, y),
        "error": float(np.sqrt(np.mean((p - true) ** 2))),
        "seconds": time.perf_counter() - start,
    }
    return {
        "estimate": {k: round(float(ours[k]), 3) for k in theirs},
        "cox time-varying": {k: round(float(v), 3) for k, v in theirs.items()},
    }


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--one":
        print(json.dumps(measure(float(sys.argv[2]))))
        sys.exit()
    scales = [word for word in sys.argv[1:] if word != "--cox"] or ["1"]
    for word in scales:
        print(
            subprocess.run([sys.executable, __file__, "--one", word], check=True, capture_output=True, text=True).stdout.strip(),
            flush=True,
        )
    if "--cox" in sys.argv:
        print(json.dumps(cox()))
