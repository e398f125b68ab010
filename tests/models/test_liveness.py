"""Signs of death: what one look says, and what two looks propose."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from models.liveness import DEATHLIKE, NEUTRAL, Look, Probe, evidence, proposed_ends

URL = "https://thing.ai/"
DAY = datetime(2026, 8, 1, tzinfo=UTC)


def look(status=200, text="Welcome to Thing, the assistant.", final=URL, title="Thing", **more):
    return Look(URL, "ok", status, final, title, text, **more)


LOOKS = [
    (look(), "answers"),
    (look(403), "wall"),
    (look(429), "wall"),
    (look(503), "wall"),
    (Look(URL, "ok", error="no whole answer within 40 s (time-out)"), "wall"),
    (Look(URL, "ok", error="Connection refused"), "resolves"),
    (look(500), "resolves"),
    (Look(URL, "no_host"), "no_host"),
    (Look(URL, "unknown"), "unknown"),
    (look(404), "gone"),
    (look(410), "gone"),
    (look(404, "There isn't a GitHub Pages site here."), "host_not_found_page"),
    (look(404, "DEPLOYMENT_NOT_FOUND"), "host_not_found_page"),
    (look(text="Site not found", title="Netlify"), "host_not_found_page"),
    (look(text="This domain is for sale. Buy this domain.", title="thing.ai"), "parked"),
    (look(text="Thing has shut down. Thank you for the journey."), "says_closing"),
    (look(text="We are shutting down on 1 March."), "says_closing"),
    (look(text="本产品将于三月停止运营。"), "says_closing"),
    (
        look(text="This repository has been archived by the owner on Jan 1, 2026. It is now read-only.", title="x/thing"),
        "frozen_repository",
    ),
    (look(final="https://bigcorp.com/product", title="BigCorp suite"), "redirect_other"),
    (look(final="https://www.thing.ai/home"), "answers"),
    (look(final="https://thing.com/", title="Thing"), "answers"),
    (look(final="https://app.example.org/", title="Thing, now at Example"), "answers"),
    (look(text="x" * 3000 + " competitor Foo has shut down"), "answers"),
]


@pytest.mark.parametrize(("seen", "expected"), LOOKS)
def test_one_look_is_one_class(seen, expected):
    """A wall, an error or silence is no death; a vanished host, a parked page, a 404, a farewell are evidence of one."""
    found, words = evidence(seen, "Thing")
    assert found == expected
    assert words
    assert found == "answers" or found in DEATHLIKE or found in NEUTRAL


def probes(*found, url=URL, every=7):
    return [Probe("thing", DAY + timedelta(days=every * i), url, name, None, "why") for i, name in enumerate(found)]


def test_two_agreeing_looks_a_week_apart_propose_an_end():
    """The proposal carries the interval from the last sign of life to the first sign of death."""
    (proposal,) = proposed_ends(probes("answers", "gone", "gone"))
    assert (proposal.kind, proposal.subject) == ("end", "thing")
    assert proposal.fields["last_alive_on"] == "2026-08-01"
    assert proposal.fields["gone_by"] == "2026-08-08"
    assert proposal.proposed_on == date(2026, 8, 15)


@pytest.mark.parametrize(
    "found",
    [
        ("gone",),
        ("answers", "gone"),
        ("wall", "wall", "wall"),
        ("resolves", "resolves"),
        ("gone", "gone", "answers"),
        ("gone", "answers", "gone"),
        ("redirect_other", "gone"),
    ],
)
def test_what_proposes_nothing(found):
    """One look, walls, looks that disagree, and any page that answers again."""
    assert proposed_ends(probes(*found)) == []


def test_looks_closer_than_six_days_do_not_agree():
    """Two looks on one weekend are one outage."""
    assert proposed_ends(probes("gone", "gone", every=2)) == []


def test_a_wall_between_two_deaths_does_not_part_them():
    """A look that says nothing neither confirms nor contradicts."""
    (proposal,) = proposed_ends(probes("gone", "wall", "no_host"), {"thing": date(2026, 7, 1)})
    assert proposal.fields["last_alive_on"] == "2026-07-01"
    assert proposal.fields["gone_by"] == "2026-08-01"


def test_a_page_that_answers_outweighs_one_that_does_not():
    """A frozen repository beside a living homepage is no end."""
    assert (
        proposed_ends(
            probes("answers", "answers") + probes("frozen_repository", "frozen_repository", url="https://github.com/x/thing")
        )
        == []
    )


def test_a_page_that_leads_to_a_buyer_proposes_a_purchase():
    """Two redirects to another company propose an acquisition, not a shutdown."""
    (proposal,) = proposed_ends(probes("answers", "redirect_other", "redirect_other"))
    assert (proposal.kind, proposal.fields["outcome"]) == ("acquisition", "acquired")
