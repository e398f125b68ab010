"""What makes two listings one document: canonical addresses, identity keys, content hashes. Pure functions."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

MAX_URL = 2000
TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|yclid|dclid|msclkid|mc_[ce]id|igshid|ref_src|ref_url|_hs\w+|spm|trk|cmpid|ncid)$", re.I
)
# fragments that tell which feed a link came from, not which part of the page is meant
FEED_FRAGMENT = re.compile(r"^(atom-|rss|utm_|xtor=|ref=|comments?$|respond$)", re.I)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
# so long a text does not come about twice by chance
TELLING_CHARACTERS = 1000


def clean(text: str | None, *, limit: int = 200_000) -> str:
    """Text without NUL, lone surrogates, control and direction-changing characters, cut at `limit` characters."""
    return INVISIBLE.sub("", CONTROL.sub("", (text or "")[: limit * 2])).strip()[:limit]


def one_line(text: str | None, *, limit: int = 500) -> str:
    """Clean text on one line."""
    return " ".join(clean(text, limit=limit * 4).split())[:limit]


def safe_link(url: str | None) -> str:
    """The address if it is a plausible http(s) link, else an empty text; blanks and controls inside make it none."""
    text = (url or "").strip()
    if not text or len(text) > MAX_URL or re.search(r"[\s\x00-\x1f\x7f<>\"\\^`{|}\ud800-\udfff]", text):
        return ""
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0  # reading a port that is none raises
    except ValueError:
        return ""
    return text if parts.scheme.lower() in ("http", "https") and parts.hostname and has_port else ""


@lru_cache(maxsize=50_000)
def canonical_url(url: str) -> str:
    """The address without what does not tell pages apart, for comparing only (it has no scheme); empty for no http(s) link.

    Left out: scheme, `www.`, default port, case of the host, a slash at the end, tracking parameters, feed fragments.
    """
    if not safe_link(url):
        return ""
    parts = urlsplit(url.strip())
    host = (parts.hostname or "").lower().rstrip(".").removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port not in (80, 443) else ""
    path = re.sub(r"/(index\.html?|index\.php)$", "/", quote(unquote(parts.path), safe="/:@!$&'()*+,;=~-._%")).rstrip("/")
    query = urlencode([(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not TRACKING.match(k)])
    fragment = "" if FEED_FRAGMENT.match(parts.fragment) else parts.fragment
    return f"{host}{port}{path}" + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def display_url(url: str) -> str:
    """The address as people may follow it, without tracking parameters; empty for no http(s) link."""
    if not safe_link(url):
        return ""
    parts = urlsplit(url.strip())
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if not any(TRACKING.match(k) for k, _ in pairs):
        return url.strip()
    return parts._replace(query=urlencode([(k, v) for k, v in pairs if not TRACKING.match(k)])).geturl()


def site_of(url: str) -> str:
    """Whose page it is: the host, with the owner's part of the path on hosts that many share."""
    parts = urlsplit(url) if safe_link(url) else None
    host = (parts.hostname or "").lower().removeprefix("www.") if parts else ""
    if parts and host in ("github.com", "gitlab.com", "huggingface.co", "medium.com", "raw.githubusercontent.com"):
        return host + "/" + "/".join(parts.path.strip("/").lower().split("/")[:2])
    return host


def normalise(text: str) -> str:
    """Text reduced to what counts when two are compared: NFKC, lower case, single blanks."""
    if text.isascii():
        return " ".join(text.lower().split())
    return " ".join(unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).casefold().split())


def content_hash(title: str, text: str) -> str:
    """Sixteen hex digits that change when title or text really change (not for blanks, case or invisible characters)."""
    return _digest(normalise(title) + "\n" + normalise(text))


def document_id(key: str) -> str:
    """The id of a document first met under the identity `key`; the same on every machine."""
    return "d" + _digest(key)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def guid_key(guid: str, source_id: str) -> str:
    """A guid as identity: addresses and URNs mean the same everywhere, anything else only within its source."""
    if not guid:
        return ""
    link = canonical_url(guid)
    if link:
        return f"url:{link}"
    if re.match(r"(tag|urn):", guid, re.I):
        return "guid:" + guid
    return f"guid:{source_id}|{guid}"


def identity_keys(
    *, url: str, guid: str, title: str, text: str, source_id: str, dated: str = "", shared: frozenset[str] = frozenset()
) -> list[str]:
    """Every name under which a listing is known, the strongest first; never empty.

    `shared` holds keys that several different entries of one listing have in common (a feed whose entries all link to the
    front page): they name none of them. Content names a listing only where nothing else does, or where the text is so long
    that two of them on one site are one text under two addresses.
    """
    link = canonical_url(url)
    keys = [f"url:{link}"] if link else []
    keys += [guid_key(guid, source_id)] if guid else []
    keys = [key for key in dict.fromkeys(keys) if key not in shared]
    if keys and len(text) < TELLING_CHARACTERS:
        return keys
    words = normalise(title) + "\n" + normalise(text)
    if not keys:
        keys.append(f"text:{source_id}|{_digest(words if text else words + dated)}")
    elif site_of(url):
        keys.append(f"text:{site_of(url)}|{_digest(words)}")
    return keys


def shared_keys(listing: Sequence[tuple[str, str, str]], source_id: str) -> frozenset[str]:
    """Keys that entries with different titles of one listing have in common; entries are (url, guid, title)."""
    titles: dict[str, set[str]] = {}
    for url, guid, title in listing:
        link = canonical_url(url)
        for key in {f"url:{link}" if link else "", guid_key(guid, source_id)} - {""}:
            titles.setdefault(key, set()).add(normalise(title))
    return frozenset(key for key, found in titles.items() if len(found) > 1)


_STOP_WORDS = {
    "en": "the and of to in is for with that this are you our we from how what new introducing",
    "de": "der die das und ist nicht mit für von den ein eine wir wie auf im zu sich",
    "fr": "le la les et des est une dans pour que nous avec sur du au vous pas",
    "es": "el los las y es una para que con del por como más se nuestro",
    "pt": "o os as e é uma para que com do da não em por como mais",
    "it": "il lo gli e è una per che con del della non in di sono",
    "nl": "de het een en van is niet met voor dat zijn wij op te",
}
_LANGUAGE_OF = {
    word: {lang for lang, words in _STOP_WORDS.items() if word in words.split()}
    for words in _STOP_WORDS.values()
    for word in words.split()
}


def _scripts(letters: Sequence[str]) -> tuple[int, int, int]:
    """Kana, Han and Hangul among letters."""
    kana = sum("\u3040" <= c <= "\u30ff" for c in letters)
    return kana, sum("\u4e00" <= c <= "\u9fff" for c in letters), sum("\uac00" <= c <= "\ud7a3" for c in letters)


def guess_lang(text: str, hint: str = "") -> str:
    """ISO 639-1 code of the text's language; `hint` (a feed's own word) decides where the text does not."""
    sample = text[:3000]
    letters = [c for c in sample if c.isalpha()]
    if not letters:
        return hint[:2].lower()
    kana = han = hangul = 0
    if not sample.isascii():
        kana, han, hangul = _scripts(letters)
    # a Chinese text about products is half Latin names; one Han character says as much as a word
    if kana * 10 > len(letters) and kana * 5 > han:
        return "ja"
    if hangul * 5 > len(letters):
        return "ko"
    if han * 6 > len(letters):
        return "zh"
    votes = Counter(lang for word in re.findall(r"[^\W\d_]+", sample.lower()) for lang in _LANGUAGE_OF.get(word, ()))
    said = hint[:2].lower()
    best, n = max(votes.items(), key=lambda pair: pair[1], default=("en", 0))
    # small words such as "o", "per" and "in" stand in English texts too: another language has to win clearly
    if n >= 4 and n >= 2 * votes.get("en" if best != "en" else said, 0):
        return best
    return said or "en"
