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

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

    from models.catalogue import Catalogue
    from models.settings import Settings

Counts = dict[str, Any]
TAG_BATCH = 256


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a stage may look at. `clock` is the only time there is; `say` takes one line of progress."""

    con: duckdb.DuckDBPyConnection
    settings: Settings
    catalogue: Catalogue
    sources: Sequence[Mapping[str, Any]]
    as_of: date
    clock: Callable[[], datetime]
    say: Callable[[str], None]
    is_offline: bool = False
    only_due: bool = False


def ingest(context: Context) -> Counts:
    """Poll the sources; offline or with the network out, only enter them."""
    from flows import network
    from flows.ingest import ingest as poll

    is_offline = context.is_offline
    if is_offline:
        context.say("offline: no source is polled")
    elif network.is_out(row["url"] for row in context.sources if row.get("is_active") is not False):
        context.say("the network is out: no source is polled; going on with what is stored")
        is_offline = True
    counts = poll(
        context.con,
        context.sources,
        clock=context.clock,
        settings=context.settings,
        only_due=context.only_due,
        offline=is_offline,
        say=context.say,
    )
    return dict(counts)


def tag(context: Context) -> Counts:
    """Tag every document whose newest version the tagger in force has not read; each batch is kept as soon as it is done."""
    from models.tagger import load_tagger

    from models.tags import n_pending, pending_batches, store_tags

    con, tagger = context.con, load_tagger(context.settings)
    con.execute("insert or replace into meta values ('tagger', ?)", [tagger.name])
    n_all, n_done = n_pending(con, tagger.name), 0
    for batch in pending_batches(con, tagger.name, TAG_BATCH):
        n_done += store_tags(con, tagger.name, tagger.tag(batch), context.clock())
        context.say(f"tagged {n_done} of {n_all} documents")
    return {"pending": n_all, "tagged": n_done}


def detect(context: Context) -> Counts:
    """Write the catalogue's tables and every jump that is known on the day."""
    from models.catalogue import write_tables
    from models.detect.stage import detect as detect_jumps

    counts = write_tables(context.con, context.catalogue)
    return {**counts, **detect_jumps(context.con, context.catalogue, context.as_of, context.settings.rulings)}


def derive(context: Context) -> Counts:
    """Write exposures, spells and lifelines of the day."""
    from models.survival.stage import METHOD_VERSION
    from models.survival.stage import derive as derive_lifelines

    context.con.execute("insert or replace into meta values ('method_version', ?)", [METHOD_VERSION])
    return dict(derive_lifelines(context.con, context.as_of, seed=context.settings["seed"]))


def publish(context: Context) -> Counts:
    """Put the published file and the exports in place of the old ones."""
    from models.store import publish as publish_file

    counts = publish_file(context.con, context.settings.published)
    return {"relations": len(counts), "rows": sum(counts.values())}


def notify(context: Context) -> Counts:
    """Send the digests of what changed; nothing without watchlists or addresses."""
    return {}


STAGES: Mapping[str, Callable[[Context], Counts]] = {
    "ingest": ingest,
    "tag": tag,
    "detect": detect,
    "derive": derive,
    "publish": publish,
    "notify": notify,
}
# What others do not need: when one of these fails, the run goes on with what is stored, and says so.
MAY_FAIL = frozenset({"ingest", "tag", "notify"})
