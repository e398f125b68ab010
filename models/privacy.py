"""What of a relation may leave the house: nothing of a private product. Imports nothing, because the sandbox uses it, too."""

from __future__ import annotations

from collections.abc import Iterable


def public_sql(relation: str, columns: Iterable[str], *, include_private: bool = False, schema: str = "main") -> str:
    """A query for the public rows of a published relation with these columns; all rows when private ones are asked for."""
    names = set(columns)
    private = f"(select product_id from {schema}.product where is_private)"
    hidden = []
    if relation == "product":
        hidden.append("coalesce(is_private, false)")
    elif "product_id" in names:
        hidden.append(f"coalesce(product_id in {private}, false)")
    if relation in ("change", "ruling"):
        hidden.append(f"coalesce(split_part(key, ':', 1) in {private}, false)")
    if relation == "proposal":
        hidden.append(f"coalesce(subject in {private}, false)")
    if "document_id" in names:
        sources = f"(select source_id from {schema}.source where product_id in {private})"
        hidden.append(f"coalesce(document_id in (select document_id from {schema}.document where source_id in {sources}), false)")
    where = f" where not ({' or '.join(hidden)})" if hidden and not include_private else ""
    return f"select * from {schema}.{relation}{where}"
