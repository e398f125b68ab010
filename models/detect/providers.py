"""Who jumps: canonical names of providers, found by the site of a document or by the names and products in its text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

FILE = Path(__file__).parent.parent / "catalogue" / "providers.csv"
NOT_PLATFORMS = ("app_layer", "framework", "media")
# sites where everybody publishes; the pages of the host itself lie under /blog, /changelog and /docs
SHARED_HOSTS = {"github.com": "GitHub", "huggingface.co": "Hugging Face", "modelscope.cn": ""}
_ACCOUNT_NOISE = re.compile(r"[-_](?:ai|org|labs?|research|inc|team|hq|llm)$", re.IGNORECASE)
# A name that is also a common word counts only where something tells that a company is meant.
_COMPANY_ACTS = re.compile(
    r"^(?:['’]s\b|\s+(?:AI\b|has\b|is (?:launch|releas|roll|introduc)|launch|releas|introduc|announc|roll|ship|unveil|open|add|bring|expand|cut|make|debut|drop|updat))"
    r"|^\s*(?:发布|推出|开源|上线|宣布|更新|旗下|官方|正式|公司|为|将|在)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of providers.csv. `kind` is lab, incumbent, infrastructure, framework, app_layer or media."""

    name: str
    kind: str
    names: tuple[str, ...]
    products: tuple[str, ...]
    hosts: tuple[str, ...]
    is_common_word: bool

    @property
    def is_platform(self) -> bool:
        """Whether what it ships can be a jump; the app layer only launches products."""
        return self.kind not in NOT_PLATFORMS


class Providers:
    """Look-ups over the known providers; built once."""

    def __init__(self, providers: Iterable[Provider]) -> None:
        self.by_name = {provider.name: provider for provider in providers}
        self._canonical: dict[str, str] = {}
        self._hosts: dict[str, str] = {}
        self._risky: set[str] = set()
        for provider in self.by_name.values():
            self._learn(provider)
        self._by_first_word = _by_first_word([name for name in self._canonical if name[0].isascii()])
        self._chinese = re.compile(
            "|".join(re.escape(name) for name in sorted(self._canonical, key=_longest_first) if not name[0].isascii())
        )

    def _learn(self, provider: Provider) -> None:
        for host in provider.hosts:
            self._hosts.setdefault(host, provider.name)
        for name in (provider.name, *provider.names, *provider.products):
            self._canonical.setdefault(name, provider.name)
            if provider.is_common_word and name not in provider.products:
                self._risky.add(name)

    def canonical(self, name: str | None) -> str:
        """The canonical spelling of a provider's name or alias; the name itself where it is not known; empty for none."""
        if not name or not name.strip():
            return ""
        name = name.strip()
        return self._canonical.get(name) or self._folded().get(_fold(name), name)

    @cache  # noqa: B019 - one instance lives as long as the program
    def _folded(self) -> dict[str, str]:
        return {_fold(name): target for name, target in reversed(list(self._canonical.items()))}

    def is_platform(self, name: str) -> bool:
        """Whether a provider is a platform; one that is not in the list may be."""
        known = self.by_name.get(name)
        return known is None or known.is_platform

    def kind(self, name: str) -> str:
        """Kind of a provider; empty when it is not in the list."""
        known = self.by_name.get(name)
        return known.kind if known else ""

    def of_url(self, url: str | None) -> str:
        """The provider on whose own site an address lies; on a shared host, the one whose account it is; empty when none."""
        parts = urlsplit(url or "")
        host = (parts.hostname or "").removeprefix("www.")
        if host in SHARED_HOSTS:
            account = parts.path.strip("/").partition("/")[0]
            return SHARED_HOSTS[host] if account in ("blog", "changelog", "docs") else self._account(account)
        while host.count("."):
            if host in self._hosts:
                return self._hosts[host]
            host = host.partition(".")[2]
        return ""

    def _account(self, account: str) -> str:
        """The provider that an account of a shared host belongs to."""
        name = self.canonical(_ACCOUNT_NOISE.sub("", account))
        return name if name in self.by_name else ""

    def named_in(self, text: str) -> Iterator[tuple[int, str]]:
        """Position and canonical name of each provider that a text names, by its own name or by a product, in order."""
        found = [(match.start(), match.end(), match.group()) for match in self._latin(text)]
        if not text.isascii():
            found = sorted([*found, *((match.start(), match.end(), match.group()) for match in self._chinese.finditer(text))])
        for start, end, name in found:
            if name not in self._risky or _COMPANY_ACTS.match(text[end : end + 40]):
                yield start, self.canonical(name)

    def _latin(self, text: str) -> Iterator[re.Match[str]]:
        """Names in Latin letters, tried only at words that begin one."""
        end = 0
        for word in _FIRST_WORD.finditer(text):
            pattern = self._by_first_word.get(word.group()) if word.start() >= end else None
            match = pattern.match(text, word.start()) if pattern else None
            if match:
                end = match.end()
                yield match


@cache
def load(file: Path = FILE) -> Providers:
    """The shipped list of providers."""
    with file.open(encoding="utf-8", newline="") as handle:
        return Providers([_provider(row) for row in csv.DictReader(handle)])


def _provider(row: dict[str, str]) -> Provider:
    def parts(name: str) -> tuple[str, ...]:
        return tuple(part.strip() for part in (row.get(name) or "").split(";") if part.strip())

    return Provider(
        name=row["provider"],
        kind=row.get("kind") or "",
        names=(*parts("name_zh"), *parts("aliases")),
        products=parts("products"),
        hosts=parts("site_hosts"),
        is_common_word=(row.get("is_common_word") or "").lower() == "true",
    )


_FIRST_WORD = re.compile(r"(?<![A-Za-z0-9.])[A-Za-z0-9]+")


def _by_first_word(names: Iterable[str]) -> dict[str, re.Pattern[str]]:
    """For each first word, a pattern of the names that begin with it, as whole words, the longest first."""
    groups: dict[str, list[str]] = {}
    for name in names:
        word = _FIRST_WORD.match(name)
        if word:
            groups.setdefault(word.group(), []).append(name)
    return {
        word: re.compile("(?:" + "|".join(_as_pattern(name) for name in sorted(group, key=_longest_first)) + ")(?![A-Za-z0-9])")
        for word, group in groups.items()
    }


def _as_pattern(name: str) -> str:
    """A name in which spaces and hyphens stand for each other."""
    return re.sub(r"(?:\\[ -]|[ -])", "[ -]", re.escape(name))


def _longest_first(name: str) -> tuple[int, str]:
    return (-len(name), name)


def _fold(name: str) -> str:
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", name.casefold())
