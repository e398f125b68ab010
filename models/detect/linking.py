"""Preview, general availability and retirement of one thing are stages of one story: its jumps share a story key."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta

from models.detect.merging import overlap
from models.detect.releases import Key, is_versioned, releases_in
from models.detect.reports import words_of
from models.types import Jump

ONE_STORY_DAYS = 365
SAME_THING = 0.5
BESIDE_THE_NAME = 18


def story_keys(jumps: Iterable[Jump]) -> dict[str, str]:
    """Story of each jump, by id: provider and release where a release is named, else the first jump of the same words and another stage."""
    keys: dict[str, str] = {}
    loose: dict[str, list[Jump]] = defaultdict(list)
    for jump in sorted(jumps, key=lambda one: (one.happened_on, one.jump_id)):
        key = release_key(jump)
        if key:
            keys[jump.jump_id] = _plain(f"{jump.provider} {' '.join(key)}")
        else:
            keys[jump.jump_id] = next(
                (keys[other.jump_id] for other in reversed(loose[jump.provider]) if _is_stage_of(other, jump)), jump.jump_id
            )
            loose[jump.provider].append(jump)
    return keys


def release_key(jump: Jump) -> Key:
    """The version that a jump is about; empty when it names none, or only in passing."""
    named = [one for one in releases_in(jump.release) if is_versioned(one.key)]
    return named[0].key if named and len(jump.release) <= len(named[0].name) + BESIDE_THE_NAME else ()


def _is_stage_of(earlier: Jump, later: Jump) -> bool:
    """Whether two jumps without a version are stages of one thing."""
    if earlier.stage == later.stage or later.happened_on - earlier.happened_on > timedelta(days=ONE_STORY_DAYS):
        return False
    return overlap(words_of(earlier.release), words_of(later.release)) >= SAME_THING and (
        later.stage == "retired" or bool(earlier.capabilities.keys() & later.capabilities.keys())
    )


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-")
