"""How each part of a running house stands: what the writer leaves beside its store, what lies around it, and what both mean.

    store -> gather -> vitals.json -> read ----+
    files, lock, Prefect -> surroundings ------+-> judge (pure, clock passed in) -> one row a part -> page, metrics, alarms

The writer holds `work.duckdb` alone, so it leaves `vitals.json` beside it at every stage's end; whoever looks reads that.
"""

from models.vitals.facts import Attempt, Facts, Totals, Trouble
from models.vitals.gather import gather, read, read_file, write
from models.vitals.judge import Periods, Vital, judge, overall
from models.vitals.surroundings import Prefect, Surroundings, Worker, look_around

__all__ = [
    "Attempt",
    "Facts",
    "Periods",
    "Prefect",
    "Surroundings",
    "Totals",
    "Trouble",
    "Vital",
    "Worker",
    "gather",
    "judge",
    "look_around",
    "overall",
    "read",
    "read_file",
    "write",
]
