"""The rows that writer and workers hand each other, and their Parquet: plain columns, nothing that needs code to be read."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from flows.health import Outcome, State
from flows.parse.types import from_wire, to_wire
from flows.sources import LEARNT, SAID, as_source
from models.exchange import ExchangeError

if TYPE_CHECKING:
    import pyarrow as pa

ABOUT = b"lifeline"
OUTCOME = [field.name for field in fields(Outcome) if field.name not in ("headers", "parsed")]


class BrokenShardError(ExchangeError):
    """What lies on the exchange is no Parquet of ours."""


def to_parquet(table: pa.Table, about: Mapping[str, Any]) -> bytes:
    """A table as Parquet, with what there is to know about it in its header."""
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({ABOUT: json.dumps(about).encode()}), buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(content: bytes) -> tuple[pa.Table, dict[str, Any]]:
    """The way back.

    Raises
    ------
    BrokenShardError
        when it is no Parquet, or not ours.

    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(io.BytesIO(content))
        about = json.loads((table.schema.metadata or {})[ABOUT])
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        raise BrokenShardError(f"a shard on the exchange cannot be read ({type(error).__name__})") from error
    return table, about


def state_table(states: Sequence[State], marks: Sequence[str]) -> pa.Table:
    """Sources with what polls have taught; `marks` are their fingerprints."""
    import pyarrow as pa

    rows = [
        {"mark": mark} | {name: getattr(state.source, name) for name in SAID} | {name: getattr(state, name) for name in LEARNT}
        for mark, state in zip(marks, states, strict=True)
    ]
    when = pa.timestamp("us", tz="UTC")
    kinds = {"every_hours": pa.float64(), "is_active": pa.bool_(), "n_failures": pa.int64()}
    names = ["mark", *SAID, *LEARNT]
    return pa.Table.from_pylist(
        rows, pa.schema([(name, kinds.get(name, when if name.endswith("_at") else pa.string())) for name in names])
    )


def states_of(table: pa.Table) -> list[tuple[str, State]]:
    """Fingerprints and states of such a table."""
    return [(row["mark"], State(source=as_source(row), **{name: row[name] for name in LEARNT})) for row in table.to_pylist()]


def outcome_table(outcomes: Sequence[tuple[str, Outcome]]) -> pa.Table:
    """What polls brought, one row a source; what was parsed is JSON, in the form that the parsing processes use."""
    import pyarrow as pa

    kinds = {"status": pa.int64(), "n_bytes": pa.int64(), "seconds": pa.float64(), "hold_s": pa.float64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in ["mark", *OUTCOME, "headers", "parsed"]])
    return pa.Table.from_pylist([_outcome_row(mark, outcome) for mark, outcome in outcomes], schema)


def _outcome_row(mark: str, outcome: Outcome) -> dict[str, Any]:
    headers = None if outcome.headers is None else json.dumps(dict(outcome.headers))
    parsed = None if outcome.parsed is None else json.dumps(to_wire(outcome.parsed))
    return {"mark": mark, "headers": headers, "parsed": parsed} | {name: getattr(outcome, name) for name in OUTCOME}


def outcomes_of(table: pa.Table) -> list[tuple[str, Outcome]]:
    """The way back."""
    return [(row["mark"], _outcome(row)) for row in table.to_pylist()]


def _outcome(row: Mapping[str, Any]) -> Outcome:
    headers = None if row["headers"] is None else json.loads(row["headers"])
    parsed = None if row["parsed"] is None else from_wire(json.loads(row["parsed"]))
    return Outcome(**{name: row[name] for name in OUTCOME}, headers=headers, parsed=parsed)
