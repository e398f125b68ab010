"""The desk as a web application: Streamlit's own, behind a guard that keeps the browser on this host.

`lifeline ui` runs this file; `streamlit run app/main.py` shows the same pages without the guard.
"""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware

from app.guard import Guard

app = st.App("main.py", middleware=[Middleware(Guard)])
