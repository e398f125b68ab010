"""Pictures of the desk for the documents: `python docs/make_screenshots.py [HOME] [FOLDER]`, on a home that `lifeline run` has published.

Starts the desk on that home, visits the pages in a headless Chromium in both themes and widths, and writes small PNGs.
"""

from __future__ import annotations

import io
import shutil
import socket
import sys
from pathlib import Path

from app.commands import ui
from models import settings

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
    "what-if": ("/what-if?capability=coding&platform=OpenAI&id=jasper", "light", WIDE),
    "sql": (
        "/sql?q=from%20lifeline%20join%20product%20using%20(product_id)%20select%20name%2C%20s12%20order%20by%20s12%20limit%208",
        "light",
        WIDE,
    ),
}
IS_READY = """() => {
    const desk = document.querySelector('[data-testid="stApp"]');
    return desk && desk.getAttribute('data-test-script-state') === 'notRunning'
        && !document.querySelector('[data-testid="stSkeleton"]') && !document.querySelector('[data-stale="true"]');
}"""


def main(home: Path, folder: Path) -> None:
    """Start the desk, take every picture, stop the desk."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind((ui.HOST, 0))
        port = probe.getsockname()[1]
    child = ui.launch(home, port)
    try:
        ui.wait_until_ready(child, port, timeout_s=120)
        take(f"http://{ui.HOST}:{port}", folder)
    finally:
        ui.stop(child)


def take(desk: str, folder: Path) -> None:
    """Visit and photograph each address."""
    from playwright.sync_api import sync_playwright

    chromium = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)
    if chromium is None:
        sys.exit("no Chromium on the path; install one (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (address, theme, size) in PICTURES.items():
            page = browser.new_page(color_scheme=theme, viewport=size)
            page.goto(desk + address)
            page.wait_for_function(IS_READY, timeout=120_000)
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
    main(
        Path(sys.argv[1]) if len(sys.argv) > 1 else settings.load().home,
        Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).with_name("screenshots"),
    )
