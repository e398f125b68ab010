"""Names of releases: from text to a key that is the same however the name was written.

"Claude Opus 4.6", "Opus 4.6" and "claude-opus-4-6" have one key; "GPT-5.6" and "GPT-5.6 Luna" have two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

Key = tuple[str, ...]

_FAMILY = (
    "gpt-oss|gpt-image|gpt-realtime|gpt-audio|gpt-live|gpt|chatgpt|claude|opus|sonnet|haiku|fable|mythos|gemini|gemma|veo|imagen|lyria|genie|palm|bard|"
    "grok|llama|muse|sam|dino|qwen|qwq|qvq|wan|deepseek|kimi|glm|cogvideo\\w*|minimax|abab|hailuo|hunyuan\\w*|hy|ernie|doubao|seedance|seedream|seed|"
    "mistral|mixtral|codestral|devstral|magistral|voxtral|pixtral|ministral|mathstral|leanstral|command|aya|rerank|embed|phi|mai|nova|titan|nemotron|"
    "cosmos|olmo|molmo|tulu|sora|dall[·-]?e|whisper|codex|flux|stable diffusion|stable audio|stable video|sdxl|sd|midjourney|gen|kling|suno|udio|"
    "eleven|scribe|granite|falcon|yi|step|mimo|longcat|ling|ring|lfm|firefly|pika|ray|luma|ideogram|recraft|jamba|reka|internlm|internvl|"
    "minicpm|smollm|smolvlm|hermes|nano banana|aurora|palmyra|dbrx|arctic|stablelm|starcoder|skywork|baichuan|spark|pangu|sensenova|vidu|"
    "pixverse|ltx|moshi|orpheus|kokoro|parakeet|canary|cohere transcribe|swe|composer|inkling|interaction models|seamless|codegemma|medgemma|"
    "embeddinggemma|functiongemma|paligemma|shieldgemma|bitnet|orca|florence|magma|fara|trinity|afm|openelm|ferret|mm"
)
_VARIANT = (
    "opus|sonnet|haiku|fable|mythos|pro|flash|lite|mini|nano|max|plus|turbo|ultra|thinking|coder|code|codex|vision|vl|omni|live|image|audio|tts|asr|"
    "realtime|heavy|fast|small|medium|large|air|next|instant|deep think|sol|luna|terra|spark|transcribe|translate|reasoning|math|edit|voice|ocr|"
    "scout|maverick|behemoth|super|embedding|nova|guard|safeguard|search|deep research|computer use|robotics|video|speech|flex|speciale|native audio|"
    "agent|high|sonic|canvas|premier|micro|r|a|x|k|s|v|m"
)
_VERSION = r"v?\d{1,2}(?:[.\-]\d{1,2}(?![\dBbKk]))?(?:\.\d{1,2})?[oxvek]?"
_NOISE = r"preview|experimental|exp|instruct|base|beta|alpha|research preview|chat|it|latest|thinking mode"
_MODEL = re.compile(
    rf"(?<![A-Za-z0-9])(?P<family>{_FAMILY})(?P<rest>(?:[ -]?(?:{_VARIANT})(?![A-Za-z]))*(?:[ -]?{_VERSION}(?![\dBbKkMm%]|\.\d))"
    rf"(?:[ -](?:{_VARIANT}|{_NOISE})(?![A-Za-z]))*)",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"(?<![A-Za-z0-9])(?P<name>o[134](?:[ -](?:mini|pro|preview|deep[ -]research))*|DeepSeek[ -]?(?:R1|R2)|Kimi[ -]K\d(?:\.\d)?(?:[ -]Thinking)?|"
    r"Nano Banana(?: Pro)?|QwQ|QvQ|gpt-oss(?:-safeguard)?|Magistral(?: \w+)?|Voxtral(?: \w+)?|Codestral|Devstral(?: \w+)?|Pixtral(?: \w+)?|Muse (?:Spark|Image|Video|Glimmer)|"
    r"Command R\+?|Command A(?: Vision| Reasoning| Translate)?|Whisper|Sora|SAM Audio|Grok Imagine|Grok Build|Mixtral[\w-]*|Mistral (?:Large|Medium|Small|OCR|Nemo|Saba))"
    r"(?![A-Za-z0-9.])"
)
_WORD = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]+")
_FIRST_WORDS = frozenset(re.match(r"[a-z]+", family)[0] for family in _FAMILY.split("|"))  # type: ignore[index]
_OPEN_WORDS = ("cogvideo", "hunyuan")
_HYPHENS = re.compile(r"[‐‑‒–—−]")
_DROPPED = set(_NOISE.split("|")) | {"mode"}


@dataclass(frozen=True, slots=True)
class Release:
    """A release as named in a text: where, how it was written, and its key."""

    at: int
    name: str
    key: Key

    @property
    def family(self) -> str:
        """First word of the key."""
        return self.key[0]


def plain(text: str) -> str:
    """`text` with every kind of hyphen as one, and without trade-mark signs."""
    return _HYPHENS.sub("-", text).replace("™", "").replace("®", "").replace("\u00a0", " ")


def _models(text: str) -> Iterator[re.Match[str]]:
    """Matches of the pattern, tried only at words that begin the name of a family."""
    end = 0
    for word in _WORD.finditer(text):
        if word.start() >= end and (word.group().lower() in _FIRST_WORDS or word.group().lower().startswith(_OPEN_WORDS)):
            match = _MODEL.match(text, word.start())
            if match:
                end = match.end()
                yield match


@lru_cache(maxsize=4096)
def releases_in(text: str) -> tuple[Release, ...]:
    """Every release that `text` names, in order of first mention, each key once."""
    text = plain(text)
    found = [Release(match.start(), match.group().strip(" -"), key_of(match.group())) for match in _models(text)]
    taken = [(one.at, one.at + len(one.name)) for one in found]
    for match in _BARE.finditer(text):
        if not any(low <= match.start() < high for low, high in taken):
            found.append(Release(match.start(), match.group(), key_of(match.group())))
    first: dict[Key, Release] = {}
    for one in sorted(found, key=lambda one: one.at):
        first.setdefault(one.key, one)
    return tuple(first.values())


def key_of(name: str) -> Key:
    """The tokens of a name: family, version, variants in alphabetical order; sizes, dates and words like preview are dropped."""
    text = plain(name).lower()
    text = re.sub(r"\b\d+(?:\.\d+)?[bk]\b|\b20\d{6}\b|\b20\d{2}-\d{2}-\d{2}\b", " ", text)
    text = re.sub(r"(?<=\d)-(?=\d)", ".", text)
    text = re.sub(r"(?<=[a-z])(?=\d)", " ", text)
    text = re.sub(r"(?<![a-z])v (?=\d)", "", text)
    tokens = [token for token in re.split(r"[^a-z0-9.+\u4e00-\u9fff]+", text) if token and token not in _DROPPED]
    tokens = [token.strip(".") for token in tokens if token.strip(".")]
    if len(tokens) > 1 and tokens[0] in ("claude", "mistral") and set(tokens[1:]) & _NAMED_TIERS:
        tokens = tokens[1:]
    versions = [token for token in tokens if token[0].isdigit()]
    words = [token for token in tokens if not token[0].isdigit()]
    head = next((word for word in words if word in _NAMED_TIERS), words[0] if words else "")
    rest = sorted({word for word in words if word != head})
    return tuple(token for token in (head, *[_short(v) for v in versions[:1]], *rest) if token)


_NAMED_TIERS = {"opus", "sonnet", "haiku", "fable", "mythos"}


def _short(version: str) -> str:
    """5.0 and 5 are one version."""
    return re.sub(r"\.0$", "", version)


def is_versioned(key: Key) -> bool:
    """Whether a key names one version and not a whole family."""
    return any(token[0].isdigit() for token in key) or len(key) > 1
