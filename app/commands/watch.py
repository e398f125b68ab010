"""`lifeline watch`: the products somebody follows."""

from __future__ import annotations

import argparse
from pathlib import Path

from models import catalogue, settings, watchlists
from models.errors import UsageError
from models.report import Report


def configure(parser: argparse.ArgumentParser) -> None:
    """Options of the command."""
    parser.add_argument(
        "action", choices=("add", "remove", "list"), help="add products to, remove products from, or list watchlists"
    )
    parser.add_argument("name", nargs="?", help="name of the watchlist")
    parser.add_argument("products", nargs="*", metavar="PRODUCT", help="product ids")
    parser.add_argument("--file", type=Path, help="CSV with a column product_id, added to PRODUCT")
    parser.add_argument("--all", action="store_true", help="with remove: delete the whole watchlist")


def run(args: argparse.Namespace) -> Report:
    """Do one of the three."""
    inside = settings.load()
    if args.action == "list":
        return _list(inside.watchlists, args.name)
    if not args.name:
        raise UsageError(f"name the watchlist, as in `lifeline watch {args.action} mine PRODUCT`")
    wanted = [*args.products, *(watchlists.read_ids(args.file) if args.file else ())]
    if args.action == "remove" and args.all:
        gone = watchlists.drop(inside.watchlists, args.name)
        return Report([f"{gone.name}: deleted ({len(gone.product_ids)} products)"], {"watchlist": gone.name, "products": []})
    if not wanted:
        hint = " (or --all for the whole watchlist)" if args.action == "remove" else ""
        raise UsageError(f"name at least one product id, or --file CSV{hint}")
    if args.action == "add":
        known = (row["product_id"] for row in catalogue.load(inside.catalogue).products)
        now = watchlists.add(inside.watchlists, args.name, wanted, known)
    else:
        now = watchlists.remove(inside.watchlists, args.name, wanted)
    return Report([f"{now.name}: {len(now.product_ids)} products"], _data(now))


def _list(folder: Path, name: str | None) -> Report:
    found = [watchlists.read(folder, name)] if name else watchlists.read_all(folder)
    if name:
        return Report(found[0].product_ids or ("(empty)",), _data(found[0]))
    lines = [f"{one.name}: {len(one.product_ids)} products" for one in found]
    return Report(lines or ["no watchlist yet; make one with `lifeline watch add NAME PRODUCT`"], [_data(one) for one in found])


def _data(watchlist: watchlists.Watchlist) -> dict[str, object]:
    return {"watchlist": watchlist.name, "products": list(watchlist.product_ids)}
