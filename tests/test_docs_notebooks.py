"""What the page on notebooks shows can be copied and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from models.exchange import open_exchange
from models.exports.stage import export
from models.publishing import put_version
from tests.app import published
from tests.conftest import ROOT
from tests.s3 import s3

__all__ = ["s3"]  # a fixture
NOW = datetime(2026, 8, 22, tzinfo=UTC)
PAGE = (ROOT / "docs" / "notebooks.md").read_text(encoding="utf-8")
HERE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
BUCKET = re.findall(r"```python s3\n(.*?)```", PAGE, re.DOTALL)


def needs(code):
    """Skip where a library that a snippet shows is not installed."""
    for name in ("polars", "ibis", "s3fs"):
        if re.search(rf"\b{name}\b", code):
            pytest.importorskip(name, reason=f"needs {name}, part of the extra `dev`")


def run(code, **env):
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **env}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with a published file and its exports, and an exchange that has them, too."""
    home = tmp_path_factory.mktemp("home")
    export(published.write(home / "lifeline.duckdb"), home / "exports", NOW)
    put_version(open_exchange(str(home / "exchange")), home / "lifeline.duckdb", home / "exports", NOW)
    return home


def named(codes):
    """Snippets by the library that they show."""
    return [pytest.param(code, id="-".join(re.findall(r"\b(duckdb|pandas|polars|ibis|fsspec)\b", code)[:2])) for code in codes]


@pytest.mark.parametrize("code", named(HERE))
def test_snippets_for_a_home_and_a_folder_run(made, code):
    """As they stand, and they print something."""
    needs(code)
    run(code, LIFELINE_HOME=str(made), LIFELINE_EXCHANGE=str(made / "exchange"))


@pytest.mark.parametrize("code", named(BUCKET))
def test_snippets_for_a_bucket_run(made, s3, code):
    """Against an S3 server on loopback."""
    needs(code)
    address = f"{s3}/notebooks"
    put_version(open_exchange(address), made / "lifeline.duckdb", made / "exports", NOW)
    run(code, LIFELINE_EXCHANGE=address)


def test_the_page_shows_every_library():
    """None is lost by a changed heading."""
    text = "".join(HERE + BUCKET)
    assert all(f"import {name}" in text or f", {name}" in text for name in ("duckdb", "pandas", "polars", "ibis"))
    assert len(HERE) == 5
    assert len(BUCKET) == 3
