"""The pipeline, stage by stage: plain functions of a context that answer with counts. Prefect wraps them in `flows.daily`.

    sources -> ingest   fetch and parse; store new documents and new versions of known ones
            -> tag      say what each untagged document is about
            -> detect   documents, tags, catalogue and rulings become jumps
            -> derive   jumps and products become exposures, spells and lifelines
            -> publish  write the published file and the exports
            -> notify   send what changed to those who watch

Documents and tags are kept as they come; everything after them is recomputed whole. In the counts, `failed` above 0 means that
part of the work failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from models.errors import LifelineError, SettingsError

if TYPE_CHECKING:
    import duckdb

    from flows.ingest import Elsewhere
    from flows.spread.runner import Runner
    from models.catalogue import Catalogue
    from models.settings import Settings
    from models.types import Source

Counts = dict[str, Any]
TAG_BATCH = 256


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a stage may look at. `clock` is the only time there is; `say` takes one line of progress.

    `signs` are the sources where products show signs of life: many, slow to change, and polled only when they are due.
    """

    con: duckdb.DuckDBPyConnection
    settings: Settings
    catalogue: Catalogue
    sources: Sequence[Mapping[str, Any]]
    signs: Sequence[Source]
    as_of: date
    clock: Callable[[], datetime]
    say: Callable[[str], None]
    is_offline: bool = False
    only_due: bool = False


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """Rows of a table."""
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def ingest(context: Context) -> Counts:
    """Poll the sources, and the products' signs of life that are due; offline or with the network out, only enter them."""
    from functools import partial

    from flows import network
    from flows.ingest import ingest as poll

    is_offline, asked = context.is_offline, {}
    if is_offline:
        context.say("offline: no source is polled")
        asked = {"network": "not asked"}
    elif network.is_out(row["url"] for row in context.sources if row.get("is_active") is not False):
        context.say("the network is out: no source is polled; going on with what is stored")
        is_offline, asked = True, {"network": "out"}
    elsewhere, before = _elsewhere(context), count(context.con, "document")
    read = partial(
        poll,
        context.con,
        clock=context.clock,
        settings=context.settings,
        offline=is_offline,
        say=context.say,
        elsewhere=elsewhere,
    )
    counts = Counter(read(context.sources, only_due=context.only_due))
    if context.signs:
        counts.update({name: n for name, n in read(context.signs, only_due=True).items() if name != "documents"})
    return {**counts, "documents_before": before, "documents": count(context.con, "document"), **asked}


def _runner(context: Context) -> Runner | None:
    """The cluster that the settings name; a name that cannot be is said, and the work is done here."""
    from flows.spread.runner import parse_runner

    try:
        return parse_runner(context.settings["runner"])
    except SettingsError as error:
        context.say(f"{error}; going on in this process")
        return None


def _elsewhere(context: Context) -> Elsewhere | None:
    """What polls sources on the cluster that the settings name, if they name one."""
    runner = _runner(context)
    if runner is None:
        return None
    from flows.spread.fetching import poll_elsewhere

    return lambda due, store, now: poll_elsewhere(context.con, context.settings, runner, due, store, now, context.say)


def tag(context: Context) -> Counts:
    """Tag every document whose newest version the tagger in force has not read; each batch is kept as soon as it is done.

    Many are tagged on the cluster that the settings name, the rest, and what that did not bring, here.
    """
    from models.tagger import load_tagger
    from models.tags import n_pending, pending_batches, store_tags

    con, tagger = context.con, load_tagger(context.settings)
    con.execute("insert or replace into meta values ('tagger', ?)", [tagger.name])
    n_all, n_done, runner = n_pending(con, tagger.name), 0, _runner(context)
    if runner is not None:
        from flows.spread.tagging import tag_elsewhere

        n_done = tag_elsewhere(con, context.settings, runner, tagger.name, context.clock, context.say)
    for batch in pending_batches(con, tagger.name, TAG_BATCH):
        n_done += store_tags(con, tagger.name, tagger.tag(batch), context.clock())
        context.say(f"tagged {n_done} of {n_all} documents")
    return {"pending": n_all, "tagged": n_done, "left": n_pending(con, tagger.name)}


def detect(context: Context) -> Counts:
    """Write the catalogue's tables and every jump that is known on the day; take in the rulings and what looks at products found."""
    from flows.liveness import LIVING, read_probes
    from models.catalogue import write_tables
    from models.detect.stage import detect as detect_jumps
    from models.liveness import proposed_ends
    from models.stale import rebuilding

    con, settings = context.con, context.settings
    living = {row["product_id"]: row.get("last_alive_on") for row in context.catalogue.products if row["outcome"] in LIVING}
    looks = [probe for probe in read_probes(con, context.clock()) if probe.product_id in living]
    ends = proposed_ends(looks, {product_id: day for product_id, day in living.items() if day})
    with rebuilding(con, "detect"):
        counts = write_tables(con, context.catalogue)
        counts |= detect_jumps(con, context.catalogue, context.as_of, settings.rulings, ends)
        counts |= {"product": count(con, "product"), **_origins(con)}
    if counts["ruling_broken"]:
        context.say(f"{counts['ruling_broken']} rulings in {settings.rulings} cannot be read; `lifeline rule list` says which")
    return counts


def _origins(con: duckdb.DuckDBPyConnection) -> Counts:
    """Jumps by where they come from."""
    return {
        f"origin_{origin}": n for origin, n in con.execute("select origin, count(*) from jump group by 1 order by 1").fetchall()
    }


def derive(context: Context) -> Counts:
    """Write exposures, spells and lifelines of the day, and note whose class changed."""
    from models.class_changes import note
    from models.stale import rebuilding
    from models.survival.stage import METHOD_VERSION
    from models.survival.stage import derive as derive_lifelines

    con = context.con
    con.execute("insert or replace into meta values ('method_version', ?)", [METHOD_VERSION])
    with rebuilding(con, "derive"):
        counts = derive_lifelines(con, context.as_of, seed=context.settings["seed"])
    return {**counts, "class_change": note(con, context.as_of)}


def publish(context: Context) -> Counts:
    """Put the published file in place of the old one, then the exports, which are made from it, then both on the exchange.

    An exchange that cannot be written makes the run partial: whoever reads there goes on with the version before.
    """
    from models.exports.stage import export
    from models.store import publish as publish_file

    settings = context.settings
    counts = publish_file(context.con, settings.published)
    export(settings.published, settings.exports, context.clock())
    told = {"relation": len(counts), "row": sum(counts.values())}
    return {**told, **_put_on_exchange(context)} if settings["exchange"] else told


def _put_on_exchange(context: Context) -> Counts:
    from models.exchange import open_exchange
    from models.publishing import put_version

    settings, private = context.settings, context.settings["exchange_private"]
    try:
        exchange = open_exchange(settings["exchange"])
        return put_version(exchange, settings.published, settings.exports, context.clock(), include_private=private)
    except LifelineError as error:
        context.say(str(error))
        return {"failed": 1, "error": str(error)}


def notify(context: Context) -> Counts:
    """Send the digests of what changed; nothing without watchlists or addresses."""
    from flows.notify import notify as send_digests

    return dict(send_digests(context.con, context.settings.published, context.settings, context.clock(), say=context.say))


def look(context: Context) -> Counts:
    """Look at the pages of products not known to have ended; not part of a pass, for a week between two looks is enough."""
    from flows.liveness import probe_products
    from flows.signs import read_signals

    signals = read_signals(context.settings.catalogue)
    return dict(probe_products(context.con, signals, clock=context.clock, settings=context.settings, say=context.say))


def prune(context: Context) -> Counts:
    """Drop what the settings no longer keep; a whole pass ends with it."""
    from models.retention import Ages, prune_exports
    from models.retention import prune as drop

    counts = drop(context.con, Ages.of(context.settings), context.clock())
    return {**counts, "exports": len(prune_exports(context.settings.exports, context.clock()))}


def judge(context: Context) -> Counts:
    """Back-test the catalogue in force; the pages show these scores from the next pass on. A month between two is enough."""
    from models.survival.judge import refresh

    catalogue = context.catalogue
    gates = refresh(context.con, catalogue.products, catalogue.jumps, seed=context.settings["seed"], say=context.say)
    return {"gate": len(gates), "missed": sum(not gate["holds"] for gate in gates)}


def train(context: Context) -> Counts:
    """Train the tagger anew from what analysts ruled since the last time; adopted only if it is better on the same references."""
    from models.tagging.retrain import retrain

    return retrain(context.con, context.settings, context.as_of, context.say)


STAGES: Mapping[str, Callable[[Context], Counts]] = {
    "ingest": ingest,
    "tag": tag,
    "detect": detect,
    "derive": derive,
    "publish": publish,
    "notify": notify,
}
# What others do not need: when one of these fails, the run goes on with what is stored, and says so.
MAY_FAIL = frozenset({"ingest", "tag", "notify", "prune"})
# What is no part of a pass and has its own schedule.
ASIDE: Mapping[str, Callable[[Context], Counts]] = {"prune": prune, "look": look, "judge": judge, "train": train}
