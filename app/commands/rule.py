"""`lifeline rule`: decide on tags, jumps, products, ends and proposals; list what was decided; label moats without knowing the fate."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from models.errors import UsageError
from models.report import Report, table

# what may be seen of a product by someone who must not know how it went
BLIND_COLUMNS = (
    "product_id",
    "name",
    "vendor",
    "homepage",
    "category",
    "segment",
    "wrapper_tier",
    "coupling",
    "launched_on",
    "cohort",
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Sub-commands."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=type(parser))
    for verdict, meaning in _VERDICTS.items():
        one = actions.add_parser(verdict, help=meaning, description=meaning)
        one.add_argument("relation", choices=("tag", "jump", "product", "end", "proposal"))
        one.add_argument("key", help="id of the row; document:capability or a document id for a tag")
        _add_decision(one)
    undo = actions.add_parser("undo", help="take back the latest ruling about a row, or one ruling by its id")
    undo.add_argument("relation", choices=("tag", "jump", "product", "end", "proposal"))
    undo.add_argument("key", help="id of the row, or the first 12 letters of a ruling's id")
    _add_who(undo)
    actions.add_parser("list", help="every ruling, the latest last").add_argument(
        "--relation", help="only those about one relation"
    )
    actions.add_parser("next", help="a product of a dated list whose moats nobody labelled without knowing its fate")
    actions.add_parser("show", help="a product as of its listing date, without its fate").add_argument("product_id")
    label = actions.add_parser("label", help="label a product from what `rule show` shows")
    label.add_argument("what", choices=("moats",))
    label.add_argument("product_id")
    label.add_argument("--moats", required=True, help="moats joined by `;`, or none")
    label.add_argument("--why", default="labelled without knowing the fate")
    label.add_argument("--by", default="")
    actions.add_parser("export", help="documents with ruled tags as training labels (JSON Lines)").add_argument(
        "output", type=Path
    )


_VERDICTS = {
    "confirm": "say that a row is right, or accept a proposal",
    "reject": "say that a row is wrong: it leaves",
    "correct": "give fields their right values",
    "merge": "say that a jump is the same as another (--set into=ID)",
    "split": "give some documents of a jump a jump of their own (--set document_ids=A;B)",
    "add": "add a row that is missing",
}


def _add_decision(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        dest="fields",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="a field with its value; lists joined by `;`",
    )
    _add_who(parser)


def _add_who(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--why", required=True, help="the reason, in a few words")
    parser.add_argument("--by", default="", help="who decides (default: the name of the account)")


def run(args: argparse.Namespace) -> Report:
    """Do what was asked; a decision is taken in by the next run."""
    from models import settings

    config = settings.load()
    if args.action == "list":
        return _list(config.rulings, args.relation)
    if args.action == "next":
        return _show(config, _next(config))
    if args.action == "show":
        return _show(config, args.product_id)
    if args.action == "export":
        return _export(config, args.output)
    if args.action == "label":
        return _decide(config, "correct", "product", args.product_id, {"moats": args.moats, "is_blind": "true"}, args)
    return _decide(config, args.action, args.relation, args.key, _fields(getattr(args, "fields", [])), args)


def _decide(config: Any, verdict: str, relation: str, key: str, fields: Mapping[str, Any], args: argparse.Namespace) -> Report:
    from models import rulings

    by = args.by or _account()
    given = _with_documents(config, verdict, relation, key, fields)
    ruling = rulings.rule(config.rulings, verdict, relation, key, why=args.why, by=by, now=datetime.now(UTC), fields=given)
    line = f"{verdict} {relation} {key} by {by}: ruling {ruling.ruling_id[:12]} is taken in by the next `lifeline run`"
    return Report([line], rulings.as_json(ruling))


def _with_documents(config: Any, verdict: str, relation: str, key: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields with the jump's documents, so that the decision finds its jump again should its id ever change."""
    if relation != "jump" or verdict not in ("confirm", "reject", "correct", "merge") or "document_ids" in fields:
        return dict(fields)
    if not config.published.is_file():
        return dict(fields)
    rows = _published(
        config, "select document_id from jump_document where jump_id = ? order by is_canonical desc, 1 limit 3", [key]
    )
    return {**fields, "document_ids": [row["document_id"] for row in rows]} if rows else dict(fields)


def _fields(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"--set {pair!r} has no `=`; write FIELD=VALUE")
        found[name.strip()] = value.strip()
    return found


def _account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise UsageError("no account name; say who decides with --by") from error


def _list(folder: Path, relation: str | None) -> Report:
    from models import rulings

    found, problems = rulings.read(folder)
    standing = {one.ruling_id for one in rulings.in_force(found)}
    rows = [
        {
            "ruling": one.ruling_id[:12],
            "when": one.ruled_at.strftime("%Y-%m-%d %H:%M"),
            "who": one.ruled_by,
            "verdict": one.verdict,
            "relation": one.relation,
            "key": one.key,
            "in force": "yes" if one.ruling_id in standing else "no",
            "why": one.why,
        }
        for one in found
        if relation in (None, one.relation)
    ]
    lines = [*(table(rows, list(rows[0])) if rows else ["no rulings yet"]), *problems]
    return Report(
        lines,
        {"rulings": [rulings.as_json(one) | {"is_in_force": one.ruling_id in standing} for one in found], "problems": problems},
        1 if problems else 0,
    )


def _next(config: Any) -> str:
    """The next product to label blind, in an order that has nothing to do with fate."""
    from models import rulings

    found, _ = rulings.read(config.rulings)
    done = {one.key for one in rulings.about(found, "product") if "moats" in one.fields}
    rows = _published(config, "select product_id from product where cohort is not null order by md5(product_id)", [])
    waiting = [row["product_id"] for row in rows if row["product_id"] not in done]
    if not waiting:
        raise UsageError("every product of a dated list has its moats labelled; `lifeline rule list` shows them")
    return str(waiting[0])


def _show(config: Any, product_id: str) -> Report:
    rows = _published(config, "select * from product where product_id = ?", [product_id])
    if not rows:
        raise UsageError(f'there is no product {product_id!r}; see `lifeline sql "select product_id, name from product"`')
    seen = {name: rows[0][name] for name in BLIND_COLUMNS}
    for role in ("sells", "depends_on"):
        jobs = _published(
            config, "select capability from product_job where product_id = ? and role = ? order by 1", [product_id, role]
        )
        seen[role] = ";".join(row["capability"] for row in jobs)
    width = max(map(len, seen))
    lines = [f"{name:<{width}}  {'' if value is None else value}".rstrip() for name, value in seen.items()]
    return Report([*lines, f"then: lifeline rule label moats {product_id} --moats …"], seen)


def _export(config: Any, output: Path) -> Report:
    from models.tagging.retrain import SQL

    rows = _published(config, SQL.read_text(encoding="utf-8"), [])
    try:
        with output.open("w", encoding="utf-8") as handle:
            handle.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rows)
    except OSError as error:
        raise UsageError(f"{output} cannot be written ({error.strerror}); give a path you may write to") from error
    return Report(
        [f"{len(rows)} documents with ruled tags written to {output}; `lifeline train --labels` reads them"],
        {"documents": len(rows)},
    )


def _published(config: Any, query: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    from models.store import open_published

    with open_published(config.published) as con:
        result = con.execute(query, list(values))
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
