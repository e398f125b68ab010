"""How well the estimate does in made-up worlds with a known truth: `python benchmarks/worlds.py [N]` (N worlds of each kind, default 4)."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from models import catalogue  # noqa: E402
from models.survival import estimate, lifetable, scores, tables  # noqa: E402
from tests.models import worlds  # noqa: E402

KINDS = {
    "effect": {},
    "no effect": {"effect": 0.0},
    "150 products": {"n": 150},
    "4 in 10 survivors, told": {"sampling_rate_alive": 0.4},
}


def one(seed: int, **kind):
    """Scores of one world."""
    world = worlds.make(seed, **kind)
    folder = Path(tempfile.mkdtemp())
    products, jumps = worlds.write(world, folder)
    meta = {"catalogue_start": str(worlds.CATALOGUE_START)} | (
        {"sampling_rate_alive": 0.4} if "sampling_rate_alive" in kind else {}
    )
    start = time.perf_counter()
    con = estimate.estimate(
        catalogue.read_products(products), catalogue.read_jumps(jumps), [], worlds.AS_OF, options=estimate.options(meta)
    )
    seconds = time.perf_counter() - start
    rows = con.execute("select product_id, s12, s12_low, s12_high from lifeline order by 1").fetchall()
    p, true = 1 - np.array([r[1] for r in rows]), 1 - np.array([world.true_s12[r[0]] for r in rows])
    y = np.array([float(world.ended_in_12[r[0]]) for r in rows])
    low, high = 1 - np.array([r[3] for r in rows]), 1 - np.array([r[2] for r in rows])
    r = tables.columns(con, "select age_months, n_risk, n_event, weight from person_period join sample_weight using (product_id)")
    aged = lifetable.fit(r["age_months"], r["n_risk"], r["n_event"], r["weight"], level=0.009)
    ages = con.execute(
        "select date_diff('day', launch_on, getvariable('as_of')) / 30.4375 from period join lifeline using (product_id) order by product_id"
    ).fetchall()
    table = 1 - aged.survival(np.array([a[0] for a in ages]), 12)[:, 12]
    con.close()
    return {
        "brier": scores.brier(p, y), "life table": scores.brier(table, y), "ratio (true chance)": scores.brier(p, true) / scores.brier(table, true),
        "auc": scores.auc(p, y), "auc known": scores.auc(true, y), "error": np.sqrt(np.mean((p - true) ** 2)), "error life table": np.sqrt(np.mean((table - true) ** 2)),
        "o/e": true.sum() / p.sum(), "slope": scores.slope(p, true), "coverage": np.mean((true >= low) & (true <= high)), "width": np.mean(high - low), "seconds": seconds,
    }  # fmt: skip


if __name__ == "__main__":
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    for name, kind in KINDS.items():
        found = [one(seed, **kind) for seed in range(n)]
        print(name, {key: round(float(np.mean([f[key] for f in found])), 3) for key in found[0]}, flush=True)
