"""One value as a cell of JSON or CSV."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any


def json_cell(value: Any) -> Any:
    """`value` as strict JSON can carry it: ISO dates, numbers for decimals, null for NaN and infinity."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): json_cell(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [json_cell(inner) for inner in value]
    return str(value)


def csv_cell(value: Any) -> str:
    """`value` as text: ISO dates, true and false, lists joined by `;` where they are plain, else JSON; unknown and NaN are empty."""
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    if isinstance(value, (list, tuple)) and all(isinstance(part, (str, int)) for part in value):
        return ";".join(map(str, value))
    if isinstance(value, (list, tuple, Mapping)):
        return json.dumps(json_cell(value), ensure_ascii=False)
    return str(value)
