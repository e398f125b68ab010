"""`lifeline ui`: bound to this machine, without telemetry, its secrets nowhere on a command line."""

from __future__ import annotations

import socket

import pytest

from app.commands import ui
from models import settings
from models.errors import UsageError


def test_the_desk_binds_to_this_machine_and_tells_nobody():
    """Unless told otherwise it listens on loopback; the options that keep it quiet are the ones that are passed."""
    assert settings.load({"LIFELINE_HOME": "/nowhere"})["address"] == ui.HOST == "127.0.0.1"
    assert ui.OPTIONS["browser.gatherUsageStats"] == "false"
    assert not [name for name in ui.OPTIONS if "secret" in name.lower() or "password" in name.lower()]


@pytest.mark.parametrize("port", [0, -1, 70_000])
def test_a_false_port_is_refused_in_one_line(tmp_path, port):
    """No child is started."""
    with pytest.raises(UsageError, match="is no port"):
        ui.launch(tmp_path, port)


def test_a_port_in_use_is_named(tmp_path):
    """The remedy is in the line."""
    with socket.socket() as other:
        other.bind((ui.HOST, 0))
        other.listen()
        with pytest.raises(UsageError, match="choose another with --port"):
            ui.launch(tmp_path, other.getsockname()[1])


def test_the_child_reads_the_home_from_its_environment(tmp_path, monkeypatch):
    """Secrets of the environment travel in it, not in the arguments; the project comes first on the path."""
    monkeypatch.setenv("LIFELINE_NOTIFY_URLS", "mailto://user:secret@example.org")
    found = ui.environment(tmp_path)
    assert found["LIFELINE_HOME"] == str(tmp_path)
    assert found["PYTHONPATH"].split(":")[0] == str(ui.MAIN.parent.parent)
    assert ui.MAIN.is_file()
