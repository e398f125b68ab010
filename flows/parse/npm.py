"""A package of the npm registry: its versions with their days."""

from __future__ import annotations

import json

from flows.parse.dates import parse_moment
from flows.parse.types import Parsed
from models.documents import Entry
from models.errors import ParseError
from models.identity import one_line


def parse_npm(body: bytes) -> Parsed:
    """One entry a version.

    Raises
    ------
    ParseError
        when the answer is no package.

    """
    try:
        times = dict(json.loads(body)["time"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ParseError("what came is no package of the npm registry (no object `time`)") from error
    versions = {key: value for key, value in times.items() if key not in ("created", "modified")}
    return Parsed(
        "npm",
        entries=tuple(
            Entry(one_line(key), guid=one_line(key), published_at=parse_moment(str(value))) for key, value in versions.items()
        ),
    )
