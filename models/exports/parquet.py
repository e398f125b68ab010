"""A query's answer as Parquet, its column types kept."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from models.exports.cells import json_cell

if TYPE_CHECKING:
    import pyarrow as pa


def parquet_bytes(columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as a Parquet file; `types` are DuckDB's names. Nested values are kept where plain lists, else stored as JSON text."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = [_array(kind, [row[i] for row in rows]) for i, kind in enumerate(types)]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(columns)), buffer, compression="zstd")
    return buffer.getvalue()


def _array(kind: str, values: list[Any]) -> pa.Array:
    """One column; text where the values do not fit the type (a day past the year 9999, say)."""
    import pyarrow as pa

    try:
        return pa.array(values, type=_arrow_type(kind))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else _text(value) for value in values], type=pa.string())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(json_cell(value), ensure_ascii=False)


def _arrow_type(kind: str) -> pa.DataType:
    import pyarrow as pa

    plain = {
        "BOOLEAN": pa.bool_(),
        "TINYINT": pa.int8(),
        "SMALLINT": pa.int16(),
        "INTEGER": pa.int32(),
        "BIGINT": pa.int64(),
        "UTINYINT": pa.uint8(),
        "USMALLINT": pa.uint16(),
        "UINTEGER": pa.uint32(),
        "UBIGINT": pa.uint64(),
        "HUGEINT": pa.decimal128(38, 0),
        "FLOAT": pa.float32(),
        "DOUBLE": pa.float64(),
        "DATE": pa.date32(),
        "TIME": pa.time64("us"),
        "TIMESTAMP": pa.timestamp("us"),
        "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
    }
    if kind in plain:
        return plain[kind]
    if decimal := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", kind):
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    if kind.endswith("[]") and kind[:-2] in plain and kind[:-2] not in ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIME"):
        return pa.list_(plain[kind[:-2]])
    return pa.list_(pa.string()) if kind == "VARCHAR[]" else pa.string()
