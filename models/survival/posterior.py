"""The posterior of a run as rows that can be published and read back, so that a what-if needs no new fit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import NotPublishedError
from models.survival.design import Terms
from models.survival.impute import Donors
from models.survival.predict import Posterior

if TYPE_CHECKING:
    import duckdb


def rows(post: Posterior) -> list[dict[str, str]]:
    """Rows part, value (JSON). Numbers are written in full, so that what is read back is what was used."""
    parts: dict[str, Any] = {
        "terms": {
            "names": post.terms.names,
            "mean": post.terms.mean.tolist(),
            "sd": post.terms.sd.tolist(),
            "centre": post.terms.centre.tolist(),
            "capabilities": post.terms.capabilities.tolist(),
            "is_claim": post.terms.is_claim.tolist(),
        },
        "draws": post.draws.tolist(),
        "paths": post.paths.tolist(),
        "donors": {
            **{
                name: {str(s): values.tolist() for s, values in getattr(post.donors, name).items()}
                for name in ("tier", "coupling", "moats")
            },
            "segment": post.donors.segment.tolist(),
        },
        "constants": {
            "age_edges": post.age_edges.tolist(),
            "half_life": post.half_life,
            "passed": post.passed,
            "frailty_sd": post.frailty_sd,
            "seed": post.seed,
            "signs": post.signs.tolist(),
        },
    }
    return [{"part": name, "value": json.dumps(value)} for name, value in parts.items()]


def read(con: duckdb.DuckDBPyConnection) -> Posterior:
    """The posterior of the last run.

    Raises
    ------
    NotPublishedError
        when the last run fitted nothing.

    """
    found = {part: json.loads(value) for part, value in con.execute("select part, value from posterior").fetchall()}
    if not found:
        raise NotPublishedError("the last run left no estimate to ask what-if of; run `lifeline run` first")
    t, d, c = found["terms"], found["donors"], found["constants"]
    terms = Terms(
        tuple(t["names"]),
        np.array(t["mean"]),
        np.array(t["sd"]),
        np.array(t["centre"]),
        np.array(t["capabilities"], dtype=int),
        np.array(t["is_claim"]),
    )
    by_segment = {
        name: {int(s): np.array(values, dtype=float) for s, values in d[name].items()} for name in ("tier", "coupling", "moats")
    }
    return Posterior(
        terms,
        np.array(found["draws"]),
        np.array(found["paths"]),
        Donors(**by_segment, segment=np.array(d["segment"], dtype=int)),
        np.array(c["age_edges"]),
        c["half_life"],
        c["passed"],
        c["frailty_sd"],
        c["seed"],
        np.array(c["signs"]),
    )
