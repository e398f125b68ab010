"""The sandbox lets one SELECT through and nothing else."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from decimal import Decimal

import pytest

from app import sandbox
from app.sandbox import query
from models.errors import NotPublishedError, QueryError
from tests.app import published


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """A small published file in a folder whose name must never be told."""
    return published.write(tmp_path_factory.mktemp("hidden-folder") / "lifeline.duckdb")


REFUSED = {
    # files
    "read a file by name": "from '/etc/passwd'",
    "read a CSV by name": "select * from '/etc/hosts.csv'",
    "read_csv": "from read_csv('/etc/passwd', columns={'a': 'varchar'}, sep='|')",
    "read_text": "select content from read_text('/etc/passwd')",
    "read_blob": "select content from read_blob('/proc/self/environ')",
    "read_parquet": "from read_parquet('/tmp/*.parquet')",
    "read_json": "from read_json_auto('/etc/os-release')",
    "glob": "from glob('/etc/*')",
    "sniff_csv": "from sniff_csv('/etc/passwd')",
    "parquet_metadata": "from parquet_metadata('/etc/passwd')",
    "read another database": "from read_duckdb('/tmp/other.duckdb')",
    "copy out": "copy product to '/tmp/stolen.csv'",
    "copy in": "copy product from '/etc/passwd'",
    "attach": "attach '/tmp/other.duckdb' as other",
    "export database": "export database '/tmp/stolen'",
    "import database": "import database '/tmp/stolen'",
    # network and extensions
    "fetch over http": "from 'https://example.org/data.parquet'",
    "read_csv over http": "from read_csv_auto('http://127.0.0.1:1/x.csv')",
    "read from s3": "from read_parquet('s3://bucket/key.parquet')",
    "install": "install httpfs",
    "install from": "install spatial from 'http://127.0.0.1:1/'",
    "load": "load httpfs",
    "load a file": "load '/tmp/evil.duckdb_extension'",
    # configuration
    "set": "set enable_external_access = true",
    "set memory": "set memory_limit = '100GB'",
    "set global": "set global lock_configuration = false",
    "reset": "reset enable_external_access",
    "set variable": "set variable x = 1",
    "pragma": "pragma enable_profiling",
    "pragma as function": "from enable_profiling()",
    "logging": "call enable_logging(storage='file', storage_path='/tmp/log')",
    "use": "use system",
    "secret": "create secret s (type s3, key_id 'x', secret 'y')",
    # DDL and DML
    "create table": "create table stolen as select 1",
    "temporary table": "create temp table t as select 1",
    "temporary view": "create temp view product as select 1",
    "macro": "create temp macro f() as 1",
    "drop": "drop table product",
    "delete": "delete from product",
    "insert": "insert into product (product_id) values ('x')",
    "update": "update product set name = 'x'",
    "alter": "alter table product add column x integer",
    "comment": "comment on table product is 'x'",
    "data in a CTE": "with gone as (delete from product returning *) select * from gone",
    "vacuum": "vacuum",
    "checkpoint": "checkpoint",
    "checkpoint as function": "from force_checkpoint()",
    "begin": "begin transaction",
    # several statements, prepared tricks, SQL from text
    "two statements": "select 1; drop table product",
    "two selects": "select 1; select 2",
    "hidden behind a comment": "select 1 /* ; */ ; -- \n attach '/tmp/x' as y",
    "prepare": "prepare p as select 1",
    "execute": "execute p",
    "query()": "from query('select 1')",
    "query() built from pieces": "from query('from read' || '_text(''/etc/passwd'')')",
    "query_table()": "from query_table('duckdb_' || 'settings')",
    "serialised SQL": "from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "explain analyze": "explain analyze select 1",
    "call": "call pragma_version()",
    "histogram of a hidden view": "from histogram('pg_settings', 'name')",
    # raw memory addresses and Python
    "pandas_scan": "from pandas_scan(1234)",
    "arrow_scan": "from arrow_scan(1, 2, 3)",
    "a variable of the process": "from duckdb",
    # paths and settings
    "databases": "select path from duckdb_databases()",
    "databases as view": "from duckdb_databases",
    "database list": "from pragma_database_list",
    "settings": "from duckdb_settings()",
    "pg_settings": "from pg_catalog.pg_settings",
    "one setting": "select current_setting('allowed_paths')",
    "one setting in a corner": "select count(*) filter (where current_setting('secret_directory') is null) over () from product",
    "secrets": "from duckdb_secrets()",
    "environment": "select getenv('HOME')",
    # sleep
    "sleep": "select pg_sleep(100)",
    "sleep in a subquery": "select (select sleep_ms(100000)) from product",
    # forms that are none
    "nothing": "   ",
    "a comment": "-- nothing",
    "NUL": "select '\0'",
    "a syntax error": "selec product",
    "no such relation": "from produkt",
    "a long text": "select '" + "x" * 200_000 + "'",
    "deep nesting": "select " + "(" * 20_000 + "1" + ")" * 20_000,
}


@pytest.fixture(scope="module")
def lines(path):
    """What each attack is answered, or None where it went through; two at a time, because each starts a process."""

    def attack(sql: str) -> str | None:
        try:
            query(path, sql, timeout_s=8)
        except QueryError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(REFUSED, pool.map(attack, REFUSED.values()), strict=True))


@pytest.mark.parametrize("attack", REFUSED)
def test_an_attack_is_refused_in_one_line_that_tells_no_path(lines, attack):
    """Every attack ends before the clock does with one clear line, and the line names no place on this machine."""
    line = lines[attack]
    assert line is not None
    assert "stopped after" not in line
    assert 0 < len(line) < 700
    assert "\n" not in line
    assert "hidden-folder" not in line
    assert os.path.expanduser("~/") not in line


EXHAUSTING = {
    "endless recursion": "with recursive a as (select 1 as n union all select n + 1 from a) select max(n) from a",
    "a cross join": "select count(*) from range(1000000000) as a, range(1000000) as b where a.range + b.range = -1",
    "a slow regular expression": "select count(*) from range(100000000) where regexp_matches(repeat('a', 200) || range, '(a*)*(a*)*b')",
}
GREEDY = {
    "a big string": "select repeat('x', 2000000000)",
    "big strings joined": "select string_agg(repeat('x', 1000000), '') from range(100000)",
    "a big list": "select list(range) from range(1000000000)",
    "a big sort": "select * from range(300000000) order by hash(range)",
    "a big hash table": "select count(distinct hash(range)) from range(1000000000)",
    "a padded string": "select rpad('x', 2147483647, 'y') || rpad('x', 2147483647, 'y')",
}


@pytest.mark.parametrize("sql", EXHAUSTING.values(), ids=EXHAUSTING.keys())
def test_a_query_without_end_is_stopped_by_the_clock(path, sql):
    """The wall clock ends what does not end itself, and the line says after how long."""
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"stopped after 1\.5 s"):
        query(path, sql, timeout_s=1.5)
    assert time.monotonic() - started < 30  # a busy machine may be slow to start it, but not so slow


@pytest.mark.parametrize("sql", GREEDY.values(), ids=GREEDY.keys())
def test_a_query_for_too_much_memory_is_stopped(path, sql):
    """Memory ends with one line, whether DuckDB notices or the operating system does, or the clock comes first."""
    with pytest.raises(QueryError, match=r"memory|stopped after"):
        query(path, sql, timeout_s=6)


def test_no_process_and_no_file_is_left_behind(path):
    """After refusals and time-outs the folder holds the published file alone, unchanged, and no child runs on."""
    before = path.stat().st_mtime_ns
    for sql in ("select count(*) from range(1000000000) a, range(1000000) b where a.range = -b.range - 1", "from product"):
        try:
            query(path, sql, timeout_s=0.8)
        except QueryError:
            continue
    assert [file.name for file in path.parent.iterdir()] == ["lifeline.duckdb"]
    assert path.stat().st_mtime_ns == before
    children = f"/proc/self/task/{threading.get_native_id()}/children"
    if os.path.exists(children):
        with open(children) as listed:
            running = listed.read().split()
        assert not [pid for pid in running if b"sandbox_child" in open(f"/proc/{pid}/cmdline", "rb").read()]  # noqa: SIM115


@pytest.mark.parametrize(
    "sql",
    [
        "select product_id from product order by 1",
        "from product select product_id order by 1",
        "with p as (from product) select product_id from p order by 1;",
        "-- products\nselect product_id from product order by product_id",
        "(select product_id from product) order by 1",
    ],
)
def test_every_form_of_a_select_passes(path, sql):
    """SELECT, FROM-first and WITH answer alike, with a comment or a semicolon too."""
    result = query(path, sql)
    assert [row[0] for row in result.rows] == ["agentco", "goneco", "noteshell", "secretco"]
    assert (result.columns, result.types, result.is_truncated) == (("product_id",), ("VARCHAR",), False)


def test_an_analyst_can_look_around(path):
    """DESCRIBE, SUMMARIZE, SHOW TABLES, VALUES, comments of relations and columns, JSON and lists work."""
    assert ("product_id", "VARCHAR") in [row[:2] for row in query(path, "describe product").rows]
    assert query(path, "summarize product").rows
    assert ("jump",) in query(path, "show tables").rows
    assert query(path, "values (1, 'a')").rows == [(1, "a")]
    said = query(path, "select comment from duckdb_columns() where table_name = 'jump' and column_name = 'known_on'").rows
    assert said[0][0]
    assert query(path, "select unnest(json_extract_string('{\"a\":[1,2]}', '$.a[*]'))").rows == [("1",), ("2",)]
    assert query(path, "from (pivot product on outcome in ('alive') using count(*)) select sum(alive)").rows[0][0] == 3


def test_values_keep_their_types(path):
    """Dates, instants, decimals, big integers, nulls and nested values come back as Python knows them."""
    sql = """select date '2024-02-29', timestamptz '2024-02-29 10:00:00+02', 0.10, 123456789012345678901::hugeint, null, true,
                    [date '2024-01-01'], {'a': [1, null]}, 1.5::double, '飞书', 'x'::blob, time '10:00:00'"""
    row = query(path, sql).rows[0]
    assert row[:6] == (
        date(2024, 2, 29),
        datetime.fromisoformat("2024-02-29T08:00+00:00"),
        Decimal("0.10"),
        123456789012345678901,
        None,
        True,
    )
    assert row[6:11] == (["2024-01-01"], {"a": [1, None]}, 1.5, "飞书", "78")


def test_rows_are_capped_and_said_to_be(path):
    """One row more than the limit is enough to know; the limit is told, and an endless table streams."""
    result = query(path, "from range(100000000000)", max_rows=3)
    assert [row[0] for row in result.rows] == [0, 1, 2]
    assert result.is_truncated
    assert result.limit == "only the first 3 rows are shown"
    exact = query(path, "from range(3)", max_rows=3)
    assert not exact.is_truncated
    assert exact.limit == ""


def test_a_big_answer_is_cut_by_its_size(path, monkeypatch):
    """An answer in bytes has an end as well."""
    monkeypatch.setattr(sandbox, "MAX_BYTES", 1024 * 1024)
    result = query(path, "select repeat('x', 100000) from range(100)")
    assert 0 < len(result.rows) < 11
    assert "1 MB" in result.limit


def test_named_parameters_are_values_never_sql(path):
    """A parameter with SQL in it is compared as text; dates and numbers are typed; missing ones are named."""
    sql = "select product_id from product where name = $name or launched_on < $day or wrapper_tier = $tier"
    given = {"name": "x' or 1=1 --", "day": date(2000, 1, 1), "tier": 2}
    assert query(path, sql, given).rows == [("noteshell",)]
    with pytest.raises(QueryError, match="day"):
        query(path, sql, {"name": "x", "tier": 1})
    with pytest.raises(QueryError, match="parameter name"):
        query(path, "select $a", {"a b": 1})


BELOW = (
    "select product_id from main.product",
    "select product_id from lifeline.main.product",
    "select product_id from lifeline.product",
    "with p as (select * from main.lifeline) select product_id from p",
    "select (select max(product_id) from main.product where is_private)",
    "summarize main.product",
    'table "main"."product"',
    "from (pivot main.product on outcome in ('alive') using count(*))",
    "from product as p, lateral (from main.lifeline where lifeline.product_id = p.product_id)",
)


def test_private_products_can_be_hidden(path):
    """With hide_private no query finds a private product, under whatever name; all else answers as before."""
    for sql in (
        "from product",
        "from lifeline",
        "from exposure",
        "from product_job",
        "summarize product",
        "from product at (version => 1)",
    ):
        try:
            assert "secretco" not in str(query(path, sql, hide_private=True).rows)
        except QueryError:
            continue
    assert ("secretco",) in query(path, "select product_id from product").rows
    assert len(query(path, "from product", hide_private=True).rows) == 3
    assert query(path, "select table_name from information_schema.tables where table_name = 'jump'", hide_private=True).rows
    for sql in BELOW:
        with pytest.raises(QueryError, match="schema"):
            query(path, sql, hide_private=True)


def test_a_process_that_dies_in_the_middle_is_no_answer(path):
    """Half an answer is never taken for a whole one, wherever it broke off."""
    for lines in (
        [],
        [b'{"columns": ["a"], "types": ["INTEGER"]}'],
        [b'{"columns": [', b"[1]"],
        [b'{"columns": ["a"]}', b'["x]'],
    ):
        with pytest.raises(QueryError, match="stopped"):
            sandbox._result(lines, -6, 1.0, 10.0, 5)


def test_many_at_once_do_not_mix(path):
    """Twelve threads get their own answers although only a few processes run side by side."""
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda n: query(path, "select $n as n", {"n": n}, timeout_s=60).rows[0][0], range(12)))
    assert answers == list(range(12))


def test_a_missing_file_and_odd_limits_are_said(path, tmp_path):
    """No published file, a time-out of nothing and a limit of nothing each have their own line."""
    with pytest.raises(NotPublishedError, match="lifeline run"):
        query(tmp_path / "none.duckdb", "select 1")
    with pytest.raises(QueryError, match="time-out"):
        query(path, "select 1", timeout_s=0)
    with pytest.raises(QueryError, match="rows"):
        query(path, "select 1", max_rows=0)
