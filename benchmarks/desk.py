"""The desk under many readers: seconds until a page is drawn in a real browser, alone and with many sessions open.

    python benchmarks/desk.py [--home DIR] [--sessions 20] [--json FILE]

Needs Chromium and a home that `lifeline run` has published. Every session asks for another product and stays open; at the end all
titles are checked. The browser draws on the same processor, so the seconds are an upper bound for the server's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.commands import ui  # noqa: E402
from models import settings, store  # noqa: E402

READY = """() => {
    const desk = document.querySelector('[data-testid="stApp"]');
    return desk && desk.getAttribute('data-test-script-state') === 'notRunning'
        && !document.querySelector('[data-testid="stSkeleton"]') && !document.querySelector('[data-stale="true"]');
}"""
N_LOADING = 4  # sessions that load at the same moment
ALONE = (
    "/",
    "/jumps",
    "/products",
    "/product?id={id}",
    "/capability?id=coding",
    "/portfolio",
    "/what-if",
    "/review",
    "/sources",
    "/accuracy",
    "/method",
)


def main() -> None:
    """Start the desk, warm it, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    home = args.home or settings.load().home
    with socket.socket() as probe:
        probe.bind((ui.HOST, 0))
        port = probe.getsockname()[1]
    child = ui.launch(home, port)
    try:
        ui.wait_until_ready(child, port, timeout_s=120)
        found = asyncio.run(measure(f"http://{ui.HOST}:{port}", names(home), args.sessions))
    finally:
        ui.stop(child)
    found["load_average"] = os.getloadavg()[0]
    print(json.dumps(found, indent=2))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


def names(home: Path) -> list[tuple[str, str]]:
    """Living products with their names."""
    with store.open_published(home / "lifeline.duckdb") as con:
        return con.execute("select product_id, name from lifeline join product using (product_id) order by 1").fetchall()


async def measure(desk: str, products: list[tuple[str, str]], n_sessions: int) -> dict:
    """Each page alone (best of three, warm), then all sessions at once on pages of their own."""
    from playwright.async_api import async_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        alone = {}
        for path in ALONE:
            took = [(await visit(browser, desk + path.format(id=products[0][0])))[0] for _ in range(3)]
            alone[path] = round(min(took), 2)
        gate = asyncio.Semaphore(N_LOADING)
        together = await asyncio.gather(*(stay(browser, f"{desk}/product?id={key}", gate) for key, _ in products[:n_sessions]))
        titles = [await page.locator("h1").first.inner_text() for _, page in together]
        await browser.close()
    wrong = [name for title, (_, name) in zip(titles, products, strict=False) if title != " ".join(name.split())]
    seconds = [took for took, _ in together]
    return {
        "seconds_alone": alone,
        "sessions": len(seconds),
        "seconds_together": {"median": round(statistics.median(seconds), 2), "most": round(max(seconds), 2)},
        "mixed_up": wrong,
    }


async def visit(browser, url: str) -> tuple[float, str]:  # type: ignore[no-untyped-def]
    """Seconds until the page is drawn, in a session of its own, and its title."""
    context = await browser.new_context()
    page = await context.new_page()
    start = time.perf_counter()
    await page.goto(url)
    await page.wait_for_function(READY, timeout=120_000)
    took = time.perf_counter() - start
    title = await page.locator("h1").first.inner_text() if await page.locator("h1").count() else ""
    await context.close()
    return took, title


async def stay(browser, url: str, gate: asyncio.Semaphore):  # type: ignore[no-untyped-def]
    """Open a session, wait until its page is drawn, and leave it open; returns the seconds and the page."""
    async with gate:
        context = await browser.new_context()
        page = await context.new_page()
        start = time.perf_counter()
        await page.goto(url, timeout=120_000)
        await page.wait_for_function(READY, timeout=120_000)
        return time.perf_counter() - start, page


if __name__ == "__main__":
    main()
