"""Charts. Frames in, Altair out; colours read on light and dark ground, and nothing is told by colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from app.words import capability, t

if TYPE_CHECKING:
    import pandas as pd

BLUE, ORANGE, RED, GREY, GREEN = "#3b82c4", "#d97706", "#c8413b", "#8a8f98", "#2f9e6e"
SEGMENT_COLOURS = {
    "eye": "#3b82c4",
    "brain": "#d97706",
    "hand": "#2f9e6e",
    "make": "#b0569e",
    "terms": "#8a8f98",
    "platform": "#6d6fd0",
}
PERCENT = alt.Axis(format="%", tickCount=5)


def survival(curve: pd.DataFrame, horizons: tuple[int, ...] = (3, 6, 12)) -> Any:
    """The lifeline: survival by months ahead with its 90 % band; dots at the horizons."""
    base = alt.Chart()
    x = alt.X(
        "months:Q",
        title=t("chart.months_ahead"),
        scale=alt.Scale(domain=[0, int(curve["months"].max())]),
        axis=alt.Axis(tickMinStep=3),
    )
    tips = [
        alt.Tooltip("months:Q", title=t("chart.months_ahead")),
        alt.Tooltip("survival:Q", title=t("clock.survival"), format=".0%"),
        alt.Tooltip("low:Q", title=t("chart.low"), format=".0%"),
        alt.Tooltip("high:Q", title=t("chart.high"), format=".0%"),
    ]
    band = base.mark_area(opacity=0.22, color=BLUE).encode(
        x=x, y=alt.Y("low:Q", title=t("clock.survival"), scale=alt.Scale(domain=[0, 1]), axis=PERCENT), y2="high:Q"
    )
    line = base.mark_line(color=BLUE, strokeWidth=2.5).encode(x=x, y="survival:Q", tooltip=tips)
    dots = (
        base.mark_point(color=BLUE, filled=True, size=80)
        .encode(x=x, y="survival:Q", tooltip=tips)
        .transform_filter(alt.FieldOneOfPredicate("months", list(horizons)))
    )
    return alt.layer(band, line, dots, data=curve).properties(height=280)


def exposures(rows: pd.DataFrame, overtaken_on: Any = None) -> Any:
    """Jumps that reached a product, by day and capability; size is weight, a filled mark is a decisive jump."""
    shown = rows.assign(
        what=[capability(label) for label in rows["capability"]],
        decisive=[t("decisive") if flag else t("not_decisive") for flag in rows["is_decisive"]],
    )
    marks = (
        alt.Chart(shown)
        .mark_point(strokeWidth=1.6)
        .encode(
            x=alt.X("exposed_on:T", title=None),
            y=alt.Y("what:N", title=None, axis=alt.Axis(labelLimit=170)),
            size=alt.Size("weight:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[25, 260])),
            color=alt.Color(
                "decisive:N",
                title=None,
                scale=alt.Scale(domain=[t("decisive"), t("not_decisive")], range=[RED, BLUE]),
                legend=alt.Legend(orient="top"),
            ),
            shape=alt.Shape(
                "decisive:N", title=None, scale=alt.Scale(domain=[t("decisive"), t("not_decisive")], range=["diamond", "circle"])
            ),
            tooltip=[
                alt.Tooltip("exposed_on:T", title=t("col.happened_on"), format="%Y-%m-%d"),
                alt.Tooltip("provider:N", title=t("col.provider")),
                alt.Tooltip("release:N", title=t("col.release")),
                alt.Tooltip("what:N", title=t("col.capability")),
                alt.Tooltip("weight:Q", title=t("col.weight"), format=".2f"),
            ],
        )
    )
    layers = [marks]
    if overtaken_on is not None:
        import pandas as pd

        rule = pd.DataFrame({"on": [pd.Timestamp(overtaken_on)], "what": [t("clock.overtaken")]})
        layers.append(
            alt.Chart(rule)
            .mark_rule(color=RED, strokeDash=[5, 4], strokeWidth=1.5)
            .encode(x="on:T", tooltip=[alt.Tooltip("on:T", title=t("clock.overtaken"), format="%Y-%m")])
        )
    return alt.layer(*layers).properties(height=max(120, 34 * shown["what"].nunique() + 60))


def jumps(rows: pd.DataFrame) -> alt.Chart:
    """Every jump by day and capability, coloured by the segment of the capability, sized by weight."""
    return (
        alt.Chart(rows)
        .mark_circle(opacity=0.7)
        .encode(
            x=alt.X("happened_on:T", title=None),
            y=alt.Y("what:N", title=None, sort=alt.SortField("segment"), axis=alt.Axis(labelLimit=170)),
            size=alt.Size("weight:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[14, 190])),
            color=alt.Color("segment_word:N", title=None, legend=alt.Legend(orient="top"), scale=_segments()),
            tooltip=[
                alt.Tooltip("happened_on:T", title=t("col.happened_on"), format="%Y-%m-%d"),
                alt.Tooltip("provider:N", title=t("col.provider")),
                alt.Tooltip("release:N", title=t("col.release")),
                alt.Tooltip("stage_word:N", title=t("col.stage")),
                alt.Tooltip("weight:Q", title=t("col.weight"), format=".2f"),
            ],
        )
        .properties(height=max(140, 20 * rows["what"].nunique() + 60))
    )


def _segments() -> alt.Scale:
    return alt.Scale(domain=[t(f"segment.{name}") for name in SEGMENT_COLOURS], range=list(SEGMENT_COLOURS.values()))


def factors(rows: pd.DataFrame) -> alt.Chart:
    """Months lost by cause."""
    return (
        alt.Chart(rows)
        .mark_bar(cornerRadiusEnd=3)
        .encode(
            x=alt.X("lost_months:Q", title=t("chart.lost_months"), axis=alt.Axis(tickCount=3)),
            y=alt.Y("what:N", title=None, sort="-x", axis=alt.Axis(labelLimit=190)),
            color=alt.condition(alt.datum.lost_months >= 0, alt.value(ORANGE), alt.value(GREEN)),
            tooltip=[
                alt.Tooltip("what:N", title=t("col.factor")),
                alt.Tooltip("lost_months:Q", title=t("chart.lost_months"), format=".2f"),
            ],
        )
        .properties(height=max(110, 28 * len(rows) + 60))
    )


def signs_of_life(rows: pd.DataFrame) -> alt.Chart:
    """Signs of life by month, stacked by kind."""
    kinds = ["n_commits", "n_releases", "n_documents", "n_mentions"]
    long = rows.melt("month", kinds, "kind", "n").dropna()
    long = long.assign(kind=[t(f"col.{name}") for name in long["kind"]])
    return (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=alt.X("yearmonth(month):T", title=None),
            y=alt.Y("sum(n):Q", title=t("chart.signs")),
            color=alt.Color(
                "kind:N",
                title=None,
                legend=alt.Legend(orient="top"),
                scale=alt.Scale(domain=[t(f"col.{name}") for name in kinds], range=[GREY, BLUE, GREEN, ORANGE]),
            ),
            tooltip=[
                alt.Tooltip("yearmonth(month):T", title=t("col.month"), format="%Y-%m"),
                alt.Tooltip("kind:N", title=t("col.kind")),
                alt.Tooltip("sum(n):Q", title="n"),
            ],
        )
        .properties(height=180)
    )


def said_before(rows: pd.DataFrame) -> Any:
    """What was said of a product, by the day it was said, for each horizon."""
    shown = rows.assign(horizon=[t("within_months", n=int(months)) for months in rows["horizon_months"]])
    base = alt.Chart().encode(
        x=alt.X("made_on:T", title=None),
        color=alt.Color("horizon:N", title=None, legend=alt.Legend(orient="top"), scale=_horizons()),
    )
    band = base.mark_area(opacity=0.12).encode(
        y=alt.Y("low:Q", title=t("clock.survival"), scale=alt.Scale(domain=[0, 1]), axis=PERCENT), y2="high:Q"
    )
    tips = [
        alt.Tooltip("made_on:T", format="%Y-%m-%d", title=t("col.made_on")),
        alt.Tooltip("horizon:N", title=t("col.horizon_months")),
        alt.Tooltip("survival:Q", format=".0%", title=t("clock.survival")),
    ]
    return alt.layer(band, base.mark_line(point=True).encode(y="survival:Q", tooltip=tips), data=shown).properties(height=220)


def _horizons() -> alt.Scale:
    return alt.Scale(domain=[t("within_months", n=months) for months in (3, 6, 12)], range=[GREEN, BLUE, ORANGE])


def heat(rows: pd.DataFrame) -> alt.Chart:
    """Product by capability: how far jumps have reached what it sells."""
    return (
        alt.Chart(rows)
        .mark_rect(cornerRadius=2)
        .encode(
            x=alt.X("what:N", title=None, axis=alt.Axis(orient="top", labelAngle=-45, labelLimit=150, labelOverlap=False)),
            y=alt.Y("name:N", title=None, axis=alt.Axis(labelLimit=170, labelOverlap=False)),
            color=alt.Color(
                "weight:Q",
                title=t("chart.largest_jump"),
                scale=alt.Scale(domain=[0, 1], range=["#dce7f2", "#e7a14a", "#b93632"], interpolate="lab"),
                legend=alt.Legend(orient="bottom"),
            ),
            tooltip=[
                alt.Tooltip("name:N", title=t("col.name")),
                alt.Tooltip("what:N", title=t("col.capability")),
                alt.Tooltip("role_word:N", title=t("col.role")),
                alt.Tooltip("weight:Q", title=t("chart.largest_jump"), format=".2f"),
                alt.Tooltip("n_jumps:Q", title=t("col.n_jumps")),
            ],
        )
        .properties(height=30 * rows["name"].nunique() + 230)
    )


def hit_survival(rows: pd.DataFrame) -> Any:
    """Survival of products since the jump that hit them, as steps with a band."""
    base = alt.Chart()
    x = alt.X("months:Q", title=t("chart.months_since_hit"))
    band = base.mark_area(opacity=0.2, color=ORANGE, interpolate="step-after").encode(
        x=x, y=alt.Y("low:Q", title=t("clock.survival"), scale=alt.Scale(domain=[0, 1]), axis=PERCENT), y2="high:Q"
    )
    tips = [
        alt.Tooltip("months:Q", title=t("chart.months_since_hit")),
        alt.Tooltip("survival:Q", format=".0%", title=t("clock.survival")),
        alt.Tooltip("n_at_risk:Q", title=t("col.n_at_risk")),
    ]
    return alt.layer(
        band, base.mark_line(color=ORANGE, interpolate="step-after").encode(x=x, y="survival:Q", tooltip=tips), data=rows
    ).properties(height=260)


def brier(rows: pd.DataFrame) -> alt.LayerChart:
    """Brier score over the life table's by day of forecast: below 1 is better than the life table."""
    shown = rows.assign(
        ratio=rows["brier"] / rows["brier_life_table"],
        horizon=[t("within_months", n=int(months)) for months in rows["horizon_months"]],
    )
    line = (
        alt.Chart(shown)
        .mark_line(point=True)
        .encode(
            x=alt.X("origin_on:T", title=None),
            y=alt.Y("ratio:Q", title=t("chart.brier_ratio"), scale=alt.Scale(zero=False)),
            color=alt.Color("horizon:N", title=None, legend=alt.Legend(orient="top"), scale=_horizons()),
            tooltip=[
                alt.Tooltip("origin_on:T", title=t("col.origin_on"), format="%Y-%m-%d"),
                alt.Tooltip("horizon:N", title=t("col.horizon_months")),
                alt.Tooltip("ratio:Q", format=".2f", title=t("chart.brier_ratio")),
                alt.Tooltip("n:Q", title="n"),
                alt.Tooltip("n_ended:Q", title=t("col.n_ended")),
            ],
        )
    )
    import pandas as pd

    one = alt.Chart(pd.DataFrame({"y": [1.0]})).mark_rule(color=GREY, strokeDash=[5, 4]).encode(y="y:Q")
    return (one + line).properties(height=240)


def calibration(rows: pd.DataFrame) -> alt.LayerChart:
    """Said against seen, in bins: on the diagonal is right."""
    import pandas as pd

    top = float(max(rows["said"].max(), rows["high"].max(), 0.2))
    diagonal = (
        alt.Chart(pd.DataFrame({"x": [0.0, top], "y": [0.0, top]}))
        .mark_line(color=GREY, strokeDash=[5, 4])
        .encode(x="x:Q", y="y:Q")
    )
    base = alt.Chart(rows)
    x = alt.X("said:Q", title=t("chart.said"), axis=PERCENT, scale=alt.Scale(domain=[0, top]))
    bars = base.mark_rule(color=BLUE).encode(
        x=x, y=alt.Y("low:Q", title=t("chart.seen"), axis=PERCENT, scale=alt.Scale(domain=[0, top])), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=90, color=BLUE).encode(
        x=x,
        y="seen:Q",
        tooltip=[
            alt.Tooltip("said:Q", format=".1%", title=t("chart.said")),
            alt.Tooltip("seen:Q", format=".1%", title=t("chart.seen")),
            alt.Tooltip("n:Q", title="n"),
            alt.Tooltip("n_ended:Q", title=t("col.n_ended")),
        ],
    )
    return (diagonal + bars + dots).properties(height=280)


def two_curves(rows: pd.DataFrame) -> alt.Chart:
    """The lifeline before and after a jump that has not happened; the words of both sides are in `when`, before first."""
    sides = list(dict.fromkeys(rows["when"]))
    return (
        alt.Chart(rows)
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X("months:Q", title=t("chart.months_ahead"), axis=alt.Axis(tickMinStep=3)),
            y=alt.Y("survival:Q", title=t("clock.survival"), axis=PERCENT, scale=alt.Scale(domain=[0, 1])),
            color=alt.Color(
                "when:N", title=None, legend=alt.Legend(orient="top"), scale=alt.Scale(domain=sides, range=[BLUE, ORANGE])
            ),
            strokeDash=alt.StrokeDash("when:N", scale=alt.Scale(domain=sides, range=[[1, 0], [6, 4]]), legend=None),
            tooltip=[
                alt.Tooltip("when:N", title=" "),
                alt.Tooltip("months:Q", title=t("chart.months_ahead")),
                alt.Tooltip("survival:Q", format=".0%", title=t("clock.survival")),
            ],
        )
        .properties(height=260)
    )


def free(rows: pd.DataFrame, x: str, y: str, kind: str) -> alt.Chart:
    """One column over another, as the analyst chose; names go in quoted, as they may hold anything."""
    import pandas as pd

    cells = pd.DataFrame({"x": rows[x], "y": rows[y]})
    is_time = pd.api.types.is_datetime64_any_dtype(cells["x"]) or cells["x"].map(lambda value: hasattr(value, "isoformat")).all()
    scale = "T" if is_time else "Q" if cells["x"].dtype.kind in "iuf" else "N"
    chart = alt.Chart(cells)
    marks = {"line": chart.mark_line(point=True, color=BLUE), "point": chart.mark_point(filled=True, color=BLUE)}
    marked = marks.get(kind, chart.mark_bar(color=BLUE))
    return marked.encode(
        x=alt.X(f"x:{scale}", title=x, sort=None),
        y=alt.Y("y:Q", title=y),
        tooltip=[alt.Tooltip(f"x:{scale}", title=x), alt.Tooltip("y:Q", title=y)],
    ).properties(height=300)
