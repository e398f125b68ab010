"""The desk as a web application: Streamlit's own, behind a guard that keeps the browser on this host.

`lifeline ui` runs this file; `streamlit run app/main.py` shows the same pages without the guard.
"""

from __future__ import annotations

import gc
import importlib
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from app import signin
from app.guard import Guard

FIRST, LAST = ("pandas", "pyarrow", "duckdb"), ("models.survival.whatif",)


@asynccontextmanager
async def _lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Import what the first pages need while nobody has asked for them yet."""
    threading.Thread(target=_warm, daemon=True).start()
    yield {}


def _warm() -> None:
    """Modules live as long as the server: `freeze` spares every later collection of garbage from walking through them."""
    views = sorted(f"app.views.{file.stem}" for file in Path(__file__).with_name("views").glob("[a-z]*.py"))
    for name in (*FIRST, *views, *LAST):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()


app = st.App(
    "main.py",
    middleware=[Middleware(Guard)],
    lifespan=_lifespan,
    secrets=signin.from_environment(os.environ) or None,
)
