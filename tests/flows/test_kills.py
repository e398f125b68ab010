"""A team under fire: the short form of `benchmarks/kill_rounds.py`."""

from __future__ import annotations

import pytest

from tests.flows.team import why_no_postgres


@pytest.mark.slow
@pytest.mark.skipif(bool(why_no_postgres()), reason=why_no_postgres() or "PostgreSQL is here")
def test_a_team_heals_from_kills():
    """`kill -9` of the server in a run, and of worker and writer at once: nothing is lost or doubled, dead runs are buried, all heals."""
    from benchmarks.kill_rounds import play

    told = []
    found = play(["server", "machine"], 3, told.append)
    assert (found["rounds"], found["with_problems"]) == (2, 0), told
    assert found["looks_at_the_published_file"] > 20
