"""Many sessions on one server at one time: each sees its own language, product, list and private product, and nobody else's."""

from __future__ import annotations

import asyncio
import shutil

import pytest

from app.commands import ui
from tests.app.wire import Reader

pytestmark = pytest.mark.slow
PRODUCTS = {"jasper": "Jasper", "chatpdf": "ChatPDF", "runway": "Runway", "cursor": "Cursor"}
LISTS = {"red": "jasper", "blue": "chatpdf"}
N_ROUNDS = 2


@pytest.fixture(scope="module")
def desk(_estimated, tmp_path_factory):
    """The desk as `lifeline ui` starts it, on a home that the pipeline published, with two watchlists."""
    home = tmp_path_factory.mktemp("sessions") / "home"
    shutil.copytree(_estimated, home, ignore=shutil.ignore_patterns("work.*"))
    for name, product in LISTS.items():
        (home / "watchlists" / f"{name}.csv").write_text(f"product_id\n{product}\n", encoding="utf-8")
    with ui.serving(home) as (address, _):
        yield address


def has_chinese(words):
    """Whether any of the texts holds a Chinese character."""
    return any("\u4e00" <= letter <= "\u9fff" for letter in "".join(words))


async def read_on(desk, number):
    """One person reads a product, a watchlist and the definitions, again and again, in a language of their own."""
    reader = await Reader.come(desk)
    product = list(PRODUCTS)[number % len(PRODUCTS)]
    chosen = list(LISTS)[number % len(LISTS)]
    lang = "zh" if number % 3 == 0 else "en"
    wrong = []
    for _ in range(N_ROUNDS):
        page = await reader.open("product", id=product, lang=lang)
        if page.titles != [PRODUCTS[product]]:
            wrong.append(f"{number} asked for {product} and got {page.titles}")
        page = await reader.open("portfolio", list=chosen, lang=lang)
        wrong += page.errors
        page = await reader.open("method", lang=lang)
        if has_chinese(page.titles) != (lang == "zh"):
            wrong.append(f"{number} reads {lang} and got {page.titles}")
    await reader.leave()
    return wrong


def test_twenty_readers_at_once_get_each_their_own(desk):
    """Twenty sessions with languages, products and watchlists of their own, all at one time."""

    async def everybody():
        return await asyncio.gather(*(read_on(desk, number) for number in range(20)))

    assert [line for wrong in asyncio.run(everybody()) for line in wrong] == []


def test_a_private_product_stays_in_its_session(desk):
    """What one person fills in, and has not kept, no other session sees: neither on the form's page, nor anywhere else."""
    names = [f"Private {number}" for number in range(4)]

    async def enter(name):
        reader = await Reader.come(desk)
        await reader.open("your-product")
        page = await reader.press("your-product", "Show its lifeline", {"Name": name, "What it sells": ["coding"]})
        again = await reader.open("your-product")
        return reader, page, again

    async def everybody():
        sessions = await asyncio.gather(*(enter(name) for name in names))
        stranger = await Reader.come(desk)
        pages = [await stranger.open(page) for page in ("your-product", "products", "overview", "review")]
        for reader in (*(session[0] for session in sessions), stranger):
            await reader.leave()
        return sessions, pages

    sessions, pages = asyncio.run(everybody())
    for name, (_, page, again) in zip(names, sessions, strict=True):
        for seen in (page, again):
            said = " ".join(seen.words)
            assert [other for other in names if other in said] == [name], said
    assert not [word for page in pages for word in page.words if "Private " in word]
