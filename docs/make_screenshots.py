"""Pictures of the desk: `python docs/make_screenshots.py [HOME] [FOLDER] [--every]`, on a home that `lifeline run` has published.

Starts the desk on that home, visits the pages in a headless Chromium in both themes and widths, and writes small PNGs: those of the
documents, or with --every each page from top to bottom, wide and light in English, on a phone and dark in Chinese, for looking at.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from app.commands import ui
from models import settings, store

WIDE, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
# name -> (address, theme, size)
PICTURES = {
    "overview": ("/", "light", WIDE),
    "overview-dark": ("/", "dark", WIDE),
    "overview-zh": ("/?lang=zh", "light", WIDE),
    "overview-phone": ("/", "light", PHONE),
    "jumps": ("/jumps?heavy=1&since=2022-10-01", "light", WIDE),
    "products": ("/products", "light", WIDE),
    "product": ("/product?id=jasper", "light", WIDE),
    "product-phone": ("/product?id=chatpdf", "dark", PHONE),
    "capability": ("/capability?id=file_input", "dark", WIDE),
    "what-if": ("/what-if?capability=coding&platform=Apple&id=cursor", "light", WIDE),
    "sql": (
        "/sql?q=from%20lifeline%20join%20product%20using%20(product_id)%20select%20name%2C%20s12%20order%20by%20s12%20limit%208",
        "light",
        WIDE,
    ),
}
PAGES = {
    "overview": "/",
    "jumps": "/jumps",
    "jumps-first": "/jumps?view=first",
    "jump": "/jumps?jump={jump}",
    "products": "/products",
    "product": "/product?id=jasper",
    "product-ended": "/product?id=artifact-news",
    "capability": "/capability?id=coding",
    "portfolio": "/portfolio",
    "your-product": "/your-product",
    "what-if": "/what-if?capability=coding&platform=OpenAI&id=jasper",
    "review": "/review",
    "sources": "/sources",
    "accuracy": "/accuracy",
    "method": "/method",
    "method-findings": "/method?view=findings",
    "method-dictionary": "/method?view=dictionary&relation=lifeline",
    "sql": "/sql?q=from%20product%20select%20wrapper_tier%2C%20count(*)%20as%20n%20group%20by%20all%20order%20by%201",
}
TALLEST = 4200
IS_READY = """() => {
    const desk = document.querySelector('[data-testid="stApp"]');
    return desk && desk.getAttribute('data-test-script-state') === 'notRunning'
        && !document.querySelector('[data-testid="stSkeleton"]') && !document.querySelector('[data-stale="true"]');
}"""


def every(home: Path) -> dict[str, tuple[str, str, dict[str, int]]]:
    """Every page wide, light and English, and on a phone, dark and Chinese; the product in all four."""
    with store.open_published(home / "lifeline.duckdb") as con:
        found = con.execute("select jump_id from jump order by n_documents desc, weight desc, jump_id limit 1").fetchall()
    pages = {name: address.format(jump=found[0][0] if found else "") for name, address in PAGES.items()}
    chinese = {name: address + ("&" if "?" in address else "?") + "lang=zh" for name, address in pages.items()}
    return {
        **{f"{name}-wide": (address, "light", WIDE) for name, address in pages.items()},
        **{f"{name}-phone": (address, "dark", PHONE) for name, address in chinese.items()},
        "product-wide-dark": (pages["product"], "dark", WIDE),
        "product-phone-light": (pages["product"], "light", PHONE),
    }


def main(home: Path, folder: Path, pictures: dict[str, tuple[str, str, dict[str, int]]], *, is_whole: bool) -> None:
    """Start the desk, take every picture, stop the desk."""
    folder.mkdir(parents=True, exist_ok=True)
    with ui.serving(home) as (address, _):
        take(address, folder, pictures, is_whole=is_whole)


def take(desk: str, folder: Path, pictures: dict[str, tuple[str, str, dict[str, int]]], *, is_whole: bool) -> None:
    """Visit and photograph each address; whole pages are as tall as they need."""
    from playwright.sync_api import sync_playwright

    chromium = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        sys.exit("no Chromium on the path; install one (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (address, theme, size) in pictures.items():
            page = browser.new_page(color_scheme=theme, viewport=size)
            page.goto(desk + address)
            page.wait_for_function(IS_READY, timeout=120_000)
            if is_whole:
                tall = page.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollHeight")
                page.set_viewport_size({"width": size["width"], "height": min(max(tall, size["height"]), TALLEST)})
            page.wait_for_timeout(1500)
            (folder / f"{name}.png").write_bytes(small(page.screenshot()))
            page.close()
        browser.close()


def small(picture: bytes) -> bytes:
    """The picture with a palette of 128 colours: a tenth of the bytes, and text as sharp as before."""
    from PIL import Image

    file = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--every"]
    chosen_home = Path(words[0]) if words else settings.load().home
    chosen_folder = Path(words[1]) if len(words) > 1 else Path(__file__).with_name("screenshots")
    is_every = "--every" in sys.argv
    main(chosen_home, chosen_folder, every(chosen_home) if is_every else PICTURES, is_whole=is_every)
