"""The analyst's desk: `streamlit run app/main.py`, or `lifeline ui`, which also sets what must be set.

Each page reads top to bottom: choose, get, show. Queries live in `app/sql`, charts in `app/charts.py`, words in `app/words.yaml`.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from app import chrome, data, pages, words
from models.errors import LifelineError

st.set_page_config(
    page_title="Lifeline",
    page_icon=str(Path(__file__).with_name("icon.png")),
    layout="wide",
    menu_items={"Get help": None, "Report a bug": None},
)


def main() -> None:
    """Frame first, then the page; what we know to be wrong is said in one line, with the remedy."""
    settings = data.home()
    words.use(settings["lang"])
    st.html(Path(__file__).with_name("desk.css"))
    page = st.navigation(pages.navigation(), expanded=True)
    try:
        chrome.sidebar()
        if chrome.is_let_in():
            data.stamp()
            pages.come_back(page.url_path)
            page.run()
    except LifelineError as error:
        chrome.refuse(error)


main()
