"""Rulings applied: to jumps, and to the products of the catalogue with their ends. Pure, but for the two functions that write tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from models.rulings import Ruling, about
from models.types import Jump

if TYPE_CHECKING:
    import duckdb

Make = Callable[[str, Sequence[str]], Jump | None]
_DAYS = ("happened_on", "known_on")
_PLAIN = ("provider", "platform", "release", "stage", "reach", "magnitude", "summary")


def apply_to_jumps(jumps: Sequence[Jump], rulings: Sequence[Ruling], make: Make) -> tuple[list[Jump], list[Ruling]]:
    """Jumps as the analysts see them, and the rulings that found no jump.

    `make(jump_id, document_ids)` builds the jump that a split needs from some of the documents.
    """
    by_id = {jump.jump_id: jump for jump in jumps}
    unmatched = []
    for ruling in about(rulings, "jump"):
        key = ruling.key if ruling.key in by_id else _by_document(by_id, ruling)
        if ruling.verdict == "add":
            by_id[ruling.key] = _added(ruling, by_id.get(ruling.key))
        elif key is None:
            unmatched.append(ruling)
        else:
            _apply(by_id, key, ruling, make)
    return list(by_id.values()), unmatched


def _by_document(by_id: Mapping[str, Jump], ruling: Ruling) -> str | None:
    """A jump whose id changed is still found by the documents that the ruling remembers."""
    wanted = set(ruling.fields.get("document_ids") or ()) if ruling.verdict != "split" else set()
    return next((key for key, jump in by_id.items() if wanted & set(jump.document_ids)), None) if wanted else None


def _apply(by_id: dict[str, Jump], key: str, ruling: Ruling, make: Make) -> None:
    jump = by_id[key]
    if ruling.verdict == "reject":
        del by_id[key]
    elif ruling.verdict == "confirm":
        by_id[key] = replace(jump, is_confirmed=True, confidence=1.0)
    elif ruling.verdict == "correct":
        by_id[key] = _corrected(jump, ruling.fields)
    elif ruling.verdict == "merge" and ruling.fields["into"] in by_id and ruling.fields["into"] != key:
        into = by_id[str(ruling.fields["into"])]
        documents = tuple(dict.fromkeys((*into.document_ids, *jump.document_ids)))
        by_id[into.jump_id] = replace(into, document_ids=documents, known_on=min(into.known_on, jump.known_on))
        del by_id[key]
    elif ruling.verdict == "split":
        _split(by_id, jump, ruling, make)


def _split(by_id: dict[str, Jump], jump: Jump, ruling: Ruling, make: Make) -> None:
    """The named documents leave for a jump of their own."""
    leaving = [one for one in jump.document_ids if one in set(ruling.fields["document_ids"])]
    if not leaving or len(leaving) == len(jump.document_ids):
        return
    new = make(f"{jump.jump_id}-{ruling.ruling_id[:6]}", leaving)
    if new is not None:
        by_id[new.jump_id] = replace(new, is_confirmed=True)
        by_id[jump.jump_id] = replace(jump, document_ids=tuple(one for one in jump.document_ids if one not in leaving))


def _corrected(jump: Jump, fields: Mapping[str, Any]) -> Jump:
    values: dict[str, Any] = {name: fields[name] for name in _PLAIN if fields.get(name) is not None}
    values |= {name: date.fromisoformat(fields[name]) for name in _DAYS if fields.get(name)}
    if fields.get("capabilities"):
        values["capabilities"] = dict.fromkeys(fields["capabilities"], 1.0)
    if fields.get("document_ids"):
        values["document_ids"] = tuple(dict.fromkeys((*jump.document_ids, *fields["document_ids"])))
    return replace(jump, **values, is_confirmed=True, confidence=1.0)


def _added(ruling: Ruling, known: Jump | None) -> Jump:
    """A jump that only the analyst knows; what the ruling does not say takes the humblest value."""
    day = date.fromisoformat(ruling.fields["happened_on"]) if ruling.fields.get("happened_on") else ruling.ruled_at.date()
    base = known or Jump(
        jump_id=ruling.key, happened_on=day, known_on=day, platform="", provider="", release=ruling.key, stage="ga", reach="consumer",
        magnitude=1, weight=0.0, summary=ruling.why, confidence=1.0, origin="ruling", capabilities={}, is_confirmed=True,
    )  # fmt: skip
    return _corrected(base, ruling.fields)


# ---- products ----

_PRODUCT_COLUMNS = (
    "name", "vendor", "homepage", "category", "segment", "wrapper_tier", "coupling", "launched_on", "outcome", "ended_on", "ended_known_on",
    "last_alive_on", "gone_by", "cohort", "ended_because", "note", "source_url", "source_url_launch",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One change of a product: `act` is set, remove or revive."""

    product_id: str
    act: str
    values: Mapping[str, Any]
    why: str


def product_steps(rulings: Sequence[Ruling], proposals: Mapping[str, Mapping[str, Any]]) -> list[Step]:
    """What rulings in force change about products, in order.

    `proposals` are those known so far, by id, with subject and fields: confirming one writes its fields.
    """
    ruled = [ruling for relation in ("product", "end", "proposal") for ruling in about(rulings, relation)]
    return [step for ruling in sorted(ruled, key=lambda one: one.order) if (step := _step(ruling, proposals))]


def _step(ruling: Ruling, proposals: Mapping[str, Mapping[str, Any]]) -> Step | None:
    fields = {name: value for name, value in ruling.fields.items() if value is not None}
    why = f"ruling {ruling.ruling_id[:12]} by {ruling.ruled_by}: {ruling.why}"
    if ruling.relation == "product":
        return Step(ruling.key, "remove" if ruling.verdict == "reject" else "set", fields, why)
    if ruling.relation == "end":
        return Step(ruling.key, "revive", {}, why) if ruling.verdict == "reject" else Step(ruling.key, "set", _ended(fields), why)
    if ruling.verdict in ("confirm", "correct") and ruling.key in proposals:
        proposal = proposals[ruling.key]
        written = {name: value for name, value in proposal["fields"].items() if value is not None}
        return Step(str(proposal["product_id"]), "set", _ended({**written, **fields}), why)
    return None


def _ended(fields: dict[str, Any]) -> dict[str, Any]:
    """An end is known on its own day, or on the day the product was seen gone, unless something else is said."""
    if fields.get("source_url_status"):
        fields = {**fields, "source_url": fields["source_url_status"]}
    known = fields.get("ended_known_on") or fields.get("ended_on") or fields.get("gone_by")
    return {**fields, "ended_known_on": known} if known else fields


def write_products(
    con: duckdb.DuckDBPyConnection, rulings: Sequence[Ruling], proposals: Mapping[str, Mapping[str, Any]]
) -> list[tuple[str, str, Any, Any, str]]:
    """Change tables product, product_job and product_moat as analysts ruled; the catalogue's files stay as they are.

    Returns (product_id, column, before, after, why) for every value that differs.
    """
    return [told for step in product_steps(rulings, proposals) for told in _take(con, step)]


def _take(con: duckdb.DuckDBPyConnection, step: Step) -> list[tuple[str, str, Any, Any, str]]:
    before = _product(con, step.product_id)
    if step.act == "remove":
        for table in ("product", "product_job", "product_moat"):
            con.execute(f"delete from {table} where product_id = ?", [step.product_id])
    elif step.act == "revive":
        con.execute(
            "update product set outcome = 'alive', ended_on = null, ended_known_on = null, gone_by = null, ended_because = null "
            "where product_id = ?",
            [step.product_id],
        )
    else:
        _set(con, step.product_id, step.values)
    after = _product(con, step.product_id)
    names = sorted(before.keys() | after.keys())
    return [
        (step.product_id, name, before.get(name), after.get(name), step.why)
        for name in names
        if before.get(name) != after.get(name)
    ]


def _product(con: duckdb.DuckDBPyConnection, product_id: str) -> dict[str, Any]:
    """The columns, jobs and moats of a product as one mapping; empty when it is not there."""
    columns = ", ".join(_PRODUCT_COLUMNS)
    row = con.execute(f"select {columns} from product where product_id = ?", [product_id]).fetchone()
    if row is None:
        return {}
    jobs = con.execute(
        "select role, string_agg(capability, ';' order by capability) from product_job where product_id = ? group by role",
        [product_id],
    ).fetchall()
    moats = con.execute(
        "select string_agg(moat, ';' order by moat) from product_moat where product_id = ?", [product_id]
    ).fetchone()
    return {**dict(zip(_PRODUCT_COLUMNS, row, strict=True)), **dict(jobs), "moats": moats[0] if moats else None}


def _set(con: duckdb.DuckDBPyConnection, product_id: str, values: Mapping[str, Any]) -> None:
    con.execute(
        "insert or ignore into product (product_id, name, outcome, is_private) values (?, ?, 'alive', false)", [product_id] * 2
    )
    columns = {name: values[name] for name in _PRODUCT_COLUMNS if name in values}
    if columns:
        assigned = ", ".join(f"{name} = ?" for name in columns)
        con.execute(f"update product set {assigned} where product_id = ?", [*columns.values(), product_id])
    for role in ("sells", "depends_on"):
        if role in values:
            labels = values[role]
            con.execute("delete from product_job where product_id = ? and role = ?", [product_id, role])
            for label in labels:
                con.execute("insert into product_job values (?, ?, ?, ?)", [product_id, label, role, 1 / len(labels)])
    if "moats" in values:
        con.execute("delete from product_moat where product_id = ?", [product_id])
        for moat in values["moats"]:
            if moat != "none":
                con.execute(
                    "insert into product_moat (product_id, moat, is_blind) values (?, ?, ?)",
                    [product_id, moat, bool(values.get("is_blind"))],
                )
