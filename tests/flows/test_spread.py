"""Heavy stages on real clusters of two local processes: the same rows as in one process, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from itertools import zip_longest

import pytest

from flows.health import State
from flows.ingest import ingest
from flows.spread import fetching, work
from flows.spread.devices import batch_tokens, visible_device
from flows.spread.handover import HandOver
from flows.spread.rows import from_parquet, outcome_table, outcomes_of, state_table, states_of, to_parquet
from flows.spread.runner import Runner, parse_runner
from flows.spread.shards import cut_documents, cut_hosts, fingerprint
from flows.spread.tagging import tag_elsewhere, with_devices
from models import settings
from models.errors import SettingsError
from models.exchange import open_exchange
from models.store import insert_rows, open_work
from models.tagger import load_tagger
from models.tags import n_pending, pending_batches, pending_keys, pending_texts, store_tags
from tests.flows.pressroom import feed, sources_csv
from tests.flows.site import NOW, config, item, rss, source
from tests.s3 import s3

__all__ = ["s3"]  # a fixture

WORDS = (
    "OpenAI launches image generation in ChatGPT",
    "Anthropic adds voice to Claude for everyone",
    "Our office moves",
    "谷歌发布新的视频生成模型",
)


def a_store(home, n):
    """A store with `n` documents of four kinds, to be closed by the caller."""
    opened = open_work(home)
    con = opened.__enter__()
    rows = [
        {
            "document_id": f"d{i:05}",
            "source_id": "s",
            "title": f"{WORDS[i % 4]} {i}",
            "text": f"Available today. {WORDS[i % 4]}. " * 4,
            "lang": "en",
            "first_seen_at": NOW,
            "content_hash": f"h{i}",
        }
        for i in range(n)
    ]
    insert_rows(con, "document", rows)
    return con, opened


@pytest.fixture
def stores(tmp_path):
    """Makes stores, and closes them."""
    opened = []

    def make(name, n):
        con, context = a_store(tmp_path / name, n)
        opened.append(context)
        return con

    yield make
    for context in opened:
        context.__exit__(None, None, None)


def here(con, tagger):
    """Tag whatever is pending in this process, as the stage does."""
    for batch in pending_batches(con, tagger.name, 256):
        store_tags(con, tagger.name, tagger.tag(batch), NOW)


def tags_of(con):
    """Every row that tagging made."""
    kinds = con.execute("from tagging order by document_id, tagger").fetchall()
    labels = con.execute("from tagging_label order by document_id, tagger, capability").fetchall()
    assert kinds
    return kinds, labels


def config_of(home, **more):
    return settings.load({"LIFELINE_HOME": str(home), "LIFELINE_TAGGER": "keyword", **more})


def elsewhere(con, chosen, runner, said, **more):
    tagger = load_tagger(chosen)
    return tag_elsewhere(con, chosen, parse_runner(runner), tagger.name, lambda: NOW, said.append, **{"fewest": 1, **more})


@pytest.fixture(scope="module", autouse=True)
def _environment():
    """What Prefect and Ray are told in the environment is forgotten afterwards."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def prefect(tmp_path_factory, migrated):
    """One Prefect server for all runs of these tests, which a stage finds as it does in a scheduled run."""
    pytest.importorskip("prefect_dask", reason="needs the extra `dask`")
    from flows.prefect_api import Api, configure

    home = tmp_path_factory.mktemp("prefect")
    migrated(home)
    configure(home, log_level="CRITICAL")
    api = Api(home, services=False)
    api.start()
    api.wait()
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with temporary_settings({PREFECT_API_URL: api.url}):
        yield api.url
    api.stop()


@pytest.fixture(scope="module")
def dask(prefect):
    """A Dask cluster of somebody else, by its address."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, silence_logs=50, scheduler_kwargs={"dashboard": False}
    ) as cluster:
        yield f"dask:{cluster.scheduler_address}"


class Killer(threading.Thread):
    """Kills with -9 the worker that brings the first result, while others are still to come."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.killed = folder, 0
        self.start()

    def run(self):
        """Look until there is a result."""
        until = time.monotonic() + 600
        while time.monotonic() < until:
            for file in self.folder.rglob("*.done.parquet"):
                with suppress(Exception):
                    self.killed = int(from_parquet(file.read_bytes())[1]["worker"].rpartition(":")[2])
                    os.kill(self.killed, signal.SIGKILL)
                    return
            time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["dask", "ray"])
def test_a_cluster_tags_as_one_process_does_even_when_a_worker_is_killed(stores, tmp_path, prefect, engine):
    """Row for row, with one of two local workers killed after its first shard."""
    pytest.importorskip(f"prefect_{engine}", reason=f"needs the extra `{engine}`")
    alone, spread, said = stores("alone", 4000), stores("spread", 4000), []
    here(alone, load_tagger("keyword"))
    killer = Killer(tmp_path / "spread" / "exchange")
    n = elsewhere(spread, config_of(tmp_path / "spread"), f"{engine}:2", said, size=250)
    assert n == 4000, said
    assert killer.killed
    assert not [line for line in said if "going on" in line or "failed" in line]
    assert tags_of(spread) == tags_of(alone)
    assert not list((tmp_path / "spread" / "exchange").rglob("*.parquet"))


@pytest.mark.slow
def test_the_shipped_tagger_says_the_same_on_a_cluster(stores, tmp_path, dask):
    """The embedded tagger on workers gives the tags, to the last digit, that it gives here."""
    pytest.importorskip("torch", reason="needs the extra `tagger`")
    alone, spread, said = stores("alone", 40), stores("spread", 40), []
    tagger = load_tagger("embedded", "cpu")
    here(alone, tagger)
    chosen = config_of(tmp_path / "spread", LIFELINE_TAGGER="embedded", LIFELINE_DEVICE="cpu")
    assert load_tagger(chosen).name == tagger.name, "the weights of this checkout were replaced while the test ran"
    assert elsewhere(spread, chosen, dask, said, size=16) == 40, said
    for here_, there in zip(tags_of(alone), tags_of(spread), strict=True):
        assert [pair for pair in zip_longest(here_, there) if pair[0] != pair[1]][:1] == []


def test_a_ray_address_where_nothing_listens_costs_one_line(stores, tmp_path):
    """At once, and with what to start there; Ray's own client would try for half a minute."""
    pytest.importorskip("prefect_ray", reason="needs the extra `ray`")
    con, said = stores("spread", 10), []
    began = time.monotonic()
    assert elsewhere(con, config_of(tmp_path / "spread"), "ray:ray://127.0.0.1:9", said) == 0
    assert "nothing listens at 127.0.0.1:9" in said[-1]
    assert "going on in this process" in said[-1]
    assert time.monotonic() - began < 30


def test_a_ray_cluster_that_asks_for_a_token_is_named():
    """Ray's client says no more than that it timed out."""
    from flows.spread.engines import why

    away = Runner("ray", address="ray://h:1")
    assert "RAY_AUTH_MODE" in why(away, ConnectionError("ray client connection timeout"))
    assert why(away, ValueError("x")) == why(Runner("ray", 2), ConnectionError("x")) == ""


def test_a_cluster_of_our_own_has_a_token_of_its_own():
    """Known to its processes only; what somebody set is left alone."""
    from flows.spread.engines import _own_token

    environ, chosen = {}, {"RAY_AUTH_MODE": "disabled"}
    _own_token(environ)
    _own_token(chosen)
    assert environ["RAY_AUTH_MODE"] == "token"
    assert len(environ["RAY_AUTH_TOKEN"]) == 64
    assert chosen == {"RAY_AUTH_MODE": "disabled"}


def pages(site, n):
    for i in range(n):
        site.pages[f"/f{i}"] = feed(f"f{i}", (f"First of {i}", "2026-08-01", "text " * 9), (f"Second of {i}", "2026-08-02", ""))
    site.pages["/broken"] = (500, {}, b"")
    site.pages["/gone"] = (410, {}, b"")
    site.pages["/later"] = (429, {"Retry-After": "7200"}, b"")
    return [source(site.url + path, path.strip("/")) for path in sorted(site.pages)]


KEPT = {
    "document": "* exclude (url)",
    "document_identity": "document_id",
    "document_source": "*",
    "source": "*",
    "fetch_log": "* exclude (seconds)",
}


def stored(con):
    """What polling keeps, but for how long it took."""
    return {table: con.execute(f"select {columns} from {table} order by all").fetchall() for table, columns in KEPT.items()}


def poll(con, home, sources, runner=None, said=None, days=0):
    chosen = config(home)
    now = NOW + timedelta(days=days)

    def away(due, store, at):
        return fetching.poll_elsewhere(con, chosen, parse_runner(runner), due, store, at, said.append, fewest=1)

    return ingest(con, sources, clock=lambda: now, settings=chosen, elsewhere=away if runner else None)


@pytest.mark.slow
def test_a_cluster_polls_as_one_process_does(stores, tmp_path, site, dask):
    """Documents, states and log are the same in a first and in a second poll, which sends the validators of the first."""
    sources = pages(site, 12)
    alone, spread, said = stores("alone", 0), stores("spread", 0), []
    counts = [poll(alone, tmp_path / "alone", sources, days=days) for days in (0, 1)]
    site.asked.clear()
    assert [poll(spread, tmp_path / "spread", sources, dask, said, days) for days in (0, 1)] == counts
    assert not [line for line in said if "going on" in line or "failed" in line]
    assert stored(spread) == stored(alone)
    assert counts[1]["not_modified"] == 12
    assert sum("if-none-match" in headers for _, headers in site.asked) == 12


@pytest.mark.slow
def test_a_scheduled_run_spreads_its_stages(home, tmp_path, site, dask, monkeypatch):
    """Within a Prefect flow, whose tasks hold the store's connection, both stages go to the cluster that the setting names."""
    from datetime import date

    from prefect import flow

    from flows import pipeline
    from flows.daily import as_task

    pages(site, 4)
    more = {"RUNNER": dask, "TAGGER": "keyword", "ALLOW_PRIVATE": "1", "FULLTEXT_PER_RUN": "0"}
    for name, value in more.items():
        monkeypatch.setenv(f"LIFELINE_{name}", value)
    for function in (tag_elsewhere, fetching.poll_elsewhere):
        monkeypatch.setitem(function.__kwdefaults__, "fewest", 1)
    said = []
    sources = sources_csv(site, tmp_path / "sources.csv")
    job = pipeline.Job(date(2026, 8, 22), NOW, stages=("ingest", "tag"), sources=sources, say=said.append)
    outcome = flow(lambda: pipeline.run(job, settings.load(), as_task), name="scheduled", persist_result=False)()
    assert outcome.counts["ingest"]["new"] == outcome.counts["tag"]["tagged"] == 8
    assert [line for line in said if line.startswith("polling 7 sources on 7 hosts")]
    assert [line for line in said if line.startswith("tagging 8 documents")]
    assert not [line for line in said if "going on" in line]


@pytest.mark.slow
def test_a_host_is_asked_with_its_pauses_on_a_cluster(stores, tmp_path, site, dask):
    """Sources of one host go to one worker, which keeps the pause between them, however many workers there are."""
    times = []

    def answer(handler):
        times.append(time.monotonic())
        body = rss(item("a"))
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    site.pages |= {f"/p{i}": answer for i in range(4)}
    port = site.url.rpartition(":")[2]
    sources = [source(f"http://2130706433:{port}/p{i}", f"p{i}") for i in range(4)]  # loopback under a name that is not excepted
    con = stores("spread", 0)
    assert poll(con, tmp_path / "spread", sources, dask, [])["failed"] == 0
    gaps = [later - sooner for sooner, later in zip(sorted(times), sorted(times)[1:], strict=False)]
    assert len(gaps) == 3
    assert min(gaps) > 0.4


def test_a_cluster_that_is_not_there_costs_one_line(stores, tmp_path):
    """The work is done here; the stage is none the worse."""
    con, said = stores("spread", 600), []
    assert elsewhere(con, config_of(tmp_path / "spread"), "dask:tcp://127.0.0.1:9", said, size=256) == 0
    assert [line for line in said if "going on in this process" in line]
    here(con, load_tagger("keyword"))
    assert n_pending(con, "keyword-1") == 0


def test_without_the_package_it_is_said_what_to_install(stores, tmp_path, monkeypatch):
    """One line, with the command."""
    monkeypatch.setitem(sys.modules, "prefect_ray", None)
    con, said = stores("spread", 10), []
    assert elsewhere(con, config_of(tmp_path / "spread"), "ray", said) == 0
    assert "pip install 'lifeline[ray]'" in said[-1]


@pytest.fixture(params=["folder", "s3"])
def killed_run(request, stores, tmp_path):
    """A store whose writer was killed when a worker had done the first of two shards."""
    where = "" if request.param == "folder" else f"{request.getfixturevalue('s3')}/{tmp_path.name}"
    con, chosen = stores("spread", 600), config_of(tmp_path / "spread", LIFELINE_EXCHANGE=where)
    hand = HandOver(con, chosen, "tag")
    first, second = cut_documents("keyword-1", pending_keys(con, "keyword-1"), 300)
    for shard in (first, second):
        hand.give(shard.shard_id, pending_texts(con, "keyword-1", shard.first, shard.last))
    work.tag_shard(hand.exchange.address, hand.folder, first.shard_id, "keyword", "cpu", "keyword-1")
    return con, chosen, hand, first


def test_what_a_killed_run_left_is_merged_once(stores, tmp_path, killed_run):
    """The next run merges the finished shard, without a cluster, sweeps the rest away, and the whole is as if nothing had happened."""
    con, chosen, hand, first = killed_run
    result = hand.exchange.read(work.done(hand.folder, first.shard_id))
    if chosen["exchange"] == "":  # a worker that died while it wrote
        (hand.exchange.root / hand.folder / f".{first.shard_id}.done.parquet.77.tmp").write_bytes(result[:99])
    assert elsewhere(con, chosen, "dask", [], fewest=10_000) == 300
    assert hand.exchange.names(hand.folder) == []
    assert not [file for file in (tmp_path / "spread").glob("exchange/**/*") if file.is_file()]
    hand.exchange.write(work.done(hand.folder, first.shard_id), result)  # a worker that was late
    assert elsewhere(con, chosen, "dask", [], fewest=10_000) == 0
    here(con, load_tagger("keyword"))
    alone = stores("alone", 600)
    here(alone, load_tagger("keyword"))
    assert tags_of(con) == tags_of(alone)


def test_a_result_for_an_older_text_is_not_merged(killed_run):
    """A document that changed since is tagged anew."""
    con, chosen, _, _ = killed_run
    con.execute("update document set content_hash = 'other' where document_id = 'd00007'")
    assert elsewhere(con, chosen, "dask", [], fewest=10_000) == 299
    assert "d00007" in [key for key, _ in pending_keys(con, "keyword-1")]


@pytest.mark.parametrize("damage", [b"", b"PAR1 torn", b"no Parquet at all" * 99])
def test_a_torn_result_is_no_result(killed_run, damage):
    """It is neither merged nor taken for done; the shard is made again."""
    con, chosen, hand, first = killed_run
    name = work.done(hand.folder, first.shard_id)
    hand.exchange.write(name, damage)
    assert not work.is_done(hand.exchange, hand.folder, first.shard_id)
    work.tag_shard(hand.exchange.address, hand.folder, first.shard_id, "keyword", "cpu", "keyword-1")
    assert work.is_done(hand.exchange, hand.folder, first.shard_id)
    hand.exchange.write(name, damage)
    assert elsewhere(con, chosen, "dask", [], fewest=10_000) == 0


def test_a_shard_that_is_done_is_not_done_again(killed_run, monkeypatch):
    """Given out twice, it is made once."""
    _, _, hand, first = killed_run
    monkeypatch.setattr(work, "tagger_here", None)
    assert work.tag_shard(hand.exchange.address, hand.folder, first.shard_id, "keyword", "cpu", "keyword-1") == first.shard_id


def test_polls_of_a_killed_run_are_stored_once_and_ask_nobody(stores, tmp_path, site):
    """What a worker fetched before the writer died is stored by the next run; a third finds nothing left."""
    sources = pages(site, 2)[2:3] + pages(site, 2)[:2]
    con, chosen = stores("spread", 0), config(tmp_path / "spread")
    from flows.sources import read_states, sync

    states = read_states(con, sync(con, sources))
    hand = HandOver(con, chosen, "fetch")
    (shard, *_) = cut_hosts(states, 1)
    hand.give(shard.shard_id, state_table(shard.states, [fingerprint(state) for state in shard.states]))
    options = fetching.options(chosen, Runner("dask", 2))
    work.fetch_shard(hand.exchange.address, hand.folder, shard.shard_id, NOW.isoformat(), options)
    result = hand.exchange.read(work.done(hand.folder, shard.shard_id))
    site.asked.clear()
    told = poll(con, tmp_path / "spread", sources, "dask:tcp://127.0.0.1:9", [])
    assert told["new"] == 4
    assert not site.asked
    before = stored(con)
    hand.exchange.write(work.done(hand.folder, shard.shard_id), result)
    left = fetching.poll_elsewhere(con, chosen, Runner("dask"), read_states(con), _nothing, NOW, [].append, fewest=999)
    assert len(left) == len(sources)
    assert stored(con) == before


def _nothing(batch):
    raise AssertionError("nothing is to be stored")


def test_old_polls_are_not_taken_for_new():
    """After half an hour a source is asked again."""
    assert fetching.is_fresh(NOW.isoformat(), NOW + timedelta(minutes=29))
    assert not fetching.is_fresh(NOW.isoformat(), NOW + timedelta(minutes=31))
    assert not fetching.is_fresh(NOW.isoformat(), NOW - timedelta(minutes=1))
    assert not fetching.is_fresh(None, NOW)


def test_states_and_outcomes_survive_their_parquet(site, tmp_path, pool):
    """What a worker reads and what the writer gets back are what was handed over."""
    from flows.polling import Tools, open_client
    from flows.polling import poll as poll_one
    from flows.robots import Robots

    states = [State(one, health="fine", health_since_at=NOW, etag='"1"', n_failures=0, moved_to=None) for one in pages(site, 3)]
    marks = [fingerprint(state) for state in states]
    assert len(set(marks)) == len(marks)
    table, about = from_parquet(to_parquet(state_table(states, marks), {"a": 1}))
    assert about == {"a": 1}
    assert states_of(table) == list(zip(marks, states, strict=True))
    with open_client(config(tmp_path)) as client:
        tools = Tools(client, pool, Robots(client))
        outcomes = [(mark, poll_one(state, tools)) for mark, state in zip(marks, states, strict=True)]
    back = outcomes_of(from_parquet(to_parquet(outcome_table(outcomes), {}))[0])
    assert [(mark, told.parsed, told.kind, told.hold_s) for mark, told in back] == [
        (mark, told.parsed, told.kind, told.hold_s) for mark, told in outcomes
    ]
    assert any(told.parsed for _, told in back)
    assert [dict(told.headers) for _, told in back] == [dict(told.headers) for _, told in outcomes]


def test_shards_of_documents_cover_them_once_and_are_named_by_content():
    """Consecutive, each document in one; another text, another tagger, another id."""
    keys = [(f"d{i:04}", f"h{i}") for i in range(1000)]
    shards = cut_documents("t", keys, 300)
    assert [shard.n for shard in shards] == [300, 300, 300, 100]
    assert [shard.first for shard in shards] == ["d0000", "d0300", "d0600", "d0900"]
    assert cut_documents("t", keys, 300) == shards
    changed = cut_documents("t", [*keys[:-1], ("d0999", "new")], 300)
    assert [a.shard_id == b.shard_id for a, b in zip(shards, changed, strict=True)] == [True, True, True, False]
    assert not {shard.shard_id for shard in cut_documents("u", keys, 300)} & {shard.shard_id for shard in shards}
    assert len(cut_documents("t", keys, 1, most=7)) <= 7
    assert cut_documents("t", [], 300) == []


def test_a_host_lies_in_one_shard():
    """Shards are about as large as each other, and no host is in two; a source that moved counts where it moved to."""
    states = [State(source(f"https://h{i % 7}.example/{i}", f"s{i}")) for i in range(70)]
    states.append(State(source("https://old.example/x", "moved"), moved_to="https://h0.example/x"))
    shards = cut_hosts(states, 3)
    hosts = [{state.url.split("/")[2] for state in shard.states} for shard in shards]
    assert sum(len(found) for found in hosts) == len(set().union(*hosts)) == 7
    assert sorted(state.source.source_id for shard in shards for state in shard.states) == sorted(
        state.source.source_id for state in states
    )
    assert max(len(shard.states) for shard in shards) <= 31
    assert len(cut_hosts(states, 100)) == 7


def test_any_poll_gives_a_source_another_name():
    """A fingerprint holds for one state only, however the library names its time zone."""
    from zoneinfo import ZoneInfo

    state = State(source("https://example.org/feed"), last_fetch_at=NOW)
    same = State(source("https://example.org/feed"), last_fetch_at=NOW.astimezone(ZoneInfo("Asia/Shanghai")))
    assert fingerprint(state) == fingerprint(same)
    assert fingerprint(state) != fingerprint(State(source("https://example.org/feed"), last_fetch_at=NOW + timedelta(seconds=1)))


@pytest.mark.parametrize(
    ("text", "runner"),
    [
        ("", None),
        ("dask", Runner("dask")),
        ("ray:4", Runner("ray", 4)),
        ("dask:tcp://10.0.0.1:8786", Runner("dask", None, "tcp://10.0.0.1:8786")),
        ("ray:ray://head:10001", Runner("ray", None, "ray://head:10001")),
    ],
)
def test_the_setting_names_a_cluster(text, runner):
    """Empty is this process; an engine, a number of workers, or an address."""
    assert parse_runner(text) == runner


@pytest.mark.parametrize("text", ["spark", "dask:0", "dask:many", "ray:tcp://x:1", "dask:http://x", ":4"])
def test_a_runner_that_cannot_be_is_refused(text):
    """In one line that says what can."""
    with pytest.raises(SettingsError, match="write nothing, dask, ray"):
        parse_runner(text)


def test_each_worker_takes_a_gpu_of_its_own():
    """Workers share out the devices of their machine; one device, or a choice of the operator's, is left alone."""
    assert [visible_device(rank, 4, {}) for rank in range(5)] == ["0", "1", "2", "3", "0"]
    assert visible_device(1, 4, {"CUDA_VISIBLE_DEVICES": "2,3"}) == "3"
    assert visible_device(1, 4, {"CUDA_VISIBLE_DEVICES": "2"}) is None
    assert visible_device(0, 1, {}) is None
    assert visible_device(-1, 4, {}) is None


def test_there_are_as_many_workers_as_gpus():
    """Unless a number was given; a tagger on the CPU takes a core each."""
    assert with_devices(Runner("dask"), "embedded", "auto", 4) == Runner("dask", 4, has_gpus=True)
    assert with_devices(Runner("ray", 2), "embedded", "cuda", 4) == Runner("ray", 2, has_gpus=True)
    assert with_devices(Runner("ray", address="ray://h:1"), "embedded", "cuda", 0).has_gpus
    for tagger, device, n in (("keyword", "auto", 4), ("embedded", "cpu", 4), ("embedded", "auto", 0)):
        assert with_devices(Runner("dask"), tagger, device, n) == Runner("dask")


def test_batches_fit_the_device():
    """Larger memory, larger batches, within bounds; always a power of two."""
    sizes = [batch_tokens(gigabytes << 30) for gigabytes in (1, 8, 24, 80, 141)]
    assert sizes == sorted(sizes)
    assert all(size & (size - 1) == 0 for size in sizes)
    assert sizes[0] >= 4096


def test_two_trackers_on_one_exchange_do_not_meet(stores, tmp_path):
    """Each sweeps its own folder only."""
    shared = str(tmp_path / "shared")
    first, second = (
        HandOver(stores(name, 0), config_of(tmp_path / name, LIFELINE_EXCHANGE=shared), "tag") for name in ("one", "two")
    )
    table = outcome_table([])
    first.give("a", table)
    second.give("a", table)
    first.sweep()
    assert len(open_exchange(shared).names("spread")) == 1
