"""The exchange in a folder and in a real S3 server on loopback, and what is published there."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from app import elsewhere
from app.cli import main
from flows import pipeline
from models import settings
from models.errors import SettingsError
from models.exchange import ExchangeError, NotThereError, open_exchange
from models.exports.stage import export
from models.publishing import DATABASE, POINTER, cache_of, fetch_database, latest, manifest_of, put_version
from tests.app import published
from tests.s3 import s3

__all__ = ["s3"]  # a fixture
NOW = datetime(2026, 8, 22, 12, tzinfo=UTC)


@pytest.fixture(params=["folder", "s3"])
def address(request, tmp_path):
    """The address of an empty exchange of either kind."""
    return str(tmp_path / "exchange") if request.param == "folder" else f"{request.getfixturevalue('s3')}/{tmp_path.name}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A published file and its exports, to be read only."""
    folder = tmp_path_factory.mktemp("made")
    export(published.write(folder / "lifeline.duckdb"), folder / "exports", NOW)
    return folder / "lifeline.duckdb", folder / "exports"


def test_what_is_written_is_read_listed_and_removed(address, tmp_path):
    """Bytes and files go there and come back; names are relative; removing twice is fine."""
    exchange = open_exchange(address)
    assert exchange.names("a") == []
    exchange.write("a/b/one.parquet", b"1")
    (tmp_path / "two").write_bytes(b"22")
    exchange.put("a/two.parquet", tmp_path / "two")
    assert exchange.names("a") == ["a/b/one.parquet", "a/two.parquet"]
    exchange.write("a/b/one.parquet", b"another")
    assert exchange.read("a/b/one.parquet") == b"another"
    exchange.get("a/two.parquet", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"22"
    for _ in range(2):
        exchange.delete("a/two.parquet")
    assert exchange.names("a") == ["a/b/one.parquet"]
    with pytest.raises(NotThereError, match=r"there is no a/two\.parquet"):
        exchange.read("a/two.parquet")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a//b", ".hidden", "a/../../b", "", "a\nb"])
def test_no_name_leads_out_of_the_exchange(address, name, tmp_path):
    """Names that others wrote into a manifest cannot reach other files of this machine."""
    exchange = open_exchange(address)
    for act in (
        exchange.read,
        exchange.delete,
        lambda name: exchange.write(name, b""),
        lambda name: exchange.get(name, tmp_path),
    ):
        with pytest.raises(ExchangeError, match="is no name of a file"):
            act(name)


def test_an_address_holds_no_password():
    """Credentials come from the environment alone, and the error does not repeat them."""
    with pytest.raises(SettingsError, match="no user or password") as raised:
        open_exchange("s3://who:hushhush@bucket/path")
    assert "hushhush" not in str(raised.value)


def test_an_address_that_cannot_be_is_named():
    """In one line with the remedy."""
    with pytest.raises(SettingsError, match="is no address of an exchange"):
        open_exchange("s3://")
    with pytest.raises((SettingsError, ExchangeError), match="nonsense"):
        open_exchange("nonsense://host/path")


def test_a_store_that_does_not_answer_is_one_line(s3, monkeypatch):
    """No bucket, no server: an error of ours that names the address."""
    with pytest.raises(ExchangeError, match="no-such-bucket"):
        open_exchange("s3://no-such-bucket").write("a", b"")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(ExchangeError, match="does not work"):
        open_exchange(s3).write("a", b"")


def test_a_snapshot_is_read_back_whole(address, made, tmp_path):
    """The file that readers get is the published one; every relation is there as Parquet; the second reading fetches nothing."""
    exchange = open_exchange(address)
    put_version(exchange, *made, NOW, include_private=True)
    file = fetch_database(exchange, tmp_path / "cache")
    assert file.read_bytes() == made[0].read_bytes()
    pointer = latest(exchange)
    names = set(manifest_of(exchange, pointer))
    assert names == {DATABASE} | {f"relations/{one.name}" for one in made[1].glob("*.parquet")}
    assert {f"published/{pointer.version}/{name}" for name in names} <= set(exchange.names("published"))
    written = file.stat().st_mtime_ns
    assert fetch_database(exchange, tmp_path / "cache") == file
    assert file.stat().st_mtime_ns == written


def test_nothing_of_a_private_product_goes_there_unasked(address, made, tmp_path):
    """The database on the exchange has its rows left out and everything else in, comments, too."""
    exchange = open_exchange(address)
    put_version(exchange, *made, NOW)
    file = fetch_database(exchange, tmp_path / "cache")
    with duckdb.connect(str(file), read_only=True) as con, duckdb.connect(str(made[0]), read_only=True) as whole:
        assert con.execute("select count(*) from product where product_id = 'secretco'").fetchall() == [(0,)]
        assert con.execute("select count(*) from product_job where product_id = 'secretco'").fetchall() == [(0,)]
        query = "select table_name, column_name, data_type, comment from duckdb_columns() order by all"
        assert con.execute(query).fetchall() == whole.execute(query).fetchall()
        n_public = whole.execute("select count(*) from product where not coalesce(is_private, false)").fetchall()
        assert con.execute("select count(*) from product").fetchall() == n_public
    assert b"Secret Co" not in file.read_bytes()


def test_old_versions_and_broken_uploads_are_removed(address, made):
    """Three versions stay, the newest among them; what an upload that broke off left is swept away by the next."""
    exchange = open_exchange(address)
    exchange.write("published/20200101T000000Z-0123456789ab/lifeline.duckdb", b"half of it")
    for day in range(5):
        put_version(exchange, *made, NOW + timedelta(days=day), include_private=True)
    versions = sorted({name.split("/")[1] for name in exchange.names("published")} - {"latest.json"})
    assert [version[:8] for version in versions] == ["20260824", "20260825", "20260826"]
    assert latest(exchange).version == versions[-1]


def test_an_upload_that_breaks_off_leaves_the_version_before(address, made, tmp_path, monkeypatch):
    """The pointer is written last: until then readers find what they found before."""
    exchange = open_exchange(address)
    put_version(exchange, *made, NOW, include_private=True)
    before = latest(exchange)
    broken = open_exchange(address)

    def put(name, file):
        if name.endswith("jump.parquet"):
            raise ExchangeError("the line is cut")
        type(broken).put(broken, name, file)

    monkeypatch.setattr(broken, "put", put)
    with pytest.raises(ExchangeError, match="the line is cut"):
        put_version(broken, *made, NOW + timedelta(days=1), include_private=True)
    assert latest(exchange) == before
    assert fetch_database(exchange, tmp_path / "cache").is_file()


@pytest.mark.parametrize("torn", [DATABASE, "manifest.json", "latest.json"])
def test_a_torn_upload_is_noticed(address, made, tmp_path, torn):
    """Sizes and hashes are checked before anything is read; nothing stays in the cache."""
    exchange = open_exchange(address)
    put_version(exchange, *made, NOW, include_private=True)
    name = POINTER if torn == "latest.json" else f"published/{latest(exchange).version}/{torn}"
    exchange.write(name, exchange.read(name)[:-9])
    with pytest.raises(ExchangeError, match=r"torn or changed|is no pointer of ours"):
        fetch_database(exchange, tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("*.duckdb"))


def test_an_empty_exchange_says_what_to_do(address, tmp_path):
    """Before the first publish."""
    with pytest.raises(ExchangeError, match="set LIFELINE_EXCHANGE"):
        fetch_database(open_exchange(address), tmp_path / "cache")


def test_sql_reads_from_an_exchange(address, made, home, capsys):
    """`lifeline sql --from` answers from what is published there, with nothing in the home."""
    put_version(open_exchange(address), *made, NOW)
    assert main(["sql", "select count(*) as n from product", "--from", address, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 3}]
    assert not (home / "lifeline.duckdb").exists()
    assert main(["sql", "from product", "--from", f"{address}/nowhere"]) == 1
    assert "nothing is published" in capsys.readouterr().err


def test_the_desk_follows_the_pointer(address, made, home, tmp_path):
    """One name holds the newest file; a newer publish replaces it, so that the desk's stamp changes; an unchanged one does not."""
    exchange, chosen = open_exchange(address), settings.load()
    put_version(exchange, *made, NOW)
    follower = elsewhere.Follower(address, chosen)
    assert follower.look()
    assert follower.file == cache_of(home, address) / DATABASE
    inode = follower.file.stat().st_ino
    assert not follower.look()
    assert follower.file.stat().st_ino == inode
    put_version(exchange, *made, NOW + timedelta(days=1), include_private=True)
    assert follower.look()
    assert follower.file.stat().st_ino != inode
    assert follower.file.read_bytes() == made[0].read_bytes()


def test_the_desk_is_told_which_file_to_read(home, tmp_path, monkeypatch):
    """The child's environment names it, and the settings there take it."""
    from app.commands import ui

    found = ui.environment(home, tmp_path / "x.duckdb")
    assert settings.load(found).published == tmp_path / "x.duckdb"
    assert settings.load(found).home == home


def job(say):
    return pipeline.Job(date(2026, 8, 22), NOW + timedelta(days=90), is_offline=True, say=say)


def test_a_run_publishes_to_the_exchange_and_goes_on_without_it(home, monkeypatch, tmp_path):
    """A folder gets the snapshot; when it cannot be written the run is partial, and the home has published all the same."""
    monkeypatch.setenv("LIFELINE_TAGGER", "keyword")
    monkeypatch.setenv("LIFELINE_EXCHANGE", str(tmp_path / "exchange"))
    outcome = pipeline.run(job(lambda line: None), settings.load())
    assert outcome.status == "ok"
    assert outcome.counts["publish"]["exchange_file"] > 20
    first = latest(open_exchange(str(tmp_path / "exchange")))
    monkeypatch.setenv("LIFELINE_EXCHANGE", str(tmp_path / "a-file" / "x"))
    (tmp_path / "a-file").write_text("in the way")
    said: list[str] = []
    again = pipeline.run(job(said.append), settings.load())
    assert again.status == "partial"
    assert [line for line in said if "does not work" in line]
    assert latest(open_exchange(str(tmp_path / "exchange"))) == first
    assert settings.load().published.is_file()
