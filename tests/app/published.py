"""A small published file: three products, three jumps, and texts that mean harm."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from models import catalogue
from models.store import insert_rows, open_memory, publish

AS_OF = date(2026, 8, 22)
SEEN = datetime(2026, 8, 20, 9, 0, tzinfo=UTC)
HOSTILE = '=HYPERLINK("http://evil.example","<script>alert(1)</script>")'


def product(product_id: str, **fields: Any) -> dict[str, Any]:
    """A row of table product that is alive unless told."""
    return {"product_id": product_id, "name": product_id.title(), "outcome": "alive", "launched_on": date(2023, 3, 1)} | fields


def rows() -> dict[str, list[dict[str, Any]]]:
    """Rows by table."""
    jumps = [
        ("openai-agents", date(2026, 8, 15), "OpenAI", "Agent mode", "ga", 3, "Agents for everyone"),
        ("google-notes", date(2026, 7, 1), "Google", "Notes", "ga", 2, HOSTILE),
        ("openai-old-api", date(2026, 9, 15), "OpenAI", "Assistants API", "retired", 2, "Assistants API is switched off"),
    ]
    return {
        "product": [
            product(
                "noteshell", name="NoteShell", homepage="https://noteshell.example", segment="eye", wrapper_tier=2, coupling=3
            ),
            product(
                "agentco",
                name=HOSTILE,
                homepage="https://agentco.example/?q=<script>alert(1)</script>",
                segment="hand",
                wrapper_tier=3,
                coupling=2,
            ),
            product("secretco", name="Secret Co", is_private=True),
            product("goneco", outcome="shut_down", ended_on=date(2025, 5, 1)),
        ],
        "product_job": [
            {"product_id": "noteshell", "capability": "audio_input", "role": "sells", "share": 1.0},
            {"product_id": "noteshell", "capability": "frontier_quality", "role": "depends_on", "share": 1.0},
            {"product_id": "agentco", "capability": "agents", "role": "sells", "share": 1.0},
            {"product_id": "secretco", "capability": "agents", "role": "sells", "share": 1.0},
        ],
        "jump": [
            {
                "jump_id": key,
                "happened_on": day,
                "known_on": min(day, date(2026, 8, 16)),
                "platform": provider,
                "provider": provider,
                "release": release,
                "stage": stage,
                "reach": "consumer",
                "magnitude": magnitude,
                "weight": 0.3 * magnitude,
                "summary": summary,
                "confidence": 0.9,
                "origin": "detected",
                "source_url": f"https://{provider.lower()}.example/{key}",
                "is_confirmed": False,
            }
            for key, day, provider, release, stage, magnitude, summary in jumps
        ],
        "jump_capability": [
            {"jump_id": "openai-agents", "capability": "agents", "share": 1.0},
            {"jump_id": "google-notes", "capability": "audio_input", "share": 1.0},
            {"jump_id": "openai-old-api", "capability": "frontier_quality", "share": 1.0},
        ],
        "jump_document": [{"jump_id": "openai-agents", "document_id": "d1"}],
        "exposure": [
            exposure("agentco", "openai-agents", "agents", "sells", date(2026, 8, 15), is_decisive=True),
            exposure("secretco", "openai-agents", "agents", "sells", date(2026, 8, 15), is_decisive=True),
            exposure("noteshell", "google-notes", "audio_input", "sells", date(2026, 7, 1), is_decisive=False),
            exposure("noteshell", "openai-old-api", "frontier_quality", "depends_on", date(2026, 9, 15), is_decisive=False),
        ],
        "lifeline": [lifeline("noteshell", 0.98, "12"), lifeline("agentco", 0.8, "6"), lifeline("secretco", 0.7, "6")],
        "lifeline_curve": [
            {"product_id": key, "as_of": AS_OF, "months": month, "survival": 0.98**month, "low": 0.9**month, "high": 1.0}
            for key in ("noteshell", "agentco", "secretco")
            for month in range(25)
        ],
        "document": [
            {
                "document_id": "d1",
                "source_id": "openai-news",
                "url": "https://openai.example/agents",
                "title": HOSTILE,
                "text": "<img src=x onerror=alert(1)> Agents are here.",
                "lang": "en",
                "published_at": SEEN,
                "first_seen_at": SEEN,
            }
        ],
        "source": [{"source_id": "openai-news", "title": "OpenAI news", "kind": "feed", "url": "https://openai.example/rss"}],
        "run": [{"run_id": "r1", "as_of": AS_OF, "started_at": SEEN, "finished_at": SEEN, "status": "ok"}],
    }


def exposure(product_id: str, jump_id: str, capability: str, role: str, day: date, *, is_decisive: bool) -> dict[str, Any]:
    """A row of table exposure."""
    return {
        "product_id": product_id,
        "jump_id": jump_id,
        "capability": capability,
        "role": role,
        "exposed_on": day,
        "weight": 0.9,
        "is_decisive": is_decisive,
    }


def lifeline(product_id: str, s12: float, kind: str) -> dict[str, Any]:
    """A row of table lifeline whose survival at 12 months is `s12`."""
    horizons = {
        f"s{h}{end}": s12 ** (h / 12) + shift for h in (3, 6, 12) for end, shift in (("", 0), ("_low", -0.05), ("_high", 0.01))
    }
    return {
        "product_id": product_id,
        "as_of": AS_OF,
        "lifeline_class": kind,
        "p_overtaken_3": 0.1,
        "p_overtaken_6": 0.2,
        "p_overtaken_12": 0.4,
        "n_at_risk": 120,
        "n_ended": 34,
        "evidence": "data",
        **horizons,
    }


def write(path: Path, extra: dict[str, list[dict[str, Any]]] | None = None) -> Path:
    """Publish the small file at `path`; `extra` adds rows by table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if extra:
        return _build(path, extra)
    path.write_bytes(_small())
    return path


@cache
def _small() -> bytes:
    """The file without extras, built once."""
    with TemporaryDirectory() as folder:
        return _build(Path(folder) / "lifeline.duckdb", {}).read_bytes()


def _build(path: Path, extra: dict[str, list[dict[str, Any]]]) -> Path:
    con = open_memory()
    catalogue.write_tables(con, catalogue.Catalogue([], [], [], "small"))
    for table, listed in rows().items():
        insert_rows(con, table, listed)
    for table, listed in extra.items():
        insert_rows(con, table, listed)
    publish(con, path)
    con.close()
    return path
