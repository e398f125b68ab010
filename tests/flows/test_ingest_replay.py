"""Real feeds, changelogs and a registry, served as they stood on each of a row of days: nothing is lost, nothing is doubled."""

from __future__ import annotations

import csv
import subprocess
import sys
import tarfile
import urllib.request
from datetime import UTC, datetime

import pytest

from flows.ingest import ingest
from models.identity import canonical_url
from models.types import Source
from tests.flows.site import config

DAYS = [
    datetime(2026, 1, 31, 12, tzinfo=UTC),
    datetime(2026, 8, 22, 12, tzinfo=UTC),
]


@pytest.fixture(scope="module")
def base(shared):
    """The address of the server of recorded feeds."""
    server = subprocess.Popen(
        [sys.executable, str(shared / "tools" / "replay.py"), "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    yield server.stdout.readline().strip()
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def listed(shared):
    """Every entry's address that a feed listed on one of the days, read without any of our parsers."""
    from lxml import etree

    newest: dict[tuple[str, datetime], tuple[str, bytes]] = {}
    with tarfile.open(shared / "replay" / "snapshots.tar.xz") as archive:
        for member in archive:
            if not member.name.endswith(".xml"):
                continue
            folder, stamp = member.name.rsplit("/", 1)
            taken = datetime.strptime(stamp[:-4], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
            body = archive.extractfile(member).read()
            for day in DAYS:
                if taken <= day and newest.get((folder, day), ("", b""))[0] < stamp:
                    newest[folder, day] = (stamp, body)
    parser = etree.XMLParser(recover=True)
    return {
        (link.text or "").strip()
        for _, body in newest.values()
        for link in etree.fromstring(body, parser).iterfind(".//item/link")
    }


@pytest.mark.slow
def test_every_entry_ever_listed_is_stored_exactly_once(shared, base, listed, store, tmp_path):
    """Forty-nine paths on two days: each address stands once; a second poll of a day adds nothing and gets only 304s and 404s."""
    rows = list(csv.DictReader((shared / "replay" / "sources.csv").open()))
    sources = [
        Source(row["path"].strip("/").replace("/", "-"), row["title"], "auto", base + row["path"], row["site"]) for row in rows
    ]
    for day in DAYS:
        urllib.request.urlopen(
            urllib.request.Request(f"{base}/__clock?at={day:%Y-%m-%dT%H:%M:%S}", method="POST", data=b"")
        ).read()
        ingest(store, sources, clock=lambda day=day: day, settings=config(tmp_path))
        again = ingest(store, sources, clock=lambda day=day: day, settings=config(tmp_path))
        assert (again["new"], again["changed"]) == (0, 0)
        assert again["not_modified"] + again["failed"] == len(sources)
    assert again["failed"] == 0
    feed_urls = [url for (url,) in store.execute("select url from document where source_id like 'feeds-%'").fetchall()]
    stored = [canonical_url(url) for url in feed_urls]
    assert len(stored) == len(set(stored))
    assert {canonical_url(url) for url in listed} == set(stored)
    late = store.execute("select count(*) from document where published_at > first_seen_at and not is_date_suspect").fetchall()
    assert late == [(0,)]
    assert store.execute("select count(*) from source where health not in ('fine', 'stale')").fetchall() == [(0,)]
    kinds = {
        change
        for (change,) in store.execute("select distinct facts ->> 'change' from document where facts is not null").fetchall()
    }
    assert kinds == {"new_model", "capability_on", "price_drop", "context_up", "retired"}
    # edits that the second of the two days shows of what the first had listed: 25 when this was written
    assert store.execute("select count(*) from document where n_versions > 1").fetchall()[0][0] >= 20
