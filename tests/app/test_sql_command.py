"""`lifeline sql` prints what was asked for, and nothing else, on standard output."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import date

import pytest

from app.cli import main
from app.commands.sql import params, typed
from tests.app import published
from tests.conftest import ROOT


@pytest.fixture
def published_home(home):
    """A home with a small published file."""
    published.write(home / "lifeline.duckdb")
    return home


def test_json_is_one_array_and_nothing_else(published_home, capsys):
    """Standard output is one array of objects; dates are ISO, decimals are numbers, not-a-number is null."""
    sql = "select product_id, launched_on, 0.5 as half, 'nan'::double as odd from product where product_id = 'noteshell'"
    assert main(["sql", sql, "--format", "json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == [{"product_id": "noteshell", "launched_on": "2023-03-01", "half": 0.5, "odd": None}]
    assert said.err == ""
    assert main(["sql", sql, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["half"] == 0.5


def test_an_empty_answer_is_an_empty_array(published_home, capsys):
    """No row is [] and no error."""
    assert main(["sql", "from product where false", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_csv_holds_no_formula(published_home, capsys):
    """Hostile text is made harmless, numbers stay numbers, and the CSV reads back."""
    assert main(["sql", "select name, -1.5 as n, '-1.5' as t from product where product_id = 'agentco'", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert rows == [{"name": "'" + published.HOSTILE, "n": "-1.5", "t": "-1.5"}]


def test_parquet_keeps_types(published_home, tmp_path, capsys):
    """A Parquet file holds dates as dates, decimals as decimals, lists as lists."""
    import pyarrow.parquet as pq

    file = tmp_path / "out.parquet"
    sql = "select launched_on, 0.10 as d, ['a', null] as l, now() as t, 1 as n, 2 as n from product limit 1"
    assert main(["sql", sql, "--output", str(file)]) == 0
    table = pq.read_table(file)
    assert [str(field.type) for field in table.schema] == [
        "date32[day]",
        "decimal128(3, 2)",
        "list<element: string>",
        "timestamp[us, tz=UTC]",
        "int32",
        "int32",
    ]
    assert table.to_pylist()[0]["n_2"] == 2


def test_a_table_for_people_is_one_line_a_row(published_home, capsys):
    """Line breaks and terminal codes in a cell are shown as blanks; the count stands below."""
    assert main(["sql", "select 'a' || chr(10) || chr(27) || '[31mb' as x, '飞书' as y"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("a  [31mb")
    assert lines[-1].startswith("(1 row,")


def test_limits_are_said_on_standard_error(published_home, capsys):
    """Rows beyond --max-rows are left out, and standard error says so while standard output stays JSON."""
    assert main(["sql", "from range(10)", "--max-rows", "2", "--format", "json"]) == 0
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 2
    assert "first 2 rows" in said.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["drop table product"], "DROP is not allowed"),
        (["select $x"], "x"),
        (["select 1", "--timeout", "0"], "time-out"),
        (["select 1", "--max-rows", "-1"], "rows"),
        (["select 1", "--param", "novalue"], "NAME=VALUE"),
        (["select 1", "--format", "parquet"], "--output"),
        (["select 1", "--json", "--format", "csv"], "two things"),
        (["select 1", "--format", "excel"], "invalid choice"),
    ],
)
def test_wrong_use_is_one_line_and_two(published_home, capsys, words, says):
    """Wrong use ends with exit code 2 and one line on standard error."""
    try:
        code = main(["sql", *words])
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    assert code == 2
    assert says in said.err
    assert said.err.count("\n") == 1


def test_nothing_published_yet(home, capsys):
    """Without a published file the line says how to get one."""
    assert main(["sql", "select 1"]) == 1
    assert "lifeline run" in capsys.readouterr().err


def test_named_parameters_from_the_command_line(published_home, capsys):
    """--param gives values by name, typed."""
    words = ["sql", "select count(*) as n from product where launched_on >= $day and wrapper_tier = $tier", "--format", "json"]
    assert main([*words, "--param", "day=2023-01-01", "--param", "tier=2"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 1}]


def test_parameters_are_typed():
    """Numbers, booleans, null and dates become themselves, and quotes keep text."""
    assert params(["a=1", "b=1.5", "c=true", "d=2024-01-31", "e=null", "f='1'", "g=x=y", "h="]) == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": date(2024, 1, 31),
        "e": None,
        "f": "1",
        "g": "x=y",
        "h": "",
    }
    assert typed("OpenAI") == "OpenAI"


def test_the_parent_stays_light(published_home):
    """A query in JSON imports neither duckdb nor pandas nor pyarrow in the process that asks."""
    code = (
        "import sys; from app.cli import main; main(['sql', 'select 1 as n', '--format', 'json']);"
        "print({'duckdb', 'pandas', 'pyarrow', 'numpy', 'yaml'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [{"n": 1}]
    assert done.stderr.strip() == "set()"
