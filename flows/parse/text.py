"""From HTML to plain text and to blocks. Text from outside is hostile: nothing that a browser would run stays in it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from models.identity import clean, one_line

BLOCKS = frozenset(
    "address article aside blockquote br dd div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol p pre section table tbody td tfoot th thead tr ul summary details".split()
)
SILENT = frozenset("script style template noscript svg math head button select textarea".split())
LOOKS_LIKE_HTML = re.compile(r"<[a-zA-Z!/?]|&[a-zA-Z#][\w]*;")
RUNS = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|applet|svg|math|img|video|audio|style|link|meta|form|input|base|body|html|frame|a|x)\b",
    re.I,
)
HANDLER = re.compile(r"<[^>]*\bon[a-z]+\s*=", re.I)


def html_to_text(markup: str, *, limit: int = 200_000) -> str:
    """Plain text of an HTML fragment: blocks on their own lines, no tags, no scripts; text that only looks plain is read as HTML too."""
    text = clean(markup, limit=limit * 4)
    for _ in range(3):
        if not LOOKS_LIKE_HTML.search(text):
            break
        text = _strip(text)
        if not (RUNS.search(text) or HANDLER.search(text)):
            break
    text = HANDLER.sub(lambda match: match[0].replace("<", "‹"), RUNS.sub(lambda match: match[0].replace("<", "‹"), text))
    return clean(_tidy(text), limit=limit)


def html_to_line(markup: str, *, limit: int = 500) -> str:
    """The same on one line, for titles."""
    return one_line(html_to_text(markup, limit=limit * 8), limit=limit)


def _strip(markup: str) -> str:
    from lxml import etree
    from lxml import html as lxml_html

    if "<" not in markup:
        return html.unescape(markup)
    try:
        root = lxml_html.fromstring(f"<div>{markup}</div>")
    except (etree.LxmlError, ValueError):
        return html.unescape(re.sub(r"<[^>]{0,2000}>?", " ", markup))
    found = "".join(_pieces(root))
    # libxml2 drops what is nested too deep
    return found if found.strip() else html.unescape(re.sub(r"<[^>]{0,2000}>?", " ", markup))


def _pieces(element: Any) -> Iterator[str]:
    """Text in document order, with line breaks around blocks; a stack, since hostile markup nests deeper than Python may recurse."""
    stack: list[Any] = [element]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            yield node
            continue
        name = node.tag if isinstance(node.tag, str) else ""
        tail = node.tail or ""
        if not name or name in SILENT:
            yield tail
            continue
        edge = "\n" if name in BLOCKS else ""
        stack.append(edge + (tail if node is not element else ""))
        stack.extend(reversed(node))
        yield edge + ("- " if name == "li" else "") + (node.text or "")


def _tidy(text: str) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return "\n".join(line for line in lines if line and line != "-")


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (level 1-6), a table row (its cells) or a stretch of text (level 0)."""

    level: int
    text: str
    anchor: str = ""
    cells: tuple[str, ...] = ()
    is_header: bool = False


def html_blocks(body: bytes, content_type: str = "") -> tuple[str, str, list[Block]]:
    """Title, language and blocks of a page's main part."""
    root = parse_html(body, content_type)
    if root is None:
        return "", "", []
    title = one_line(root.findtext(".//title") or "")
    lang = (root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "")[:2].lower()
    main = root.find(".//main")
    main = main if main is not None else root.find(".//article")
    main = main if main is not None else root.find(".//body")
    return title, lang, list(_blocks(main if main is not None else root))


def parse_html(body: bytes, content_type: str = "") -> Any:
    """An lxml tree of a page, or None where there is nothing to read."""
    from lxml import etree
    from lxml import html as lxml_html

    encoding = charset(body, content_type)
    parser = lxml_html.HTMLParser(encoding=encoding, recover=True, no_network=True, remove_comments=True, huge_tree=False)
    try:
        return lxml_html.document_fromstring(body, parser=parser)
    except (etree.LxmlError, ValueError, LookupError):
        return None


def charset(body: bytes, content_type: str) -> str:
    """The encoding to read a page in: what the header says if it can decode, else what the page says, else UTF-8 or Latin-1."""
    said = [match[1] for match in [re.search(r"charset=[\"']?([\w-]+)", content_type, re.I)] if match]
    said += [match[1].decode() for match in [re.search(rb"<meta[^>]+charset=[\"']?([\w-]+)", body[:2048], re.I)] if match]
    for name in [*said, "utf-8"]:
        try:
            body[:65536].decode(name, "strict" if len(body) <= 65536 else "ignore")
            return name
        except (LookupError, UnicodeDecodeError):
            continue
    return "windows-1252"


def decode(body: bytes, content_type: str = "") -> str:
    """A text file as text, never failing."""
    return body.decode(charset(body, content_type), "replace").removeprefix("\ufeff")


def _blocks(main: Any) -> Iterator[Block]:
    """Blocks in document order; text between two headings or rows comes as one block a line."""
    pending: list[str] = []

    def flush() -> Iterator[Block]:
        text = _tidy("".join(pending))
        pending.clear()
        if text:
            yield from (Block(0, line) for line in text.splitlines())

    stack: list[Any] = [main]
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            pending.append(node)
            continue
        name = node.tag if isinstance(node.tag, str) else ""
        if not name or name in SILENT or name in ("nav", "footer"):
            pending.append(node.tail or "")
            continue
        if re.fullmatch(r"h[1-6]", name) or name == "tr":
            yield from flush()
            yield _heading(node, name) if name != "tr" else _row(node)
            pending.append(node.tail or "")
            continue
        edge = "\n" if name in BLOCKS else ""
        stack.append(edge + (node.tail or ""))
        stack.extend(reversed(node))
        pending.append(edge + ("- " if name == "li" else "") + (node.text or ""))
    yield from flush()


def _heading(node: Any, name: str) -> Block:
    anchor = node.get("id") or next(
        (child.get("id") or child.get("name") for child in node.iter("a", "span") if child.get("id") or child.get("name")), ""
    )
    text = one_line("".join(_pieces(node)).replace("\u200b", ""))
    return Block(int(name[1]), text.strip(" #¶"), one_line(anchor, limit=200))


def _row(node: Any) -> Block:
    cells = tuple(one_line("".join(_pieces(cell)), limit=4000) for cell in node if cell.tag in ("td", "th"))
    return Block(0, " | ".join(cells), "", cells, is_header=all(cell.tag == "th" for cell in node if cell.tag in ("td", "th")))
