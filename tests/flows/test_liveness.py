"""Looking at products' pages: whom we look at, what is kept, and when a round is not believed."""

from __future__ import annotations

from datetime import timedelta

from flows.liveness import Target, believable, probe_products, read_probes, targets
from models.liveness import Probe, proposed_ends
from models.store import insert_rows
from tests.flows.site import NOW, config

ALIVE = {"product_id": "a", "name": "A", "homepage": "https://a.org/", "outcome": "alive"}
SIGNALS = [
    {"product_id": "a", "kind": "repository", "url": "https://github.com/x/a"},
    {"product_id": "a", "kind": "feed", "url": "https://a.org/feed"},
]


def test_living_products_are_looked_at_once_in_six_days():
    """Homepage and repository of what lives; nothing of what ended, nothing that was looked at this week."""
    ended = {**ALIVE, "product_id": "b", "outcome": "shut_down"}
    found = targets([ALIVE, ended], SIGNALS, {("a", "https://a.org/"): NOW - timedelta(days=3)}, NOW)
    assert found == [Target("a", "A", "https://github.com/x/a")]
    assert len(targets([ALIVE, ended], SIGNALS, {("a", "https://a.org/"): NOW - timedelta(days=7)}, NOW)) == 2


def test_a_round_in_which_names_vanish_by_the_dozen_is_not_believed():
    """When a third of the hosts do not resolve, the name server is at fault, and nobody is declared dead."""
    rounds = [Probe(str(i), NOW, "u", "no_host" if i < 4 else "answers") for i in range(10)]
    assert believable(rounds) == []
    assert len(believable(rounds[3:])) == 7


def test_two_rounds_find_a_product_gone_and_a_third_takes_it_back(site, store, tmp_path):
    """A homepage that answers 404 twice in two weeks proposes an end with its interval; when it answers again, the proposal is gone."""
    insert_rows(store, "product", [{**ALIVE, "homepage": site.url + "/"}])
    answers = {0: (200, {}, b"<title>A</title>A is here"), 7: (404, {}, b"no"), 14: (404, {}, b"no")}
    for day, page in answers.items():
        site.pages["/"] = page
        probe_products(store, [], clock=lambda day=day: NOW + timedelta(days=day), settings=config(tmp_path))
    (proposal,) = proposed_ends(read_probes(store))
    assert (proposal.fields["last_alive_on"], proposal.fields["gone_by"]) == ("2026-08-22", "2026-08-29")
    assert store.execute("select last_look from pub.product").fetchall() == [("gone",)]
    assert store.execute("select health from pub.source where kind = 'liveness'").fetchall() == [("fine",)]
    site.pages["/"] = answers[0]
    probe_products(store, [], clock=lambda: NOW + timedelta(days=21), settings=config(tmp_path))
    assert proposed_ends(read_probes(store)) == []
