"""Fixtures of the flows' tests."""

from __future__ import annotations

import pytest

from tests.flows.site import Site


@pytest.fixture
def site():
    """A web server on loopback."""
    running = Site()
    yield running
    running.close()


@pytest.fixture(scope="session")
def pool():
    """Parsing processes that all tests share."""
    from flows.parse.pool import ParsePool

    with ParsePool(1) as shared_pool:
        yield shared_pool
