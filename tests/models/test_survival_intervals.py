"""Intervals of the two clocks that need no fit of the hazard: overtaken and silent."""

from __future__ import annotations

import numpy as np
import pytest

from models.survival import overtaken, silence


def rates_of(n_months, seed=1):
    """Rates fitted to months in which three capabilities jump decisively once in a while."""
    rng = np.random.default_rng(7)
    log_activity = np.log(np.cumsum(rng.uniform(0, 0.5, (n_months + 1, 3)), axis=0) * 0.2 + overtaken.FLOOR)
    decisive = (rng.random((n_months, 3)) < 0.05).astype(float)
    weight = np.ones(n_months)
    b, covariance = overtaken._fit(log_activity[:-1], decisive, weight)
    spread = overtaken._spread(log_activity[:-1], decisive, weight, b)
    return overtaken._drawn(log_activity[-1], b, covariance, spread, seed)


def test_the_overtaken_interval_holds_the_point_and_narrows_with_what_is_known():
    """Ten years of months say more than one; the same seed says the same."""
    ahead = {n: overtaken._ahead([0, 1], [0.5, 0.5], [False, False], rates_of(n), (3, 6, 12)) for n in (12, 120)}
    for one in ahead.values():
        for low, p, high in zip(one.low, one.p, one.high, strict=True):
            assert 0 <= low < p < high <= 1
        assert one.p == sorted(one.p)
    assert ahead[120].high[2] - ahead[120].low[2] < ahead[12].high[2] - ahead[12].low[2]
    again = overtaken._ahead([0, 1], [0.5, 0.5], [False, False], rates_of(120), (3, 6, 12))
    assert again == ahead[120]


def test_a_job_that_is_covered_leaves_no_doubt():
    """Half of the product is covered already: the chance is one, and so are both ends."""
    ahead = overtaken._ahead([0, 1], [0.5, 0.5], [True, False], rates_of(24), (3,))
    assert ahead.low == ahead.p == ahead.high == [1.0]


@pytest.mark.parametrize(("share", "expected"), [([1.0], 0.3), ([0.5, 0.5], 1 - 0.7 * 0.7), ([0.4, 0.3, 0.3], None)])
def test_coverage_by_draw_is_the_coverage_of_each_draw(share, expected):
    """Many draws at once give what each gives alone."""
    p = np.random.default_rng(1).random((5, len(share)))
    together = overtaken.coverage(p, share)
    assert together == pytest.approx([overtaken.coverage(row, share)[0] for row in p])
    if expected is not None:
        assert overtaken.coverage([0.3] * len(share), share)[0] == pytest.approx(expected)


def histories(n, seed=3):
    """Projects that are active in four months of five."""
    rng = np.random.default_rng(seed)
    return [silence.History(f"p{i}", 0, rng.poisson(2.0, 30) * (rng.random(30) < 0.8), 0) for i in range(n)]


def test_the_silent_interval_holds_the_point_and_narrows_with_what_is_known():
    """Two hundred projects say more than five; without draws there is no interval; the same seed says the same."""
    width = {}
    for n in (5, 200):
        table = silence.fit(histories(n), n_draws=100, seed=2)
        low, high = table.interval_within(12)
        point = table.complete_within(12)
        assert (low <= point).all()
        assert (point <= high).all()
        width[n] = float((high - low)[12].mean())
        assert np.array_equal(low, silence.fit(histories(n), n_draws=100, seed=2).interval_within(12)[0])
    assert width[200] < width[5]
    assert silence.fit(histories(5)).interval_within(12) is None


def test_a_product_that_may_fall_silent_gets_an_interval_and_a_silent_one_none():
    """Signs carry the interval by horizon beside the chance."""
    counts = [np.array([3] * 20 + [0, 0]), np.array([3] * 15 + [0] * 7)]
    known = [silence.History(f"p{i}", 0, one, 0) for i, one in enumerate(counts)]
    found = silence.signs(known, silence.fit(known, n_draws=50), 21, (3, 6, 12))
    for h in (3, 6, 12):
        low, high = found["p0"].interval[h]
        assert low <= found["p0"].p_silent[h] <= high
    assert found["p1"].interval is None
    assert found["p1"].p_silent is None
