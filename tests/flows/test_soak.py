"""Two days lived through in one process: the short form of `benchmarks/soak.py`."""

from __future__ import annotations

import pytest

from benchmarks.soak import ledger_sums, soak


@pytest.mark.slow
def test_two_days_of_polls_with_faults_leave_a_ledger_that_adds_up(shared, home, monkeypatch):
    """Eight polls with random faults and two passes: every run ends, what the runs say is what the store holds, no log is left over."""
    for name in ("ALLOW_PRIVATE", "TAGGER", "FULLTEXT_PER_RUN", "FETCH_DEADLINE_S"):
        monkeypatch.setenv(f"LIFELINE_{name}", "")  # so that what the soak sets is taken back
    days = soak(home, 2, fault_share=0.1)
    told = ledger_sums(home)
    assert told["broken"] == []
    assert sum(told["runs"].values()) == 8
    assert [day.wal_bytes for day in days] == [0, 0]
    assert days[0].faults > 0
    assert days[-1].failed > 0
    assert days[-1].documents > 3000
