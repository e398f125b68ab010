"""`kill -9` of worker, writer and server of a team at random moments, while the clock starts runs and the sources bring news.

    python -m benchmarks.kill_rounds --rounds 20 --seed 7

After each round: everything that the sources ever listed is stored once, the run after the kill went through by itself, the published
file could be opened and was whole at every look (five a second), and no run is left for running on the server. Needs PostgreSQL.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from models.store import lock_holder, open_published
from tests.flows.pressroom import feed, sources_csv
from tests.flows.site import Site
from tests.flows.team import ROOT, Postgres, Team, kill, schedules, until, why_no_postgres

VICTIMS = ("writer", "worker", "server", "machine")  # machine: worker and writer at once, as a power cut
FEEDS, FIRST, MORE = ("/a", "/b", "/c"), 100, 10
HEAL_S, EVERY_S = 900.0, 15
# the shipped rules wait longer than twenty rounds have time for; a run that is only slow to begin must not be taken for a dead one
BURY_S = {"prefect.flow-run.heartbeat": 45, "prefect.flow-run.Pending": 240}


@dataclass
class Round:
    """What was killed, when in its run, and what was found afterwards."""

    number: int
    victim: str
    after_s: float
    was_writing: bool
    heal_s: float = 0.0
    listed: int = 0
    stored: int = 0
    distinct: int = 0
    problems: list[str] = field(default_factory=list)


class Watcher(threading.Thread):
    """Opens the published file five times a second and notes every look at which it was not whole."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        self.file, self.n_looks, self.problems, self.is_done = file, 0, [], threading.Event()

    def run(self) -> None:
        """Look until told to stop; before the first publish there is nothing to see."""
        while not self.is_done.wait(0.2):
            if not self.file.exists():
                if self.n_looks:
                    self.problems.append("the published file is gone")
                continue
            try:
                with open_published(self.file) as con:
                    row = con.execute(
                        "select (select count(*) from lifeline), (select count(*) from jump), (from run select count(*))"
                    )
                    n_lifelines, n_jumps, n_runs = row.fetchone() or (0, 0, 0)
            except Exception as error:
                self.problems.append(f"{type(error).__name__}: {error}"[:200])
            else:
                if n_lifelines < 100 or n_jumps < 500 or not n_runs:
                    self.problems.append(f"{n_lifelines} lifelines, {n_jumps} jumps, {n_runs} runs")
            self.n_looks += 1


class Rounds:
    """A team under fire."""

    def __init__(self, folder: Path, database: Postgres, seed: int) -> None:
        self.site, self.moments = Site(), random.Random(seed)
        self.entries: dict[str, list[tuple[str, str, str]]] = {path: [] for path in FEEDS}
        self.news(FIRST)
        fast = {"LIFELINE_ALLOW_PRIVATE": "1", "LIFELINE_FULLTEXT_PER_RUN": "0", "OMP_NUM_THREADS": "1"}
        self.team = Team(folder, database.url, **fast)
        asked = {"sources": str(sources_csv(self.site, folder / "sources.csv")), "only_due": False, "with_signs": False}
        self.file = schedules(folder / "prefect.yaml", {"daily": {"schedules": [{"interval": EVERY_S}], "parameters": asked}})
        self.watcher = Watcher(self.team.home / "lifeline.duckdb")

    def news(self, n: int) -> None:
        """Let every source list `n` entries more."""
        for path, entries in self.entries.items():
            at = len(entries)
            entries += [(f"{path} entry {i}", "2026-08-01", f"words of {path} {i} " * 20) for i in range(at, at + n)]
            self.site.pages[path] = feed(path, *entries)

    def begin(self) -> None:
        """Start everything and wait for the first run."""
        self.team.start_server()
        done = self.team.deploy(self.file)
        assert done.returncode == 0, done.stdout + done.stderr
        self._bury_sooner()
        self.team.start_worker()
        self.watcher.start()
        self._healed_after(0.0)

    def _bury_sooner(self) -> None:
        """The shipped rules with shorter waits."""
        for rule in yaml.safe_load((ROOT / "deploy" / "automations.yaml").read_text())["automations"]:
            there = self.team.api("POST", "/automations/filter", {"automations": {"name": {"any_": [rule["name"]]}}})
            trigger = {**rule["trigger"], "within": BURY_S[rule["trigger"]["after"][0]]}
            self.team.api("PUT", f"/automations/{there[0]['id']}", {**rule, "trigger": trigger})

    def one(self, number: int, victim: str) -> Round:
        """News, a run, a kill at a random moment of it, a restart of what was killed, and a look at what is left."""
        self.news(MORE)
        until(self.team.writers, HEAL_S, "no run begins")
        if self.moments.random() < 0.75:  # else: while the run still starts, or before it has the store
            until(lambda: lock_holder(self.team.home), HEAL_S, "no run writes")
        after_s = round(self.moments.uniform(0.0, 8.0), 2)
        time.sleep(after_s)
        was_writing = bool(lock_holder(self.team.home))
        self._kill(victim)
        killed_at = time.time()
        found = Round(number, victim, after_s, was_writing)
        time.sleep(self.moments.uniform(0.0, 3.0))
        self._restart(victim)
        self._healed_after(killed_at)
        found.heal_s = round(time.time() - killed_at, 1)
        self._look(found, killed_at)
        return found

    def _kill(self, victim: str) -> None:
        team, writers = self.team, self.team.writers()
        if victim in ("worker", "machine"):
            assert team.worker
            team.worker.kill()
            team.worker.wait()
        if victim in ("writer", "machine"):
            for pid in writers:
                kill(pid)
        if victim == "server":
            assert team.server
            team.server.kill()
            team.server.wait()

    def _restart(self, victim: str) -> None:
        """What systemd or the container engine does."""
        if victim == "server":
            self.team.start_server()
        if self.team.worker is None or self.team.worker.poll() is not None:
            self.team.start_worker()

    def _healed_after(self, moment: float) -> None:
        """Wait for a run that began after `moment` and went through, whose news are therefore all published."""

        def is_healed() -> bool:
            if self.team.worker and self.team.worker.poll() is not None:
                self.team.start_worker()  # a worker may give up while its server is away; what restarts it does so
            with suppress(Exception), open_published(self.team.home / "lifeline.duckdb") as con:
                query = "select count(*) from run where status = 'ok' and started_at > to_timestamp(?)"
                return bool((con.execute(query, [moment]).fetchone() or (0,))[0])
            return False

        until(is_healed, HEAL_S, f"no run went through within {HEAL_S} s; see {self.team.folder}")

    def _look(self, found: Round, killed_at: float) -> None:
        """Count what is stored, and what the server believes to run."""
        with open_published(self.team.home / "lifeline.duckdb") as con:
            row = con.execute("select count(*), count(distinct title) from document").fetchone()
        found.listed = sum(map(len, self.entries.values()))
        found.stored, found.distinct = row or (0, 0)
        if not found.listed == found.stored == found.distinct:
            found.problems.append(f"{found.listed} listed, {found.stored} stored, {found.distinct} of them distinct")
        found.problems += self.watcher.problems
        self.watcher.problems = []

        def left_over() -> list[dict[str, Any]]:
            runs = self.team.runs("RUNNING", "PENDING", "CANCELLING")
            return [run for run in runs if _instant(run["expected_start_time"]) < killed_at - EVERY_S]

        end = time.monotonic() + 2 * max(BURY_S.values())
        while left_over() and time.monotonic() < end:
            time.sleep(1)
        if dead := left_over():
            found.problems.append(f"{len(dead)} dead runs are still held for running")

    def end(self) -> None:
        """Stop everything."""
        self.watcher.is_done.set()
        self.team.stop()
        self.site.close()


def _instant(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def shuffled(n_rounds: int, seed: int) -> list[str]:
    """Each kind of victim equally often, in an order of chance."""
    victims = [VICTIMS[i % len(VICTIMS)] for i in range(n_rounds)]
    random.Random(seed).shuffle(victims)
    return victims


def play(victims: Sequence[str], seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """One round for each victim; what was found, in all and round by round."""
    began = time.monotonic()
    database = Postgres()
    with tempfile.TemporaryDirectory(prefix="lifeline-kill-", ignore_cleanup_errors=True) as folder:
        database.start()
        rounds = Rounds(Path(folder), database, seed)
        try:
            rounds.begin()
            found = []
            for number, victim in enumerate(victims, start=1):
                found.append(rounds.one(number, victim))
                say(json.dumps(asdict(found[-1])))
            n_looks = rounds.watcher.n_looks
        finally:
            rounds.end()
            database.stop()
    return {
        "rounds": len(found),
        "killed_while_writing": sum(one.was_writing for one in found),
        "with_problems": sum(bool(one.problems) for one in found),
        "documents": found[-1].stored if found else 0,
        "looks_at_the_published_file": n_looks,
        "longest_heal_s": max((one.heal_s for one in found), default=0.0),
        "minutes": round((time.monotonic() - began) / 60, 1),
        "found": [asdict(one) for one in found],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    if reason := why_no_postgres():
        raise SystemExit(reason)
    summary = play(shuffled(args.rounds, args.seed), args.seed, lambda line: print(line, flush=True))
    print(json.dumps({name: value for name, value in summary.items() if name != "found"}, indent=2))
    raise SystemExit(1 if summary["with_problems"] else 0)


if __name__ == "__main__":
    main()
