"""One line for each run, stage and failure, for programs that collect lines; off unless the setting `log` asks for it.

structlog writes them to standard error, as JSON or as `key=value` text. What comes from outside cannot forge a line or a field, for
control characters are escaped; and no secret gets through: addresses lose their credentials and queries, those of messages everything.
Progress for people is something else: `models.report.say`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TextIO

from models.errors import SettingsError

FORMS = ("off", "text", "json")
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
MAX_TEXT = 1000
HIDDEN = "***"
_ADDRESS = re.compile(r"\b([a-zA-Z][a-zA-Z0-9+.-]*)://([^\s\"'<>]*)")
_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|AUTH_STRING", re.IGNORECASE)
_state: dict[str, Any] = {"key": None, "logger": None, "secrets": ()}


def configure(settings: Mapping[str, Any] | Any, stream: TextIO | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Take the settings `log` and `log_level`; again with the same ones does nothing.

    Raises
    ------
    SettingsError
        when one of them has a value that it cannot have.

    """
    form, level = str(settings["log"]), str(settings["log_level"]).lower()
    if form not in FORMS:
        raise SettingsError(f"log is {form!r}; use one of {', '.join(FORMS)}")
    if level not in LEVELS:
        raise SettingsError(f"log_level is {level!r}; use one of {', '.join(LEVELS)}")
    secrets = secrets_of(settings, os.environ if environ is None else environ)
    if (key := (form, level, secrets, stream)) == _state["key"]:
        return
    _state.update(key=key, secrets=secrets, logger=None if form == "off" else _logger(form, level, stream or sys.stderr))


def _logger(form: str, level: str, stream: TextIO) -> Any:
    import structlog

    render = structlog.processors.JSONRenderer(ensure_ascii=True) if form == "json" else _as_text
    return structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _clean,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=False,
    )


def event(name: str, level: str = "info", **fields: Any) -> None:
    """Write one line; nothing where logging is off. A stream that is gone is no reason to fail."""
    logger = _state["logger"]
    if logger is None:
        return
    try:
        getattr(logger, level)(name, **fields)
    except (OSError, ValueError):
        _state["logger"] = None


def bind(**fields: Any) -> None:
    """Put these fields on every later line of this run, in place of those of the run before."""
    if _state["logger"] is not None:
        import structlog

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(**fields)


def secrets_of(settings: Mapping[str, Any] | Any, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Texts that must never be written: the addresses of messages, and what the environment calls a password, secret or token."""
    addresses = [word for name in ("notify_urls", "alarm_urls") for word in str(settings[name]).split() if "://" in word]
    named = [value for name, value in environ.items() if _SECRET_NAME.search(name) and len(value) >= 6]
    return tuple(sorted({*addresses, *named}, key=len, reverse=True))


def _clean(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {plain(str(name)): _value(value) for name, value in fields.items()}


def _value(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {plain(str(name)): _value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_value(inner) for inner in value]
    return plain(masked(str(value), _state["secrets"]))[:MAX_TEXT]


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without secrets: known ones, credentials and queries of web addresses, all but the scheme of other addresses."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return _ADDRESS.sub(_bare, text)


def _bare(found: re.Match[str]) -> str:
    scheme, rest = found[1], found[2]
    if scheme.lower() not in ("http", "https"):
        return f"{scheme}://{HIDDEN}"
    place, *more = re.split(r"[?#]", rest, maxsplit=1)
    host, slash, path = place.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}{'?' + HIDDEN if more and more[0] else ''}"


def plain(text: str) -> str:
    """The text on one line: what is not printable becomes its escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "backslashreplace").decode() for char in text)


def _as_text(_: Any, __: str, fields: MutableMapping[str, Any]) -> str:
    """`at level event key=value …`; a value with anything but plain characters stands in quotes."""
    head = [str(fields.pop(name, "")) for name in ("at", "level", "event")]
    return " ".join([*head, *(f"{_word(name)}={_word(value)}" for name, value in _flat(fields))])


def _flat(fields: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _word(value: Any) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if re.fullmatch(r"[\w.:+/@%-]+", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
