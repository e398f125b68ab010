"""The throw-away process behind `app.sandbox`: one request on standard input, one answer on standard output.

It runs as a script (`python -I app/sandbox_child.py`), imports nothing of ours but `models.privacy`, and gives up its rights before
it reads the query. Four layers, each of which holds alone against most attacks: the limits of the operating system, a read-only
database with external access off and the configuration locked, exactly one statement of type SELECT, and a walk over the parsed
statement that admits only table functions known to be harmless (some of DuckDB's take raw memory addresses or print absolute paths).
"""

import json
import os
import resource
import sys

# Functions in FROM that read neither files nor settings nor memory addresses, and run no SQL from text.
# fmt: off
TABLE_FUNCTIONS = frozenset(
    [
        "range", "generate_series", "unnest", "repeat", "repeat_row", "json_each", "json_tree", "summary",
        "pragma_table_info", "table_info", "pragma_show", "show", "show_tables", "show_tables_expanded", "duckdb_columns",
        "duckdb_tables", "duckdb_views", "duckdb_constraints", "duckdb_schemas", "duckdb_types", "duckdb_functions",
        "duckdb_keywords", "pragma_version", "version", "icu_calendar_names", "pg_timezone_names", "test_all_types",
    ]
)
# fmt: on
# What would print paths and settings, wait, write to a log, or run SQL from text.
# fmt: off
FORBIDDEN_FUNCTIONS = frozenset(
    [
        "current_setting", "set_config", "getenv", "pg_sleep", "sleep_ms", "write_log", "json_execute_serialized_sql",
        "query", "query_table", "json_deserialize_sql", "duckdb_settings", "duckdb_secrets", "which_secret",
    ]
)
# fmt: on
# fmt: off
FORBIDDEN_VIEWS = frozenset(
    [
        "duckdb_databases", "pragma_database_list", "duckdb_settings", "pg_settings", "duckdb_logs", "duckdb_logs_parsed",
        "duckdb_secrets", "pg_prepared_statements", "duckdb_profiling_settings", "duckdb_temporary_files",
    ]
)
# fmt: on


class RefusedError(Exception):
    """The query is not allowed; the text is the answer."""


def main():
    """Answer one request; whatever goes wrong becomes one line."""
    request = json.loads(sys.stdin.buffer.read())
    give_up_rights(request["memory_mb"], request["cpu_s"])
    out = sys.stdout.buffer
    try:
        answer(request, out)
    except RefusedError as error:
        fail(out, str(error), request["path"])
    except MemoryError:
        fail(out, memory_line(request), request["path"])
    except Exception as error:
        fail(out, in_words(error, request), request["path"])
    out.flush()
    os._exit(0)  # nothing to tidy: the process is thrown away, and a big database handle takes long to close


def give_up_rights(memory_mb, cpu_s):
    """No file may grow, no core is dumped, memory and CPU end somewhere."""
    limits = {
        resource.RLIMIT_AS: memory_mb * 1024 * 1024,
        resource.RLIMIT_CPU: cpu_s,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 64,
    }
    for name, value in limits.items():
        try:
            resource.setrlimit(name, (value, value))
        except (OSError, ValueError):  # a system without this limit (macOS has no RLIMIT_AS) keeps the other layers
            continue


def answer(request, out):
    """Write a line with columns and types, a line per row, and a last line with what was left out."""
    import duckdb

    sql = request["sql"]
    check_single_select(duckdb, sql)
    con = connect(duckdb, request)
    check_functions(con, sql, is_public=request["hide_private"])
    params = {name: value(kind, cell) for name, (kind, cell) in request["params"].items()}
    cursor = con.execute(sql, params) if params else con.execute(sql)
    columns = [(column[0], str(column[1])) for column in cursor.description or []]
    write(out, {"columns": [name for name, _ in columns], "types": [kind for _, kind in columns]})
    write(out, send_rows(cursor, request, out))


def value(kind, cell):
    """A parameter as it was before it travelled."""
    from datetime import date, datetime

    return {"date": date.fromisoformat, "datetime": datetime.fromisoformat}[kind](cell) if kind else cell


def check_single_select(duckdb, sql):
    """Exactly one statement, and one that only reads."""
    statements = duckdb.extract_statements(sql)
    if not statements:
        raise RefusedError("the query is empty; write one SELECT, as in: from product limit 10")
    if len(statements) > 1:
        raise RefusedError(f"there are {len(statements)} statements; send exactly one SELECT")
    kind = statements[0].type.name
    if kind == "MULTI":
        raise RefusedError(
            "a PIVOT on its own becomes several statements; write it as: from (pivot … on … in ('a', 'b') using …)"
        )
    if kind != "SELECT":
        raise RefusedError(f"{kind} is not allowed here; send one SELECT (also FROM, WITH, VALUES, DESCRIBE or SUMMARIZE)")


def connect(duckdb, request):
    """Open the file so that nothing but it can be reached and nothing can be switched on again."""
    config = {
        "threads": request["threads"],
        "memory_limit": f"{request['duckdb_memory_mb']}MB",
        "temp_directory": "",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
        "python_enable_replacements": "false",
    }
    con = duckdb.connect(request["path"], read_only=True, config=config)
    con.execute("set timezone = 'UTC'")
    con.execute("set enable_external_access = false")  # after temp_directory, which it would forbid to change
    if request["hide_private"]:
        hide_private(con, request["root"])
    con.execute("set lock_configuration = true")
    return con


def hide_private(con, root):
    """Lay a view without private products over every relation; names with a schema, which would reach below, are refused."""
    sys.path.insert(0, root)
    from models.privacy import public_sql

    rows = con.execute(
        "select table_name, list(column_name) from duckdb_columns() where schema_name = 'main' and not internal group by 1"
    ).fetchall()
    database = con.execute("select current_database()").fetchall()[0][0].replace('"', '""')
    schema = f'"{database}".main'
    for relation, columns in rows:
        con.execute(f"create temp view {relation} as {public_sql(relation, columns, schema=schema)}")


def check_functions(con, sql, *, is_public):
    """Refuse table functions outside the list, and whatever prints paths or settings; a query that cannot be read is refused.

    With `is_public`, names with a schema are refused as well.
    """
    parsed = json.loads(con.execute("select json_serialize_sql(?)", [sql]).fetchone()[0])
    if parsed.get("error"):
        raise RefusedError(f"the query cannot be read: {parsed.get('error_message', 'unknown form')}")
    pending = [parsed["statements"]]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, dict):
            check_node(node)
            if is_public and node.get("type") == "BASE_TABLE" and is_below(node):
                raise RefusedError("names with a schema are not allowed here; write the relation's name alone")
            pending.extend(node.values())


def check_node(node):
    """One node of the parsed statement."""
    if node.get("type") == "TABLE_FUNCTION":
        name = str((node.get("function") or {}).get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise RefusedError(f"the function {name}() is not allowed in FROM; query the published relations (see: show tables)")
    if str(node.get("function_name", "")).lower() in FORBIDDEN_FUNCTIONS:
        raise RefusedError(f"the function {node['function_name'].lower()}() is not allowed here")
    if node.get("type") == "BASE_TABLE" and str(node.get("table_name", "")).lower() in FORBIDDEN_VIEWS:
        raise RefusedError(f"{node['table_name'].lower()} is not public; query the published relations (see: show tables)")


def is_below(node):
    """Whether a table is named by its schema or database, past the views that hide private rows."""
    schema = str(node.get("schema_name", "")).lower()
    return bool(node.get("catalog_name")) or schema not in ("", "information_schema", "pg_catalog")


def send_rows(cursor, request, out):
    """Rows until one of the limits; says which one cut them off."""
    left, sent, limit = request["max_bytes"], 0, request["max_rows"]
    while True:
        rows = cursor.fetchmany(min(1000, limit + 1 - sent))
        if not rows:
            return {"n": sent, "cut_by": ""}
        for row in rows:
            if sent == limit:
                return {"n": sent, "cut_by": "rows"}
            line = json.dumps([plain(cell) for cell in row], ensure_ascii=True, default=str).encode()
            left -= len(line)
            if left < 0:
                return {"n": sent, "cut_by": "bytes"}
            out.write(line + b"\n")
            sent += 1


def plain(cell):
    """A cell as JSON can carry it; the parent turns dates and decimals back by their column's type."""
    if cell is None or isinstance(cell, (str, int, float)):
        return cell
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell).hex()
    if isinstance(cell, dict):
        return {str(key): plain(value) for key, value in cell.items()}
    if isinstance(cell, (list, tuple, set)):
        return [plain(value) for value in cell]
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def write(out, message):
    """One line of JSON."""
    out.write(json.dumps(message, ensure_ascii=True).encode() + b"\n")


def fail(out, line, path):
    """The error as the last line, without a word about where things lie on this machine."""
    for hidden in (path, os.path.realpath(path), os.path.dirname(path)):
        line = line.replace(hidden, "the published file") if len(hidden) > 1 else line
    write(out, {"error": line})


def in_words(error, request):
    """An error of DuckDB as one line: no caret drawing, no engine's advice on settings that are locked."""
    text = str(error)
    if "Out of Memory" in text or "bad_alloc" in text or "could not allocate" in text.lower():
        return memory_line(request)
    head = text.split("\n\nLINE ")[0].split("\nLINE ")[0].split("\n\nPossible solutions")[0].split("Stack Trace")[0]
    return " ".join(head.split())[:500] or type(error).__name__


def memory_line(request):
    """What to say when the query wants more memory than it may have."""
    return f"the query needs more than {request['duckdb_memory_mb']} MB of memory; aggregate or filter earlier, or select fewer columns"


if __name__ == "__main__":
    main()
