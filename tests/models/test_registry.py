"""What changed in a model registry becomes documents with certain facts."""

from __future__ import annotations

from datetime import date

import pytest

from models.errors import ParseError
from models.registry import diff
from models.types import Source

SEEN_ON = date(2026, 8, 22)
SOURCE = Source("registry", "A registry", "registry", "https://example.org/api.json")
BASE = {
    "provider": "Lab",
    "name": "M",
    "context": 1000.0,
    "input": 1.0,
    "output": 4.0,
    "released": "2026-08-01",
    "retires": "",
    "capabilities": ["reasoning"],
    "doc": "",
}


def changes(before, after):
    return [
        (entry.facts["change"], entry.facts["capabilities"], entry.facts["happened_on"])
        for entry in diff(before, after, SOURCE, SEEN_ON)
    ]


def test_the_first_state_tells_of_no_change():
    """A registry that is read for the first time floods nobody."""
    assert diff({}, {"lab/m": BASE}, SOURCE, SEEN_ON) == []


def test_a_new_model_is_dated_by_its_release_if_that_is_recent():
    """A recent release date counts, an old one says nothing of the registry, and one ahead is none."""
    old = {"lab/old": BASE}
    for released, expected in [
        ("2026-08-01", "2026-08-01"),
        ("2024-01-01", "2026-08-22"),
        ("2027-01-01", "2026-08-22"),
        ("", "2026-08-22"),
    ]:
        assert changes(old, old | {"lab/m": BASE | {"released": released}}) == [("new_model", ["reasoning"], expected)]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"capabilities": ["reasoning", "vision_input"]}, ("capability_on", ["vision_input"])),
        ({"input": 0.8}, ("price_drop", ["price_cut"])),
        ({"output": 2.0}, ("price_drop", ["price_cut"])),
        ({"context": 2000.0}, ("context_up", ["long_context"])),
        ({"input": 0.81}, None),
        ({"context": 1999.0}, None),
        ({"capabilities": []}, None),
        ({"input": None}, None),
    ],
)
def test_what_counts_as_a_change(change, expected):
    """A flag that turns on, a price that falls by a fifth, a window that doubles; nothing less."""
    found = changes({"lab/m": BASE}, {"lab/m": BASE | change})
    assert found == ([] if expected is None else [(*expected, "2026-08-22")])


def test_a_model_that_disappears_is_retired():
    """A model that is no longer listed is a deprecation seen today."""
    before = {"lab/m": BASE, "lab/n": BASE}
    assert changes(before, {"lab/m": BASE}) == [("retired", ["api_deprecation"], "2026-08-22")]


def test_a_registry_that_lost_most_models_is_not_believed():
    """A broken answer retires nobody."""
    with pytest.raises(ParseError, match="vanished at once"):
        diff({f"lab/{i}": BASE for i in range(10)}, {"lab/0": BASE}, SOURCE, SEEN_ON)


def test_only_a_name_new_to_all_providers_is_first():
    """A model that another provider already offers is new here, but not first."""
    before = {"lab/m": BASE}
    entries = diff(before, before | {"shop/m": BASE | {"provider": "Shop"}, "lab/n": BASE}, SOURCE, SEEN_ON)
    assert {entry.facts["model_id"]: entry.facts["is_first"] for entry in entries} == {"shop/m": False, "lab/n": True}


def test_each_change_has_one_key_and_a_text_to_read():
    """The same change read twice has the same identity; its text names provider and model."""
    before, after = {"lab/m": BASE}, {"lab/m": BASE | {"input": 0.5}}
    (one,), (other,) = (diff(before, after, SOURCE, SEEN_ON) for _ in range(2))
    assert one.key == other.key
    assert "Lab lowered the price of M from $1" in one.text
