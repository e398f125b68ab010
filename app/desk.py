"""The desk as a web application: Streamlit's own, behind a guard that keeps the browser on this host.

`lifeline ui` runs this file; `streamlit run app/main.py` shows the same pages without the guard.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from app.guard import Guard

WARM = ("pandas", "pyarrow", "duckdb", "altair", "app.charts", "app.views.overview", "app.views.product", "app.views.products")


@asynccontextmanager
async def _lifespan(_: Any) -> AsyncIterator[dict[str, Any]]:
    """Import what the first page needs while nobody has asked for it yet."""
    threading.Thread(target=lambda: [importlib.import_module(name) for name in WARM], daemon=True).start()
    yield {}


app = st.App("main.py", middleware=[Middleware(Guard)], lifespan=_lifespan)
