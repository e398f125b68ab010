"""Settings and where they come from."""

from __future__ import annotations

import pytest

from models import settings, taxonomy
from models.errors import SettingsError


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(tmp_path):
    """Each setting remembers where it came from."""
    (tmp_path / "lifeline.toml").write_text("port = 9000\nseed = 7\n")
    found = settings.load({"LIFELINE_HOME": str(tmp_path), "LIFELINE_PORT": "9001"})
    assert {name: (found[name], found.values[name].origin) for name in ("port", "seed", "device")} == {
        "port": (9001, "LIFELINE_PORT"),
        "seed": (7, "lifeline.toml"),
        "device": ("auto", "default"),
    }


WRONG = {
    "number": ({"LIFELINE_PORT": "often"}, "", "LIFELINE_PORT is 'often', expected a whole number"),
    "flag": ({"LIFELINE_ALLOW_PRIVATE": "perhaps"}, "", "LIFELINE_ALLOW_PRIVATE is 'perhaps', expected 1 or 0"),
    "unknown": ({}, "prot = 1\n", "unknown setting 'prot'"),
    "no toml": ({}, "port = = 1\n", "is not valid TOML"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_setting_is_named(tmp_path, wrong):
    """Name, value and place stand in one line."""
    environ, text, message = WRONG[wrong]
    (tmp_path / "lifeline.toml").write_text(text)
    with pytest.raises(SettingsError, match=message):
        settings.load({"LIFELINE_HOME": str(tmp_path), **environ})


def test_the_label_set_is_whole():
    """34 capabilities with a segment and a Chinese name each, 9 event kinds, 5 tiers."""
    terms = taxonomy.load()
    assert (len(terms.capabilities), len(terms.event_kinds), len(terms.of("wrapper_tier"))) == (34, 9, 5)
    assert set(terms.segment_of.values()) <= set(taxonomy.SEGMENTS)
    assert all(term.name_zh for term in terms.terms if term.kind == "capability")


def test_a_secret_may_come_by_file(tmp_path):
    """`LIFELINE_<NAME>_FILE` gives a setting its value from a file, whatever its type; its end of line is not part of it."""
    (tmp_path / "urls").write_text("json://ops.example/hook\n")
    (tmp_path / "port").write_text("9002\n")
    environ = {"LIFELINE_HOME": str(tmp_path), "LIFELINE_NOTIFY_URLS_FILE": str(tmp_path / "urls")}
    found = settings.load({**environ, "LIFELINE_PORT_FILE": str(tmp_path / "port")})
    assert (found["notify_urls"], found.values["notify_urls"].origin) == ("json://ops.example/hook", "LIFELINE_NOTIFY_URLS_FILE")
    assert found["port"] == 9002


@pytest.mark.parametrize(
    ("also", "message"),
    [({}, "LIFELINE_NOTIFY_URLS_FILE names .*gone, which cannot be read"), ({"LIFELINE_NOTIFY_URLS": "x"}, "are both set")],
)
def test_a_file_of_a_secret_that_cannot_be_is_named(tmp_path, also, message):
    """A file that is not there, or one beside the variable itself, is an error that says so."""
    environ = {"LIFELINE_HOME": str(tmp_path), "LIFELINE_NOTIFY_URLS_FILE": str(tmp_path / "gone"), **also}
    with pytest.raises(SettingsError, match=message):
        settings.load(environ)
