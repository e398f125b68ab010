"""A team's set-up as docs/team.md tells it: Prefect's server on PostgreSQL, a work pool, a worker, a schedule that fires."""

from __future__ import annotations

import pytest

from models.store import open_published
from tests.flows.team import Postgres, Team, schedules, until, why_no_postgres

pytestmark = pytest.mark.slow
SOON = {"schedules": [{"interval": 10}], "parameters": {"offline": True}}


@pytest.fixture(scope="module")
def database():
    """PostgreSQL for this file's tests."""
    if why_no_postgres():
        pytest.skip(why_no_postgres())
    running = Postgres()
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="module")
def team(database, tmp_path_factory):
    """A server with nothing on it yet."""
    running = Team(tmp_path_factory.mktemp("team"), database.url)
    try:
        running.start_server()
        yield running
    finally:
        running.stop()


def test_a_scheduled_run_really_happens_on_a_team(team, database, tmp_path):
    """Server on PostgreSQL, pool, deployments, worker, each by its documented command: the clock starts a run, which publishes."""
    done = team.deploy(schedules(tmp_path / "prefect.yaml", {"daily": SOON}))
    assert done.returncode == 0, done.stderr
    team.start_worker()
    until(lambda: team.runs("COMPLETED"), 240, f"no run happened; see {team.folder}")
    run = team.runs("COMPLETED")[-1]
    assert run["auto_scheduled"]
    assert run["work_pool_name"] == "lifeline"
    with open_published(team.home / "lifeline.duckdb") as con:
        assert con.execute("select count(*) > 100 from lifeline").fetchone() == (True,)
        assert con.execute("select distinct status from run").fetchall() == [("ok",)]
    assert int(database.sql("select count(*) from flow_run where state_type = 'COMPLETED'")) >= 1
    reports = team.api("POST", "/artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}})
    assert [(report["key"], report["data"].splitlines()[0]) for report in reports] == [("lifeline-daily", "# daily: ok")]


def test_deploying_again_leaves_what_the_shipped_file_says_once(team):
    """Every limit, schedule and rule is in place once, whatever was deployed before."""
    if team.worker:
        team.worker.terminate()  # it has done its work; this machine may be small
    done = team.deploy()
    assert done.returncode == 0, done.stderr
    found = {one["name"]: one for one in team.api("POST", "/deployments/filter", {})}
    assert set(found) == {"hourly", "daily", "weekly", "monthly", "training"}
    for one in found.values():
        assert one["global_concurrency_limit"]["limit"] == 1
        assert one["concurrency_options"]["collision_strategy"] == "CANCEL_NEW"
        assert [("cron" in row["schedule"], row["active"]) for row in one["schedules"]] == [(True, True)]
    rules = [rule["name"] for rule in team.api("POST", "/automations/filter", {})]
    assert sorted(rules) == ["lifeline buries dead runs", "lifeline buries runs that never began"]


def test_what_cannot_be_deployed_is_one_line(team):
    """No server, a wrong word to sign in with: one line that says what to set."""
    for environ, word in [({"PREFECT_API_URL": ""}, "PREFECT_API_URL"), ({"PREFECT_API_AUTH_STRING": "a:b"}, "AUTH_STRING")]:
        done = team.deploy(**environ)
        assert done.returncode != 0
        assert word in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
