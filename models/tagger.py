"""The one door to tagging: what a tagger is, and how to get one by name or folder. Importing this costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from models.errors import TaggerError

if TYPE_CHECKING:
    from models.settings import Settings
    from models.types import Tags, TextIn

NAMES = ("embedded", "keyword", "zero-shot", "instruct")


class Tagger(Protocol):
    """Anything that reads texts. `name` carries the version: tags are kept by it."""

    name: str

    def tag(self, texts: Sequence[TextIn]) -> list[Tags]:
        """Tags of each text, in order."""
        ...


def in_force(settings: Settings) -> str:
    """The tagger that the settings mean, as a name or a folder: `embedded` is the one that the home adopted, if it adopted any."""
    from models.tagging.adopted import adopted

    own = adopted(settings.taggers) if settings["tagger"] == "embedded" else None
    return str(own or settings["tagger"])


def load_tagger(which: str | Path | Settings = "embedded", device: str = "auto", *, compiled: bool = False) -> Tagger:
    """A tagger by name, by folder (`lifeline train --output`), or as the settings say. `compiled` fuses the encoder on a GPU.

    `zero-shot:CHECKPOINT` and `instruct:CHECKPOINT` take a checkpoint by folder or hub name.
    """
    if not isinstance(which, (str, Path)):
        return load_tagger(in_force(which), device if device != "auto" else str(which["device"]))
    name, _, checkpoint = str(which).partition(":")
    if name in _MAKERS:
        return _MAKERS[name](checkpoint, device, compiled)
    folder = Path(which).expanduser()
    if not folder.is_dir():
        raise TaggerError(f"there is no tagger {str(which)!r}; use {', '.join(NAMES)} or the folder of a trained tagger")
    return _embedded(str(folder), device, compiled)


def _keyword(_: str, __: str, ___: bool) -> Tagger:
    from models.tagging.keyword import KeywordTagger

    return KeywordTagger()


def _embedded(folder: str, device: str, compiled: bool) -> Tagger:
    try:
        from models.tagging.embedded import WEIGHTS, EmbeddedTagger
    except ModuleNotFoundError as error:
        raise TaggerError(
            f"the embedded tagger needs {error.name!r}; install `lifeline[tagger]`, or use --tagger keyword"
        ) from error
    return EmbeddedTagger(Path(folder) if folder else WEIGHTS, device, compiled=compiled)


def _zero_shot(checkpoint: str, device: str, _: bool) -> Tagger:
    from models.tagging.zero_shot import ZeroShotTagger

    return ZeroShotTagger(_required(checkpoint, "zero-shot"), device)


def _instruct(checkpoint: str, device: str, _: bool) -> Tagger:
    from models.tagging.instruct import InstructTagger

    return InstructTagger(_required(checkpoint, "instruct"), device)


def _required(checkpoint: str, name: str) -> str:
    if not checkpoint:
        raise TaggerError(f"the {name} tagger needs a checkpoint; write --tagger {name}:FOLDER or {name}:HUB/NAME")
    return checkpoint


_MAKERS: dict[str, Callable[[str, str, bool], Any]] = {
    "keyword": _keyword,
    "embedded": _embedded,
    "zero-shot": _zero_shot,
    "instruct": _instruct,
}
