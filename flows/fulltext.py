"""Read pages in full where a feed gives only titles: a few a run, newest first, each once, as robots.txt allows."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.fetch import Client, is_loopback
from flows.parse.pool import ParsePool
from flows.robots import Robots
from models.documents import Entry, store_documents, transaction
from models.errors import FetchError, ParseError
from models.store import insert_rows
from models.types import Source

if TYPE_CHECKING:
    import duckdb

# the voice that a text read from the page itself has; no feed's shorter text replaces it
VOICE = "fulltext"
SHORT = 200
N_THREADS = 4


@dataclass(frozen=True, slots=True)
class Page:
    """A document whose page is to be read."""

    document_id: str
    url: str
    title: str


def read_full_texts(
    con: duckdb.DuckDBPyConnection, client: Client, pool: ParsePool, robots: Robots, now: datetime, limit: int
) -> dict[str, int]:
    """Read up to `limit` pages of documents with next to no text; returns counts read and failed."""
    pages = wanted(con, now, limit)
    if not pages:
        return {"pages_read": 0, "pages_failed": 0}
    with ThreadPoolExecutor(N_THREADS) as threads:
        found = list(threads.map(lambda page: _read(page, client, pool, robots), pages))
    with transaction(con):
        for page, entry, _ in found:
            if entry:
                store_documents(
                    con, [replace(entry, title=page.title, key=_key_of(con, page))], Source(VOICE, "", "fulltext", ""), now
                )
        con.execute("delete from document_source where source_id = ?", [VOICE])
        rows = [{"document_id": page.document_id, "tried_at": now, "error": error or None} for page, _, error in found]
        insert_rows(con, "fulltext_try", rows, conflict="or replace")
    n_read = sum(entry is not None for _, entry, _ in found)
    return {"pages_read": n_read, "pages_failed": len(found) - n_read}


def wanted(con: duckdb.DuckDBPyConnection, now: datetime, limit: int) -> list[Page]:
    """Documents of the last month that say no more than their title, newest first; none of sources on this machine."""
    rows = con.execute(
        """
        select document_id, document.url, document.title, source.url
        from document join source using (source_id)
        where length(document.text) < $short and document.url is not null and source.kind in ('feed', 'sitemap', 'auto')
          and source.tier <> 'discussion' and facts is null and document.first_seen_at > $now - interval 31 day
          and document_id not in (select document_id from fulltext_try)
        order by coalesce(published_at, document.first_seen_at) desc
        limit $limit
        """,
        {"short": SHORT, "now": now, "limit": limit},
    ).fetchall()
    return [Page(doc, url, title) for doc, url, title, source in rows if not is_loopback(urlsplit(source).hostname or "")]


def _key_of(con: duckdb.DuckDBPyConnection, page: Page) -> str:
    rows: Sequence[tuple[str]] = con.execute(
        "select identity from document_identity where document_id = ? order by 1 limit 1", [page.document_id]
    ).fetchall()
    return rows[0][0]


def _read(page: Page, client: Client, pool: ParsePool, robots: Robots) -> tuple[Page, Entry | None, str]:
    try:
        if not robots.allows(page.url):
            return page, None, "robots.txt does not allow it"
        answer = client.get(page.url)
        if answer.status != 200:
            return page, None, f"answers with status {answer.status}"
        parsed = pool.parse("fulltext", answer.body, url=answer.url, content_type=answer.headers.get("content-type", ""))
    except (FetchError, ParseError) as error:
        return page, None, str(error)
    return page, parsed.entries[0], ""
