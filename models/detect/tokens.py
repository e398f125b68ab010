"""What a text is compared by: names and numbers, which English and Chinese write alike, and words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.detect.providers import Providers
from models.detect.releases import is_versioned, plain, releases_in

READ_CHARACTERS = 400
_DATED = re.compile(r"^[A-Z][a-z]{2} \d{1,2}, 20\d\d\s*")
_NAME = re.compile(r"(?<![A-Za-z0-9@/])@?[A-Z][A-Za-z0-9]*(?:[.+-][A-Za-z0-9]+)*")
_LATIN_IN_CHINESE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[.+-][A-Za-z0-9]+)*")
_NUMBER = re.compile(r"(?<![A-Za-z0-9.])\$?\d+(?:[.,]\d+)*(?:[BMKTbmkt%](?![A-Za-z]))?")
_WORD = re.compile(r"[a-z][a-z'-]{3,}")
_SMALL_WORD = re.compile(r"(?<![A-Za-z])[a-z][a-z'-]{3,}")
_CJK = re.compile(r"[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is read of a text: its title without a date in front, and title and first characters as one."""

    title: str
    text: str
    is_chinese: bool


def beginning(title: str, text: str) -> Beginning:
    """What is read of a text."""
    title = _DATED.sub("", plain(title))
    read = plain(f"{title} {text[:READ_CHARACTERS]}")
    return Beginning(title, read, sum(len(run) for run in _CJK.findall(read[:200])) > 20)


def names_in(read: Beginning, url: str, providers: Providers) -> set[str]:
    """Releases, companies (the site's owner too), names and numbers."""
    names = {f"={'-'.join(one.key)}" for one in releases_in(read.text) if is_versioned(one.key)}
    names |= {f"@{name}" for _, name in providers.named_in(read.text)}
    names |= {f"@{owner}" for owner in [providers.of_url(url)] if owner}
    found = (_LATIN_IN_CHINESE if read.is_chinese else _NAME).findall(read.text)
    names |= {word.lower().lstrip("@") for word in found if len(word) > 2}
    return names | {f"#{number.strip('$').lower()}" for number in _NUMBER.findall(read.text) if len(number) > 1}


def words_in(read: Beginning) -> set[str]:
    """Words of four letters and more; Chinese as pairs of characters."""
    if read.is_chinese:
        return {run[at : at + 2] for run in _CJK.findall(read.text) for at in range(len(run) - 1)}
    return set(_WORD.findall(read.text.lower()))


def small_words_in(read: Beginning) -> set[str]:
    """Words that are written without a capital."""
    return set() if read.is_chinese else set(_SMALL_WORD.findall(read.text))
