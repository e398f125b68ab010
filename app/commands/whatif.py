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
        rows = whatif.run(
            con, products, args.capability, args.platform, args.on, stage_=args.stage, reach=args.reach, magnitude=args.magnitude
        )
    shown = [
        {
            "product": row["product_id"],
            "s12": _percent(row["before"]["s12"]),
            "then": _percent(row["after"]["s12"]),
            "change (90 %)": f"{100 * row['change_12']['middle']:+.1f} ({100 * row['change_12']['low']:+.1f} to {100 * row['change_12']['high']:+.1f})",
            "overtaken": row["after"]["overtaken_on"] or "no",
            "why": row["why"],
        }
        for row in rows
    ]
    return Report(
        [*table(shown, list(shown[0])), "percent alive after 12 months; associated with such jumps, never caused"],
        {"products": rows},
    )


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
