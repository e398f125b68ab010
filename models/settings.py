"""Settings: environment (`LIFELINE_*`) over `lifeline.toml` in the home over defaults; each remembers where it came from.

`LIFELINE_<NAME>_FILE` names a file that holds the value, so that a secret need not stand in the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import SettingsError

PREFIX = "LIFELINE_"
# name -> (default, what it means); the type of the default is the type of the setting
KNOWN: dict[str, tuple[Any, str]] = {
    "tagger": ("embedded", "tagger by name (embedded, keyword) or folder"),
    "device": ("auto", "where the tagger runs: auto, cpu or cuda"),
    "compile": (False, "compile the encoder on a GPU: slower to start, more documents a second"),
    "allow_private": (False, "let the fetcher reach private and loopback addresses"),
    "contact": ("no contact given by the operator", "who to write to, told to every site in the User-Agent"),
    "fetch_deadline_s": (25.0, "seconds that one fetch may take in all"),
    "fetch_max_mb": (20.0, "inflated megabytes that one fetch may bring"),
    "fetch_concurrency": (16, "hosts that are fetched from at once"),
    "fulltext_per_run": (30, "pages that one run may read in full where a feed gives only titles; 0 for none"),
    "host_spacing_s": (0.5, "seconds between two requests to one host"),
    "seed": (1, "seed of the estimate"),
    "keep_texts_days": (0, "days after which a document's text is cut to what the tagger and detection read; 0 keeps it whole"),
    "keep_versions_days": (0, "days after which an older version of a document loses its text; 0 keeps it"),
    "keep_fetches_days": (400, "days that the log of fetches goes back; 0 for ever"),
    "keep_looks_days": (0, "days after which equal looks at a product are thinned out to the first and the last; 0 keeps all"),
    "sql_timeout_s": (10.0, "seconds that an analyst's query may take"),
    "sql_max_rows": (10000, "rows that an analyst's query may return"),
    "notify_urls": ("", "Apprise addresses for digests, separated by spaces; block:NAME reads a Secret block of Prefect"),
    "notify_private": (False, "let digests speak of private products, too"),
    "quiet_hours": ("", "hours without alerts, as in 22-07, UTC"),
    "alarm_urls": ("", "Apprise addresses for alarms of the house itself; empty for those of notify_urls"),
    "log": ("off", "lines for programs on standard error, one a run, stage and failure: off, text or json"),
    "log_level": ("info", "least level of those lines: debug, info, warning or error"),
    "metrics_port": (0, "port of /metrics and /health while `lifeline serve` runs; 0 for none"),
    "metrics_host": ("127.0.0.1", "address that /metrics and /health are bound to"),
    "runner": (
        "",
        "where heavy stages run: empty for this process, dask, ray, dask:4, dask:tcp://HOST:PORT, ray:ray://HOST:PORT",
    ),
    "exchange": ("", "folder or s3:// address that gets the published file and Parquet, and what workers hand over"),
    "exchange_private": (False, "let the exchange hold private products, too"),
    "published": ("", "file to publish to and to read instead of lifeline.duckdb in the home"),
    "port": (8501, "port of the UI"),
    "address": ("127.0.0.1", "address the UI listens on; beyond this machine it asks for sign-in"),
    "sign_in_allowed": (
        "",
        "addresses or @domains that may sign in, separated by spaces; empty for all whom the provider lets in",
    ),
    "open_desk": (False, "let the UI listen beyond this machine without sign-in: whoever reaches it reads everything and rules"),
    "lang": ("en", "language of the UI: en or zh"),
}
# settings that open something; shown nowhere, and left out of backups
SECRET = ("notify_urls", "alarm_urls")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting with its origin: default, lifeline.toml or the environment variable's name."""

    name: str
    value: Any
    origin: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The home and every setting in force."""

    home: Path
    home_origin: str
    values: Mapping[str, Setting]

    def __getitem__(self, name: str) -> Any:
        """The value of a known setting."""
        return self.values[name].value

    @property
    def work(self) -> Path:
        """The writer's private store."""
        return self.home / "work.duckdb"

    @property
    def published(self) -> Path:
        """The file that everybody reads."""
        return Path(self["published"]).expanduser().absolute() if self["published"] else self.home / "lifeline.duckdb"

    @property
    def rulings(self) -> Path:
        """Folder of the analysts' decisions."""
        return self.home / "rulings"

    @property
    def exports(self) -> Path:
        """Folder of the last publish's exports."""
        return self.home / "exports"

    @property
    def catalogue(self) -> Path:
        """Folder of imported CSVs, laid over the shipped catalogue by id."""
        return self.home / "catalogue"

    @property
    def taggers(self) -> Path:
        """Folder of the taggers trained or fetched here."""
        return self.home / "models"

    @property
    def watchlists(self) -> Path:
        """Folder of watchlists, one CSV of product ids each."""
        return self.home / "watchlists"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings in force.

    Raises
    ------
    SettingsError
        for an unknown name or a value of the wrong type, naming both and where it stood.

    """
    env = os.environ if environ is None else environ
    home, home_origin = home_of(env)
    file = home / "lifeline.toml"
    from_file = read_file(file)
    unknown = sorted(set(from_file) - set(KNOWN))
    if unknown:
        raise SettingsError(f"{file}: unknown setting {unknown[0]!r}; known are {', '.join(sorted(KNOWN))}")
    values = {}
    for name, (default, meaning) in KNOWN.items():
        variable, text = from_environment(env, name)
        if text != "":
            values[name] = Setting(name, _one_of(name, _as(type(default), text, variable), variable), variable, meaning)
        elif name in from_file:
            where = f"{file}: {name}"
            values[name] = Setting(
                name, _one_of(name, _as(type(default), from_file[name], where), where), "lifeline.toml", meaning
            )
        else:
            values[name] = Setting(name, default, "default", meaning)
    return Settings(home, home_origin, values)


def from_environment(env: Mapping[str, str], name: str) -> tuple[str, str]:
    """The variable that gives a setting, and its text; nothing where none does."""
    variable = PREFIX + name.upper()
    by_file = f"{variable}_FILE"
    if env.get(by_file, "") == "":
        return variable, env.get(variable, "")
    if env.get(variable, "") != "":
        raise SettingsError(f"{variable} and {by_file} are both set; clear one of them")
    try:
        return by_file, Path(env[by_file]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{by_file} names {env[by_file]}, which cannot be read ({type(error).__name__}); mend it") from error


def home_of(environ: Mapping[str, str] | None = None) -> tuple[Path, str]:
    """The home and where its name came from, whatever its settings hold."""
    env = os.environ if environ is None else environ
    if env.get("LIFELINE_HOME"):
        return Path(env["LIFELINE_HOME"]).expanduser().absolute(), "LIFELINE_HOME"
    from platformdirs import user_data_path

    return user_data_path("lifeline", appauthor=False), "default"


def read_file(file: Path) -> dict[str, Any]:
    """What a `lifeline.toml` holds; nothing when there is none."""
    if not file.is_file():
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not valid TOML ({error}); mend it or move it away") from error


def _as(kind: type, value: Any, where: str) -> Any:
    """`value` as `kind`; text such as "yes" or "0" stands for a boolean."""
    try:
        if kind is bool:
            return (
                value
                if isinstance(value, bool)
                else {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[str(value).strip().lower()]
            )
        return kind(value)
    except (KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"{where} is {value!r}, expected {_NAMES[kind]}") from error


def _one_of(name: str, value: Any, where: str) -> Any:
    """`value`, where the setting knows no others."""
    if value in _CHOICES.get(name, (value,)):
        return value
    raise SettingsError(f"{where} is {value!r}; use {' or '.join(_CHOICES[name])}")


_CHOICES = {"lang": ("en", "zh")}
_NAMES = {bool: "1 or 0", int: "a whole number", float: "a number", str: "text"}
