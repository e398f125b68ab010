"""The deployments of `prefect.yaml`, read for `lifeline serve`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from models.errors import UsageError

FILE = "prefect.yaml"
AUTOMATIONS = "automations.yaml"
_EXAMPLE = "see the prefect.yaml that ships"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Deployment:
    """One flow on its schedules, in the words of `prefect.yaml`."""

    name: str
    module: str
    flow: str
    description: str = ""
    tags: tuple[str, ...] = ()
    schedules: tuple[Mapping[str, Any], ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    concurrency_limit: Mapping[str, Any] | None = None


def find_file(name: str = FILE) -> Path:
    """A file of the deployments in the checkout, or where the package put it.

    Raises
    ------
    UsageError
        when it is in neither place.

    """
    for file in (ROOT / name, ROOT / "deploy" / name, Path(sys.prefix) / "share" / "lifeline" / name):
        if file.is_file():
            return file
    raise UsageError(f"{name} is not beside the program; give its path with --file")


def read(file: Path) -> list[Deployment]:
    """Every deployment of a file.

    Raises
    ------
    UsageError
        when the file is none of Prefect's, or a deployment lacks its name, its entry point or a schedule.

    """
    try:
        found = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UsageError(f"{file} does not exist; give the path of a prefect.yaml") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read as YAML ({type(error).__name__}); {_EXAMPLE}") from error
    rows = found.get("deployments") if isinstance(found, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{file} has no list of deployments; {_EXAMPLE}")
    return [_deployment(file, number, row) for number, row in enumerate(rows, start=1)]


def _deployment(file: Path, number: int, row: Mapping[str, Any]) -> Deployment:
    for name in ("name", "entrypoint", "schedules"):
        if not row.get(name):
            raise UsageError(f"{file}, deployment {number}: {name} is missing; {_EXAMPLE}")
    module, flow = _entry_point(file, number, row["entrypoint"])
    return Deployment(
        name=row["name"],
        module=module,
        flow=flow,
        description=row.get("description") or "",
        tags=tuple(row.get("tags") or ()),
        schedules=tuple(row["schedules"]),
        parameters=row.get("parameters") or {},
        concurrency_limit=row.get("concurrency_limit"),
    )


def _entry_point(file: Path, number: int, text: str) -> tuple[str, str]:
    """Module and function of `package.module.function`, or of `package/module.py:function` as a checkout may write it."""
    path, _, function = text.partition(":") if ":" in text else text.rpartition(".")
    module = path.removesuffix(".py").replace("/", ".")
    if not module or not function:
        raise UsageError(f"{file}, deployment {number}: entrypoint {text!r} names no function; {_EXAMPLE}")
    return module, function
