"""Look at products' pages once a week and keep what was found; `models.liveness` says what it means.

product, signals -> targets (pure) -> look at each -> evidence (pure) -> probe
"""

from __future__ import annotations

import re
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flows.fetch import Client
from flows.parse.pool import ParsePool, shared_pool
from models.documents import transaction
from models.errors import FetchError, ParseError
from models.identity import safe_link
from models.liveness import Look, Probe, evidence
from models.store import insert_rows

if TYPE_CHECKING:
    import duckdb

    from models.settings import Settings

# slow pages are alive: people wait this long for them
PATIENCE_S = 40.0
AGAIN_AFTER = timedelta(days=6)
N_THREADS = 12
# when so many names vanish at once, our own name server is what is broken
BELIEVABLE_NO_HOST = 0.3
LIVING = ("alive", "acquired_running")


@dataclass(frozen=True, slots=True)
class Target:
    """A page that would show whether a product lives."""

    product_id: str
    name: str
    url: str


def probe_products(
    con: duckdb.DuckDBPyConnection,
    signals: Iterable[Mapping[str, Any]],
    *,
    clock: Callable[[], datetime],
    settings: Settings,
    say: Callable[[str], None] = lambda line: None,
    limit: int | None = None,
) -> dict[str, int]:
    """Look at the homepage and the repository of every product that is not known to have ended and was not looked at for six days.

    Returns counts by evidence class. A round in which a third of the names vanish is thrown away.
    """
    from flows.polling import open_client

    now = clock()
    chosen = targets(read_products(con), signals, read_last_looks(con), now)[:limit]
    if not chosen:
        return {"probed": 0}
    with open_client(settings) as client, ThreadPoolExecutor(N_THREADS) as threads:
        looks = list(threads.map(lambda target: look_at(target, client, shared_pool()), chosen))
    probes = [_probe(target, look, now) for target, look in zip(chosen, looks, strict=True)]
    kept = believable(probes)
    with transaction(con):
        insert_rows(con, "probe", [_row(probe) for probe in kept])
        _note_source(con, probes, kept, now)
    counts = Counter(probe.evidence for probe in kept)
    say(
        f"looked at {len(probes)} pages: "
        + (", ".join(f"{n} {name}" for name, n in counts.most_common()) or "not believed, thrown away")
    )
    return {"probed": len(probes), **counts}


def targets(
    products: Iterable[Mapping[str, Any]],
    signals: Iterable[Mapping[str, Any]],
    last_looks: Mapping[tuple[str, str], datetime],
    now: datetime,
) -> list[Target]:
    """Pages to look at now: each living product's homepage and, where known, repository and package page."""
    living = {row["product_id"]: row for row in products if (row["outcome"] or "alive") in LIVING}
    found = [
        Target(key, row["name"] or key, url)
        for key, row in living.items()
        if (url := safe_link((row["homepage"] or "").split(" ")[0]))
    ]
    pages = [
        row for row in signals if row["kind"] in ("repository", "pypi") and row["product_id"] in living and safe_link(row["url"])
    ]
    found += [Target(row["product_id"], living[row["product_id"]]["name"] or row["product_id"], row["url"]) for row in pages]
    unique = {(target.product_id, target.url): target for target in found}
    return [target for key, target in unique.items() if key not in last_looks or now - last_looks[key] >= AGAIN_AFTER]


def read_products(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Id, name, homepage and outcome of every product."""
    rows = con.execute("select product_id, name, homepage, outcome from product order by product_id").fetchall()
    return [dict(zip(("product_id", "name", "homepage", "outcome"), row, strict=True)) for row in rows]


def read_last_looks(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], datetime]:
    """When each page was last looked at."""
    return {
        (row[0], row[1]): row[2]
        for row in con.execute("select product_id, url, max(probed_at) from probe group by all").fetchall()
    }


def read_probes(con: duckdb.DuckDBPyConnection, until: datetime | None = None) -> list[Probe]:
    """Every stored look, up to an instant if one is given."""
    rows = con.execute(
        "select product_id, probed_at, url, evidence, http_status, detail from probe where probed_at <= coalesce($1, probed_at) order by 2",
        [until],
    ).fetchall()
    return [Probe(*row) for row in rows]


def look_at(target: Target, client: Client, pool: ParsePool) -> Look:
    """One patient look at a page."""
    name_server = resolve(urlsplit(target.url).hostname or "")
    if name_server != "ok":
        return Look(target.url, name_server)
    try:
        answer = client.get(target.url, deadline_s=PATIENCE_S)
    except FetchError as error:
        return Look(target.url, "ok", error=str(error))
    title, text = "", ""
    try:
        parsed = pool.parse("text", answer.body, url=answer.url, content_type=answer.headers.get("content-type", ""))
        title, text = parsed.title, parsed.entries[0].text if parsed.entries else ""
    except ParseError:
        pass
    return Look(target.url, "ok", answer.status, answer.url, title, text)


def resolve(host: str) -> str:
    """ok, no_host (the name does not exist) or unknown (nobody could say)."""
    try:
        socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return "no_host" if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)) else "unknown"
    except (OSError, UnicodeError):
        return "unknown"
    return "ok"


def believable(probes: Sequence[Probe]) -> list[Probe]:
    """The probes of a round, or none when so many names vanished that the fault must be ours; unknown ones say nothing."""
    vanished = sum(probe.evidence in ("no_host", "unknown") for probe in probes)
    return (
        [] if len(probes) >= 5 and vanished > BELIEVABLE_NO_HOST * len(probes) else [p for p in probes if p.evidence != "unknown"]
    )


def _probe(target: Target, look: Look, now: datetime) -> Probe:
    name, detail = evidence(look, target.name)
    return Probe(target.product_id, now, target.url, name, look.status, re.sub(r"\s+", " ", detail))


def _row(probe: Probe) -> dict[str, Any]:
    return {name: getattr(probe, name) for name in ("product_id", "probed_at", "url", "evidence", "http_status", "detail")}


def _note_source(con: duckdb.DuckDBPyConnection, probes: Sequence[Probe], kept: Sequence[Probe], now: datetime) -> None:
    """The rounds stand among the sources as one of kind liveness."""
    failed = bool(probes) and not kept
    row = {
        "source_id": "liveness",
        "title": "Liveness of products",
        "kind": "liveness",
        "url": None,
        "tier": "registry",
        "every_hours": 168.0,
        "is_active": True,
        "health": "failing" if failed else "fine",
        "health_since_at": now,
        "last_fetch_at": now,
        "last_success_at": None if failed else now,
        "n_failures": int(failed),
        "last_error": "too many host names vanished at once; the round was thrown away" if failed else None,
    }
    con.execute("delete from source where source_id = 'liveness'")
    insert_rows(con, "source", [row])
