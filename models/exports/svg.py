"""Two small charts as SVG text: bars by month, and estimates with their intervals. No script, no font, no address."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from models.exports.atom import clean

WIDTH = 640
INK, FAINT, ACCENT = "#1f2933", "#9aa5b1", "#2b6cb0"


def bars(values: Sequence[tuple[str, float]], title: str) -> str:
    """Labelled bars from left to right; the value stands above each."""
    height, base, top = 180, 150, 34
    step = (WIDTH - 20) / max(len(values), 1)
    most = max((value for _, value in values), default=0) or 1
    parts = []
    for i, (label, value) in enumerate(values):
        x, tall = 10 + i * step, (base - top) * value / most
        parts.append(
            f'<rect x="{x + step * 0.15:.1f}" y="{base - tall:.1f}" width="{step * 0.7:.1f}" height="{tall:.1f}" fill="{ACCENT}"/>'
        )
        parts.append(_text(x + step / 2, base - tall - 4, f"{value:g}", INK, "middle"))
        parts.append(_text(x + step / 2, base + 16, label, FAINT, "middle"))
    return _frame(height, title, parts)


def intervals(rows: Sequence[tuple[str, float, float, float]], title: str) -> str:
    """A dot with its interval per row, on a scale from 0 to 100 %; rows are (label, low, middle, high) as fractions."""
    line, left, top = 24, 220, 34
    height = top + line * len(rows) + 24
    parts = []
    for tick in (0, 0.25, 0.5, 0.75, 1):
        x = _x(tick, left)
        parts.append(f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{height - 20}" stroke="{FAINT}" stroke-width="0.5"/>')
        parts.append(_text(x, height - 6, f"{tick:.0%}", FAINT, "middle"))
    for i, (label, low, middle, high) in enumerate(rows):
        y = top + line * i + 8
        parts.append(_text(left - 10, y + 4, label if len(label) <= 30 else label[:29] + "…", INK, "end"))
        parts.append(
            f'<line x1="{_x(low, left):.1f}" y1="{y}" x2="{_x(high, left):.1f}" y2="{y}" stroke="{ACCENT}" stroke-width="3"/>'
        )
        parts.append(f'<circle cx="{_x(middle, left):.1f}" cy="{y}" r="4.5" fill="{ACCENT}"/>')
    return _frame(height, title, parts)


def _x(fraction: float, left: float) -> float:
    return left + (WIDTH - left - 30) * min(max(fraction, 0.0), 1.0)


def _text(x: float, y: float, text: str, fill: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" fill="{fill}" text-anchor="{anchor}">{clean(text)}</text>'


def _frame(height: int, title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" role="img" '
        f'style="max-width:{WIDTH}px;font-family:sans-serif">'
    )
    return head + f"<title>{escape(title)}</title>" + _text(10, 16, title, INK, "start") + "".join(parts) + "</svg>"
