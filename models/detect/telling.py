"""The stories of the store, day by day: only days whose documents changed are told anew, and those that their stories reach.

The rows are those of telling every day from the first on. A day is known by the hash of what is read of its documents and of what
reads them, so that a new rule, too, tells everything anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from models.detect.providers import Providers
from models.detect.stories import WINDOW, Teller, Text, Told
from models.detect.version import rules
from models.documents import transaction
from models.store import insert_rows

if TYPE_CHECKING:
    import duckdb

TEXTS = Path(__file__).with_name("story_texts.sql").read_text(encoding="utf-8")
KEPT_IN_MEMORY = 20_000
DAYS = f"select dated_on, hex(bit_xor(hash(document_id, url, title, text, $rules))) from ({TEXTS}) group by dated_on"


def tell_stories(con: duckdb.DuckDBPyConnection, as_of: date, known: Providers) -> list[date]:
    """Bring tables story and story_day up to the documents known on `as_of`; returns the days that were told anew."""
    now = dict(con.execute(DAYS, {"as_of": as_of, "rules": rules()}).fetchall())
    before = dict(con.execute("from story_day").fetchall())
    changed = {day for day in now.keys() | before.keys() if now.get(day) != before.get(day)}
    if not changed:
        return []
    first = min(changed)
    con.execute(
        f"create or replace temp table story_text as from ({TEXTS}) where dated_on >= $first order by dated_on, document_id",
        {"as_of": as_of, "first": first - WINDOW},
    )
    with transaction(con):
        told = list(_tell(con, sorted({day for day in now if day >= first} | changed), changed, known))
        con.execute("delete from story_day where day in (select unnest(?))", [list(changed)])
        insert_rows(con, "story_day", [{"day": day, "made_from": now[day]} for day in sorted(changed & now.keys())])
    con.execute("drop table story_text")
    return told


def _tell(con: duckdb.DuckDBPyConnection, days: Sequence[date], changed: Set[date], known: Providers) -> Iterator[date]:
    """Tell each changed one of `days` and, while its stories lead to others than before, the days that they reach."""
    reach, teller, told, texts = date.min, None, _Telling(con), _Texts(con)
    for day in days:
        if day not in changed and day > reach:
            teller = None
            continue
        if teller is None:
            told.write()
            teller = Teller(known, _leading(con, day))
        rows = [teller.tell(text) for text in texts.of(day)]
        if day in changed or _leaders(con, day) != {(one.document_id, one.story_id) for one in rows if one.leads}:
            reach = day + WINDOW
        told.add(day, rows)
        yield day
    told.write()


class _Telling:
    """Days on their way into table story."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._days: list[date] = []
        self._rows: list[Told] = []

    def add(self, day: date, rows: Sequence[Told]) -> None:
        self._days.append(day)
        self._rows += rows
        if len(self._rows) >= KEPT_IN_MEMORY:
            self.write()

    def write(self) -> None:
        self._con.execute("delete from story where dated_on in (select unnest(?::date[]))", [self._days])
        insert_rows(self._con, "story", [{name: getattr(one, name) for name in Told.__slots__} for one in self._rows])
        self._days, self._rows = [], []


class _Texts:
    """Texts by day, read for many days at once, for a query costs more than a day's texts."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._block: dict[date, list[Text]] = {}
        self._until = date.min

    def of(self, day: date) -> list[Text]:
        """Texts of a day, in order; days are asked for in theirs."""
        if day > self._until:
            self._read(day)
        return self._block.pop(day, [])

    def _read(self, day: date) -> None:
        query = """
            with days as (select dated_on, sum(n) over (order by dated_on) as n
                from (select dated_on, count(*) as n from story_text where dated_on >= $day group by all))
            from story_text where dated_on >= $day and dated_on <= (select coalesce(max(dated_on), $day) from days where n <= $most)
            order by dated_on, document_id
        """
        self._block, self._until = defaultdict(list), day
        for row in self._con.execute(query, {"day": day, "most": KEPT_IN_MEMORY}).fetchall():
            text = Text(*row)
            self._block[text.dated_on].append(text)
            self._until = text.dated_on


def _leaders(con: duckdb.DuckDBPyConnection, day: date) -> set[tuple[str, str]]:
    """What led on a day when it was told last."""
    return set(con.execute("select document_id, story_id from story where dated_on = ? and leads", [day]).fetchall())


def _leading(con: duckdb.DuckDBPyConnection, day: date) -> Iterator[tuple[Text, str]]:
    """What leads the stories that the documents of `day` may belong to, in order."""
    rows = con.execute(
        "select story_text.*, story_id from story join story_text using (document_id) "
        "where leads and story.dated_on >= $first and story.dated_on < $day order by story_text.dated_on, document_id",
        {"first": day - WINDOW, "day": day},
    ).fetchall()
    return ((Text(*text), story) for *text, story in rows)
