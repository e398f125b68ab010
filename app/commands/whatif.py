"""`lifeline whatif`: lifelines before and after a jump that has not happened."""

from __future__ import annotations

import argparse

from app.commands.estimate import day
from models.report import Report, table


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--product", action="append", metavar="ID", help="a product; may be given several times")
    who.add_argument("--watchlist", metavar="NAME", help="all living products of a watchlist")
    parser.add_argument("--capability", required=True, metavar="C", help="what jumps, as in `lifeline sql 'from capability'`")
    parser.add_argument("--platform", required=True, metavar="P", help="who jumps; its own products are spared")
    parser.add_argument("--on", type=day, required=True, metavar="DATE", help="when, from the day of the last run on")
    parser.add_argument("--stage", default="ga", help="announced, preview, ga or retired (default ga)")
    parser.add_argument(
        "--reach", default="consumer", help="consumer, suite, api, open_weights, enterprise, device, ... (default consumer)"
    )
    parser.add_argument("--magnitude", type=int, default=3, help="1 to 3 (default 3)")


def run(args: argparse.Namespace) -> Report:
    """Ask the published file; writes nothing."""
    from models import settings, store
    from models.survival import whatif

    chosen = settings.load()
    with store.open_published(chosen.published) as con:
        products = args.product or _watched(con, chosen, args.watchlist)
        provider, remarks = _who_jumps(con, args.platform)
        rows = whatif.run(
            con, products, args.capability, provider, args.on, stage_=args.stage, reach=args.reach, magnitude=args.magnitude
        )
    shown = [
        {
            "product": row["product_id"],
            "in 12 months, %": _percent(row["before"]["s12"]),
            "then, %": _percent(row["after"]["s12"]),
            "change, points (90 %)": f"{100 * row['change_12']['middle']:+.1f} ({100 * row['change_12']['low']:+.1f} to {100 * row['change_12']['high']:+.1f})",
            "overtaken": row["before"]["overtaken_on"] or "no",
            "overtaken then": row["after"]["overtaken_on"] or "no",
            "why": row["why"],
        }
        for row in rows
    ]
    lines = [
        *table(shown, list(shown[0])),
        "chance to be still there in 12 months, before and after; associated with such jumps, never caused",
    ]
    return Report(
        [*lines, *remarks],
        {"products": rows},
    )


def _who_jumps(con, platform: str) -> tuple[str, list[str]]:
    """The provider behind a name (ChatGPT is OpenAI's), and a line where no provider of that name is known: it may be a slip of the pen."""
    from difflib import get_close_matches

    from models.survival.tables import provider_aliases

    wanted = platform.strip().lower()
    surfaces = con.execute(
        "select provider from jump where lower(platform) = ? and provider <> '' group by all order by count(*) desc, provider",
        [wanted],
    ).fetchall()
    rows = con.execute("select distinct provider from jump where provider <> ''").fetchall()
    names = {name.lower(): name for (name,) in rows}
    if wanted in names or any(row["name"] == wanted for row in provider_aliases()):
        return platform, []
    if surfaces:
        return surfaces[0][0], [f"{platform} is {surfaces[0][0]}'s: its own products are spared"]
    near = [names[name] for name in get_close_matches(wanted, names, n=1)]
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return platform, [f"no jump of {platform!r} is known, so none of its products is spared{hint}"]


def _watched(con, chosen, name: str) -> list[str]:
    """The products of a watchlist that are alive."""
    from models import watchlists
    from models.errors import UsageError

    listed = watchlists.read(chosen.watchlists, name).product_ids
    alive = {row[0] for row in con.execute("select product_id from lifeline").fetchall()}
    found = [key for key in listed if key in alive]
    if not found:
        raise UsageError(f"watchlist {name!r} holds no living product; add one with `lifeline watch add {name} PRODUCT_ID`")
    return found


def _percent(value: float) -> str:
    return f"{100 * value:.0f}"
