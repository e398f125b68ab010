"""What changed between two states of a model registry, as documents whose facts are certain. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from models.documents import Entry
from models.errors import ParseError
from models.types import Source

State = Mapping[str, Mapping[str, Any]]
# a price that falls by a fifth, a window that doubles
PRICE_FALL, CONTEXT_RISE = 0.8, 2.0
# a release date further back than this tells of the model, not of its entry into the registry
FRESH = timedelta(days=92)
# a registry does not lose half of its models between two polls; a broken answer does
BELIEVABLE_SHARE = 0.5


def diff(before: State, after: State, source: Source, seen_on: date) -> list[Entry]:
    """One entry for each change that counts, in the order of the models' names; none when there is no state before.

    Raises
    ------
    ParseError
        when most models vanished at once, which says more about the answer than about the models.

    """
    if not before:
        return []
    kept = sum(key in after for key in before)
    if kept < BELIEVABLE_SHARE * len(before):
        raise ParseError(
            f"{len(before) - kept} of {len(before)} models vanished at once; not believed, the last good state is kept",
            health="failing",
        )
    known = {_bare(key) for key in before}
    return [
        entry
        for key in sorted({*before, *after})
        for entry in _changes(key, before.get(key), after.get(key), source, seen_on, known)
    ]


def _bare(key: str) -> str:
    """A model's own name, whoever offers it."""
    return key.rsplit("/", 1)[-1].lower()


def _changes(
    key: str, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, source: Source, seen_on: date, known: set[str]
) -> Iterator[Entry]:
    if old is None and new is not None:
        facts = {"capabilities": new["capabilities"], "is_first": _bare(key) not in known, "released_on": new["released"] or None}
        yield _entry("new_model", key, new, source, seen_on, _release_day(new["released"], seen_on), None, None, facts)
    elif new is None and old is not None:
        yield _entry("retired", key, old, source, seen_on, seen_on, None, None, {"capabilities": ["api_deprecation"]})
    elif old is not None and new is not None:
        gained = sorted(set(new["capabilities"]) - set(old["capabilities"]))
        if gained:
            yield _entry(
                "capability_on",
                key,
                new,
                source,
                seen_on,
                seen_on,
                old["capabilities"],
                new["capabilities"],
                {"capabilities": gained},
            )
        fallen = [name for name in ("input", "output") if _fell(old[name], new[name])]
        if fallen:
            prices = [{name: state[name] for name in ("input", "output")} for state in (old, new)]
            yield _entry("price_drop", key, new, source, seen_on, seen_on, prices[0], prices[1], {"capabilities": ["price_cut"]})
        if old["context"] and new["context"] and new["context"] >= CONTEXT_RISE * old["context"]:
            yield _entry(
                "context_up",
                key,
                new,
                source,
                seen_on,
                seen_on,
                old["context"],
                new["context"],
                {"capabilities": ["long_context"]},
            )


def _fell(old: float | None, new: float | None) -> bool:
    return bool(old) and new is not None and old is not None and new <= PRICE_FALL * old


def _release_day(released: str, seen_on: date) -> date:
    """The day of release where the registry names a recent one, else the day we saw the model."""
    try:
        day = date.fromisoformat(released)
    except ValueError:
        return seen_on
    return day if seen_on - FRESH <= day <= seen_on else seen_on


def _entry(
    change: str,
    key: str,
    model: Mapping[str, Any],
    source: Source,
    seen_on: date,
    happened_on: date,
    before: Any,
    after: Any,
    more: Mapping[str, Any],
) -> Entry:
    facts = {
        "change": change,
        "provider": model["provider"],
        "model": model["name"],
        "model_id": key,
        "happened_on": happened_on.isoformat(),
        "before": before,
        "after": after,
        **more,
    }
    return Entry(
        title=f"{model['provider']}: {_headline(change, model, facts)}",
        text=_sentences(change, model, facts, source),
        url=model["doc"] or source.site or source.url,
        facts=facts,
        lang="en",
        key=f"registry:{source.source_id}|{key}|{change}|{seen_on.isoformat()}",
    )


def _headline(change: str, model: Mapping[str, Any], facts: Mapping[str, Any]) -> str:
    name = model["name"]
    return {
        "new_model": f"new model {name}",
        "retired": f"{name} is no longer listed",
        "capability_on": f"{name} gains {_list(facts['capabilities'])}",
        "price_drop": f"{name} costs less",
        "context_up": f"{name} takes a longer context",
    }[change]


def _sentences(change: str, model: Mapping[str, Any], facts: Mapping[str, Any], source: Source) -> str:
    """What happened, then what the registry says of the model, in plain sentences that a tagger can read."""
    provider, name = model["provider"], model["name"]
    first = {
        "new_model": lambda: f"{provider} offers {name} through its API (released {model['released'] or 'on an unknown day'}).",
        "retired": lambda: f"{provider} no longer lists {name}; calls to it may fail.",
        "capability_on": lambda: f"{provider} turned on {_list(facts['capabilities'])} for {name}.",
        "price_drop": lambda: (
            f"{provider} lowered the price of {name} from {_price(facts['before'])} to {_price(facts['after'])}."
        ),
        "context_up": lambda: (
            f"{provider} raised the context window of {name} from {_tokens(facts['before'])} to {_tokens(facts['after'])} tokens."
        ),
    }[change]()
    rest = [
        f"Context window: {_tokens(model['context'])} tokens." if model["context"] else "",
        f"Price: {_price(model)}." if model["input"] is not None else "",
        f"Capabilities listed: {_list(model['capabilities'])}." if model["capabilities"] else "",
        f"Seen in {source.title or source.source_id}.",
    ]
    return " ".join([first, *filter(None, rest)])


def _list(labels: Any) -> str:
    return ", ".join(label.replace("_", " ") for label in labels) or "nothing new"


def _tokens(count: float | None) -> str:
    return "an unknown number of" if not count else f"{count:,.0f}"


def _price(prices: Any) -> str:
    told = [f"${prices[name]:g} a million {name} tokens" for name in ("input", "output") if prices.get(name) is not None]
    return " and ".join(told) or "an unknown price"
