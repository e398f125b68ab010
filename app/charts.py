"""Charts. Frames in, Vega-Lite out; colours read on light and dark ground, and nothing is told by colour alone.

A chart is its rows and a plain specification: building one costs microseconds, where Altair's checks cost most of a page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.words import capability, t

if TYPE_CHECKING:
    import pandas as pd

Spec = dict[str, Any]
BLUE, ORANGE, RED, GREY, GREEN = "#3b82c4", "#d97706", "#c8413b", "#8a8f98", "#2f9e6e"
SEGMENT_COLOURS = {
    "eye": "#3b82c4",
    "brain": "#d97706",
    "hand": "#2f9e6e",
    "make": "#b0569e",
    "terms": "#8a8f98",
    "platform": "#7a4b1e",
}
PERCENT = {"format": "%", "tickCount": 5}
SHARE = {"domain": [0, 1]}
# three a line, so that a phone cuts none off; an area is fainter than its line, its mark in the legend is not
ON_TOP = {"orient": "top", "columns": 3, "symbolOpacity": 1}
# a month without its year says little on an axis of several
BY_MONTH: Spec = {"axis": {"format": "%Y-%m"}}
EVERY_NAME: Spec = {"labelLimit": 170, "labelOverlap": False}
DASHED = [5, 4]


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows and the Vega-Lite specification that draws them."""

    rows: pd.DataFrame
    spec: Spec


def _q(field: str, title: str | None = None, **more: Any) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, **more}


def _n(field: str, title: str | None = None, **more: Any) -> Spec:
    return {"field": field, "type": "nominal", "title": title, **more}


def _t(field: str, title: str | None = None, **more: Any) -> Spec:
    return {"field": field, "type": "temporal", "title": title, **more}


def _mark(kind: str, *, transform: list[Spec] | None = None, mark: Spec | None = None, **encoding: Any) -> Spec:
    """One layer, or a whole chart."""
    return {"mark": {"type": kind, **(mark or {})}, "encoding": encoding, **({"transform": transform} if transform else {})}


def _survival_axis() -> Spec:
    return {"scale": SHARE, "axis": PERCENT, "title": t("clock.survival")}


def _months_axis(title: str, last: int) -> Spec:
    """Months from 0 to `last` with a tick where people count: every 3, 6 or 12."""
    step = 3 if last <= 24 else 6 if last <= 60 else 12
    return _q("months", title, axis={"values": list(range(0, last + 1, step))}, scale={"domain": [0, max(last, 1)]})


def _band(x: Spec, colour: str, *, opacity: float = 0.22, **mark: Any) -> Spec:
    """The interval between the columns low and high."""
    y = _q("low", **_survival_axis())
    return _mark("area", mark={"opacity": opacity, "color": colour, **mark}, x=x, y=y, y2={"field": "high"})


def survival(curve: pd.DataFrame, horizons: tuple[int, ...] = (3, 6, 12)) -> Chart:
    """The lifeline: survival by months ahead with its 90 % band; dots at the horizons."""
    title = t("chart.months_ahead")
    x = _months_axis(title, int(curve["months"].max()))
    tips = [
        _q("months", title),
        _q("survival", t("clock.survival"), format=".0%"),
        _q("low", t("chart.low"), format=".0%"),
        _q("high", t("chart.high"), format=".0%"),
    ]
    y = _q("survival", **_survival_axis())
    line = _mark("line", mark={"color": BLUE, "strokeWidth": 2.5}, x=x, y=y, tooltip=tips)
    only = [{"filter": {"field": "months", "oneOf": list(horizons)}}]
    dots = _mark("point", mark={"color": BLUE, "filled": True, "size": 80}, transform=only, x=x, y=y, tooltip=tips)
    return Chart(curve, {"layer": [_band(x, BLUE), line, dots], "height": 280})


def exposures(rows: pd.DataFrame, overtaken_on: Any = None) -> Chart:
    """Jumps that reached a product, by day and capability; size is weight, a decisive jump is a full diamond on top of the others."""
    words = [t("decisive"), t("not_decisive")]
    rows = rows.sort_values("is_decisive", kind="stable")
    shown = rows.assign(
        what=[capability(label) for label in rows["capability"]],
        decisive=[words[0] if flag else words[1] for flag in rows["is_decisive"]],
    )
    marks = _mark(
        "point",
        mark={"filled": True},
        x=_t("exposed_on", **BY_MONTH),
        y=_n("what", axis=EVERY_NAME),
        size=_q("weight", legend=None, scale={"domain": [0, 1], "range": [25, 260]}),
        color=_n("decisive", scale={"domain": words, "range": [RED, BLUE]}, legend=ON_TOP),
        opacity={"condition": {"test": "datum.is_decisive", "value": 1}, "value": 0.45},
        shape=_n("decisive", scale={"domain": words, "range": ["diamond", "circle"]}),
        tooltip=_jump_tips("exposed_on", _n("what", t("col.capability"))),
    )
    layers = [marks] + (_rule(overtaken_on, t("clock.overtaken")) if overtaken_on is not None else [])
    return Chart(shown, {"layer": layers, "height": max(150, 34 * shown["what"].nunique() + 90)})


def _rule(on: Any, words: str) -> list[Spec]:
    """A dashed line at a month, with its words above it."""
    x = {"datum": {"year": on.year, "month": on.month, "date": on.day}, "type": "temporal"}
    said = f"{words} {on:%Y-%m}"
    line = _mark("rule", mark={"color": RED, "strokeDash": DASHED, "strokeWidth": 1.5}, x=x, tooltip={"value": said})
    label = _mark("text", mark={"color": RED, "baseline": "bottom", "dy": -3}, x=x, y={"value": 0}, text={"value": said})
    once: Spec = {"data": {"values": [{}]}}  # over the chart's rows it would be drawn once for each
    return [{**line, **once}, {**label, **once}]


def _jump_tips(on: str, more: Spec) -> list[Spec]:
    return [
        _t(on, t("col.happened_on"), format="%Y-%m-%d"),
        _n("provider", t("col.provider")),
        _n("release", t("col.release")),
        more,
        _q("weight", t("col.weight"), format=".2f"),
    ]


def jumps(rows: pd.DataFrame) -> Chart:
    """Every jump by day and capability, coloured by the segment of the capability, sized by weight."""
    domain = [t(f"segment_short.{name}") for name in SEGMENT_COLOURS]
    spec = _mark(
        "circle",
        mark={"opacity": 0.7},
        x=_t("happened_on", **BY_MONTH),
        y=_n("what", sort={"field": "segment"}, axis=EVERY_NAME),
        size=_q("weight", legend=None, scale={"domain": [0, 1], "range": [14, 190]}),
        color=_n("segment_word", legend=ON_TOP, scale={"domain": domain, "range": list(SEGMENT_COLOURS.values())}),
        tooltip=_jump_tips("happened_on", _n("stage_word", t("col.stage"))),
    )
    return Chart(rows, {**spec, "height": max(140, 20 * rows["what"].nunique() + 60)})


def factors(rows: pd.DataFrame) -> Chart:
    """Months lost by cause."""
    title = t("chart.lost_months")
    spec = _mark(
        "bar",
        mark={"cornerRadiusEnd": 3},
        x=_q("lost_months", title, axis={"tickCount": 3}),
        y=_n("what", sort="-x", axis={"labelLimit": 230}),
        color={"condition": {"test": "datum.lost_months >= 0", "value": ORANGE}, "value": GREEN},
        tooltip=[_n("what", t("col.factor")), _q("lost_months", title, format=".2f")],
    )
    return Chart(rows, {**spec, "height": max(110, 28 * len(rows) + 60)})


def signs_of_life(rows: pd.DataFrame) -> Chart:
    """Signs of life by month, stacked by kind."""
    kinds = ["n_commits", "n_releases", "n_documents", "n_mentions"]
    words = {name: t(f"col.{name}") for name in kinds}
    long = rows.melt("month", kinds, "kind", "n").dropna()
    month, n = {"timeUnit": "yearmonth"}, {"aggregate": "sum"}
    spec = _mark(
        "bar",
        x=_t("month", scale={"domain": _two_years(max(long["month"]))}, **BY_MONTH, **month),
        y=_q("n", t("chart.signs"), **n),
        color=_n("kind", legend=ON_TOP, scale={"domain": list(words.values()), "range": [GREY, BLUE, GREEN, ORANGE]}),
        tooltip=[_t("month", t("col.month"), format="%Y-%m", **month), _n("kind", t("col.kind")), _q("n", "n", **n)],
    )
    return Chart(long.assign(kind=[words[name] for name in long["kind"]]), {**spec, "height": 180})


def _two_years(last: Any) -> list[Spec]:
    """The 24 months up to `last` as a domain, so that a single month does not fill the chart."""
    return [{"year": last.year - 2, "month": last.month, "date": 1}, {"year": last.year, "month": last.month, "date": 28}]


def said_before(rows: pd.DataFrame) -> Chart:
    """What was said of a product, by the day it was said, for each horizon."""
    tips = [
        _t("made_on", t("col.made_on"), format="%Y-%m-%d"),
        _n("horizon", t("col.horizon_months")),
        _q("survival", t("clock.survival"), format=".0%"),
    ]
    x, color = _t("made_on", axis={"format": "%Y-%m-%d"}), _horizon_colour()
    band = _mark("area", mark={"opacity": 0.12}, x=x, y=_q("low", **_survival_axis()), y2={"field": "high"}, color=color)
    line = _mark("line", mark={"point": True}, x=x, y=_q("survival", **_survival_axis()), color=color, tooltip=tips)
    return Chart(rows.assign(horizon=_horizon_words(rows)), {"layer": [band, line], "height": 280})


def _horizon_words(rows: pd.DataFrame) -> list[str]:
    return [t("within_months", n=int(months)) for months in rows["horizon_months"]]


def _horizon_colour() -> Spec:
    domain = [t("within_months", n=months) for months in (3, 6, 12)]
    return _n("horizon", legend=ON_TOP, scale={"domain": domain, "range": [GREEN, BLUE, ORANGE]})


def heat(rows: pd.DataFrame) -> Chart:
    """Product by capability: how far jumps have reached what it sells."""
    title = t("chart.largest_jump")
    scale = {"domain": [0, 1], "range": ["#dce7f2", "#e7a14a", "#b93632"], "interpolate": "lab"}
    spec = _mark(
        "rect",
        mark={"cornerRadius": 2},
        x=_n("what", axis={"orient": "top", "labelAngle": -90, "labelLimit": 150, "labelOverlap": False}),
        y=_n("name", axis=EVERY_NAME),
        color=_q("weight", title, scale=scale, legend={"orient": "bottom"}),
        tooltip=[
            _n("name", t("col.name")),
            _n("what", t("col.capability")),
            _n("role_word", t("col.role")),
            _q("weight", title, format=".2f"),
            _q("n_jumps", t("col.n_jumps")),
        ],
    )
    return Chart(rows, {**spec, "height": 30 * rows["name"].nunique() + 230})


def hit_survival(rows: pd.DataFrame) -> Chart:
    """Survival of products since the jump that hit them, as steps with a band."""
    title = t("chart.months_since_hit")
    x = _months_axis(title, int(rows["months"].max()))
    tips = [_q("months", title), _q("survival", t("clock.survival"), format=".0%"), _q("n_at_risk", t("col.n_at_risk"))]
    step = {"interpolate": "step-after"}
    line = _mark("line", mark={"color": ORANGE, **step}, x=x, y=_q("survival", **_survival_axis()), tooltip=tips)
    return Chart(rows, {"layer": [_band(x, ORANGE, opacity=0.2, **step), line], "height": 260})


def brier(rows: pd.DataFrame) -> Chart:
    """Brier score over the life table's by day of forecast: below 1 is better than the life table."""
    title = t("chart.brier_ratio")
    shown = rows.assign(ratio=rows["brier"] / rows["brier_life_table"], horizon=_horizon_words(rows))
    one = _mark("rule", mark={"color": GREY, "strokeDash": DASHED}, y={"datum": 1})
    line = _mark(
        "line",
        mark={"point": True},
        x=_t("origin_on", **BY_MONTH),
        y=_q("ratio", title, scale={"zero": False}),
        color=_horizon_colour(),
        tooltip=[
            _t("origin_on", t("col.origin_on"), format="%Y-%m-%d"),
            _n("horizon", t("col.horizon_months")),
            _q("ratio", title, format=".2f"),
            _q("n", "n"),
            _q("n_ended", t("col.n_ended")),
        ],
    )
    return Chart(shown, {"layer": [one, line], "height": 240})


def calibration(rows: pd.DataFrame) -> Chart:
    """Said against seen, in bins: on the diagonal is right."""
    top = float(max(rows["said"].max(), rows["high"].max(), 0.2))
    scale = {"domain": [0, top]}
    x = _q("said", t("chart.said"), axis=PERCENT, scale=scale)
    diagonal = _mark(
        "line",
        mark={"color": GREY, "strokeDash": DASHED},
        x={"field": "x", "type": "quantitative"},
        y={"field": "y", "type": "quantitative"},
    )
    bars = _mark("rule", mark={"color": BLUE}, x=x, y=_q("low", t("chart.seen"), axis=PERCENT, scale=scale), y2={"field": "high"})
    tips = [
        _q("said", t("chart.said"), format=".1%"),
        _q("seen", t("chart.seen"), format=".1%"),
        _q("n", "n"),
        _q("n_ended", t("col.n_ended")),
    ]
    dots = _mark("point", mark={"filled": True, "size": 90, "color": BLUE}, x=x, y=_q("seen", t("chart.seen")), tooltip=tips)
    ends = {"data": {"values": [{"x": 0, "y": 0}, {"x": top, "y": top}]}}
    return Chart(rows, {"layer": [{**diagonal, **ends}, bars, dots], "height": 280})


def two_curves(rows: pd.DataFrame) -> Chart:
    """The lifeline before and after a jump that has not happened; the words of both sides are in `when`, before first."""
    sides = list(dict.fromkeys(rows["when"]))
    title = t("chart.months_ahead")
    spec = _mark(
        "line",
        mark={"strokeWidth": 2.5},
        x=_months_axis(title, int(rows["months"].max())),
        y=_q("survival", **_survival_axis()),
        color=_n("when", legend=ON_TOP, scale={"domain": sides, "range": [BLUE, ORANGE]}),
        strokeDash=_n("when", scale={"domain": sides, "range": [[1, 0], [6, 4]]}, legend=None),
        tooltip=[_n("when", " "), _q("months", title), _q("survival", t("clock.survival"), format=".0%")],
    )
    return Chart(rows, {**spec, "height": 320})


def free(rows: pd.DataFrame, x: str, y: str, kind: str) -> Chart:
    """One column over another, as the analyst chose; columns are renamed, as their names may hold anything."""
    import pandas as pd

    cells = pd.DataFrame({"x": rows[x], "y": rows[y]})
    is_time = pd.api.types.is_datetime64_any_dtype(cells["x"]) or cells["x"].map(lambda value: hasattr(value, "isoformat")).all()
    scale = _t if is_time else _q if cells["x"].dtype.kind in "iuf" else _n
    look = {"line": {"point": True}, "point": {"filled": True}}.get(kind, {})
    name = kind if kind in ("line", "point") else "bar"
    tips = [scale("x", x), _q("y", y)]
    return Chart(
        cells,
        {**_mark(name, mark={"color": BLUE, **look}, x=scale("x", x, sort=None), y=_q("y", y), tooltip=tips), "height": 300},
    )
