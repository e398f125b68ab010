"""A client of the official SDK drives every tool over standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from importlib.util import find_spec

import pytest

from tests.app import published
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(find_spec("mcp") is None, reason="needs the extra `app`")
TOOLS = {"find_products", "lifeline_of", "jumps_since", "exposure_of", "run_sql", "what_if"}


def talk(home, conversation, *words):
    """Start `lifeline mcp`, connect a client, let `conversation` use it, and hang up."""
    import mcp

    server = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "app.cli", "mcp", *words],
        env={**os.environ, "LIFELINE_HOME": str(home), "PYTHONPATH": str(ROOT)},
        cwd=str(ROOT),
    )

    async def session():
        async with mcp.Client(server, read_timeout_seconds=120) as client:
            return await conversation(client)

    return asyncio.run(session())


def answer(result):
    """The structured answer of a tool, which must also be there as text."""
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


@pytest.fixture
def served(home):
    """A home with a published file."""
    published.write(home / "lifeline.duckdb")
    return home


def test_a_client_drives_every_tool(served):
    """Each tool answers with data; a wrong id, day or statement is an error the program can read; private products are not told."""

    async def conversation(client):
        listed = (await client.list_tools()).tools
        assert {tool.name for tool in listed} == TOOLS
        assert all(tool.annotations.read_only_hint and tool.description for tool in listed)

        found = answer(await client.call_tool("find_products", {"capability": "agents"}))["products"]
        assert [row["product_id"] for row in found] == ["agentco"]
        assert found[0]["s12_low"] < found[0]["s12"] < found[0]["s12_high"]
        assert found[0]["as_of"] == "2026-08-22"
        every = answer(await client.call_tool("find_products", {"alive_only": False, "limit": 10_000}))["products"]
        assert {row["product_id"] for row in every} == {"noteshell", "agentco", "goneco"}

        told = answer(await client.call_tool("lifeline_of", {"product_id": "noteshell"}))
        assert told["lifeline"]["n_at_risk"] == 120
        assert [job["capability"] for job in told["jobs"]] == ["frontier_quality", "audio_input"]
        assert answer(await client.call_tool("lifeline_of", {"product_id": "goneco"}))["lifeline"] is None

        jumps = answer(await client.call_tool("jumps_since", {"since": "2026-08-01", "provider": "openai"}))["jumps"]
        assert [row["jump_id"] for row in jumps] == ["openai-old-api", "openai-agents"]
        hits = answer(await client.call_tool("exposure_of", {"product_id": "agentco"}))["exposures"]
        assert [(row["jump_id"], row["is_decisive"]) for row in hits] == [("openai-agents", True)]

        rows = answer(await client.call_tool("run_sql", {"sql": "from range(10)", "max_rows": 3}))
        assert (len(rows["rows"]), rows["is_truncated"]) == (3, True)
        counted = answer(await client.call_tool("run_sql", {"sql": "select count(*) as n from product"}))
        assert counted["rows"] == [{"n": 3}]

        schema = json.loads((await client.read_resource("lifeline://schema")).contents[0].text)
        assert schema["jump"]["grain"].startswith("One row per jump")
        assert "secret" not in str(schema).lower()

        wrong = {
            "lifeline_of": {"product_id": "secretco"},
            "jumps_since": {"since": "yesterday"},
            "run_sql": {"sql": "drop table product"},
            "exposure_of": {"product_id": "x' or 1=1 --"},
            "what_if": {"product_ids": ["secretco"], "capability": "agents", "platform": "OpenAI", "on": "2026-09-01"},
        }
        says = {
            "lifeline_of": "no product",
            "jumps_since": "YYYY-MM-DD",
            "run_sql": "DROP",
            "exposure_of": "no product",
            "what_if": "no product",
        }
        for tool, given in wrong.items():
            refused = await client.call_tool(tool, given)
            assert refused.is_error
            assert says[tool] in refused.content[0].text
            assert str(served) not in refused.content[0].text

    talk(served, conversation)


def test_private_products_are_told_when_asked_for(served):
    """With --include-private the owner's programs see the owner's products."""

    async def conversation(client):
        return answer(await client.call_tool("lifeline_of", {"product_id": "secretco"}))["product"]["name"]

    assert talk(served, conversation, "--include-private") == "Secret Co"


@pytest.mark.slow
def test_what_if_answers_from_the_published_file(estimated):
    """A client asks what a jump would change, on a file that the pipeline published: the same answer as the library's, and its errors."""
    from models.store import open_published
    from models.survival import whatif

    with open_published(estimated / "lifeline.duckdb") as con:
        found = con.execute(
            "select product_id, (select max(as_of) from lifeline) from lifeline join product_job using (product_id) "
            "where role = 'sells' and capability = 'coding' order by 1 limit 2"
        ).fetchall()
        ids, on = [row[0] for row in found], found[0][1]
        expected = whatif.run(con, ids, "coding", "Newcomer", on, stage_="preview", magnitude=2)
    asked = {
        "product_ids": ids,
        "capability": "coding",
        "platform": "Newcomer",
        "on": on.isoformat(),
        "stage": "preview",
        "magnitude": 2,
    }
    wrong = {
        "is no capability": {"capability": "magic"},
        "is past": {"on": "2020-01-01"},
        "is not known": {"reach": "moon"},
        "there is no product": {"product_ids": ["nobody"]},
        "no product is named": {"product_ids": []},
        "YYYY-MM-DD": {"on": "soon"},
    }

    async def conversation(client):
        told = answer(await client.call_tool("what_if", asked))["what_if"]["products"]
        refused = {says: await client.call_tool("what_if", {**asked, **changed}) for says, changed in wrong.items()}
        return told, refused

    told, refused = talk(estimated, conversation)
    assert [row["product_id"] for row in told] == ids
    for row, sure in zip(told, expected, strict=True):
        assert row["is_exposed"] is sure["is_exposed"] is True
        assert row["after"]["s12"] == pytest.approx(sure["after"]["s12"])
        assert row["change_12"]["low"] <= row["change_12"]["middle"] <= row["change_12"]["high"]
    for says, result in refused.items():
        assert result.is_error
        assert says in result.content[0].text
