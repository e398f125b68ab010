"""Preview, general availability and retirement of one thing are stages of one story: its jumps share a story key."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import takewhile
from typing import NamedTuple

from models.detect.merging import overlap
from models.detect.releases import Key, is_versioned, releases_in
from models.detect.reports import words_of
from models.types import Jump

ONE_STORY = timedelta(days=365)
SAME_THING = 0.5
BESIDE_THE_NAME = 18


def story_keys(jumps: Iterable[Jump]) -> dict[str, str]:
    """Story of each jump, by id: provider and release where a release is named, else the first jump of the same words and another stage."""
    keys: dict[str, str] = {}
    loose: dict[str, list[_Loose]] = defaultdict(list)
    for jump in sorted(jumps, key=lambda one: (one.happened_on, one.jump_id)):
        key = release_key(jump)
        if key:
            keys[jump.jump_id] = _plain(f"{jump.provider} {' '.join(key)}")
        else:
            this = _Loose(jump, words_of(jump.release))
            earlier = next((other for other in _within_a_year(loose[jump.provider], jump) if _is_stage_of(other, this)), this)
            keys[jump.jump_id] = keys.get(earlier.jump.jump_id, jump.jump_id)
            loose[jump.provider].append(this)
    return keys


class _Loose(NamedTuple):
    """A jump that names no version, and the words by which it may be known again."""

    jump: Jump
    words: frozenset[str]


def _within_a_year(earlier: Sequence[_Loose], jump: Jump) -> Iterator[_Loose]:
    """What may have been an earlier stage, the latest first."""
    return takewhile(lambda one: jump.happened_on - one.jump.happened_on <= ONE_STORY, reversed(earlier))


def release_key(jump: Jump) -> Key:
    """The version that a jump is about; empty when it names none, or only in passing."""
    named = [one for one in releases_in(jump.release) if is_versioned(one.key)]
    return named[0].key if named and len(jump.release) <= len(named[0].name) + BESIDE_THE_NAME else ()


def _is_stage_of(earlier: _Loose, later: _Loose) -> bool:
    """Whether two jumps without a version are stages of one thing."""
    if earlier.jump.stage == later.jump.stage or overlap(earlier.words, later.words) < SAME_THING:
        return False
    return later.jump.stage == "retired" or bool(earlier.jump.capabilities.keys() & later.jump.capabilities.keys())


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
