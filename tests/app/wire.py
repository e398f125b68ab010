"""A reader of the desk without a browser: speaks Streamlit's own protocol over its websocket, so that only the server is measured."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

DONE = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_WITH_COMPILE_ERROR)


@dataclass(slots=True)
class Seen:
    """What one page view brought: seconds until the last element, messages, bytes, and the words on the page."""

    seconds: float = 0.0
    n_messages: int = 0
    n_bytes: int = 0
    titles: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Reader:
    """One session: opens pages, keeps its widgets, remembers cached messages as a browser does."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.cached: dict[str, ForwardMsg] = {}
        self.widgets: dict[str, str] = {}  # what is written on a widget to its id

    @classmethod
    async def come(cls, address: str, cookie: str = "") -> Reader:
        """Open a session on the desk at `address` (http://host:port)."""
        socket = await connect(
            address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers={"Cookie": cookie} if cookie else None,
            max_size=None,
            ping_interval=None,
        )
        return cls(socket)

    async def open(self, page: str, **query: Any) -> Seen:
        """Ask for a page as a click on its link would, and wait until it is whole."""
        return await self._run(page, query, BackMsg())

    async def press(self, page: str, label: str, filled: dict[str, str | list[str]] | None = None, **query: Any) -> Seen:
        """Press the button with that label on a page that is open, with fields filled in by their labels."""
        asked = BackMsg()
        widgets = asked.rerun_script.widget_states.widgets
        widgets.add(id=self.widgets[label], trigger_value=True)
        for name, value in (filled or {}).items():
            field = widgets.add(id=self.widgets[name])
            if isinstance(value, str):
                field.string_value = value
            else:
                field.string_array_value.data.extend(value)
        return await self._run(page, query, asked)

    async def _run(self, page: str, query: dict[str, Any], asked: BackMsg) -> Seen:
        asked.rerun_script.query_string = urlencode(query, doseq=True)
        asked.rerun_script.page_name = "" if page == "overview" else page
        asked.rerun_script.cached_message_hashes.extend(self.cached)
        start = time.perf_counter()
        await self.socket.send(asked.SerializeToString())
        seen = Seen()
        while True:
            content = await self.socket.recv()
            message = ForwardMsg()
            message.ParseFromString(content)  # type: ignore[arg-type]
            seen.n_messages, seen.n_bytes = seen.n_messages + 1, seen.n_bytes + len(content)
            kind = message.WhichOneof("type")
            if kind == "ref_hash":
                message = self.cached[message.ref_hash]
            elif message.metadata.cacheable:
                self.cached[message.hash] = message
            if message.WhichOneof("type") == "delta":
                self._note(message, seen)
            elif kind == "script_finished" and message.script_finished in DONE:
                seen.seconds = time.perf_counter() - start
                return seen

    def _note(self, message: ForwardMsg, seen: Seen) -> None:
        """Keep what people would read, and the ids of what they would press or fill in."""
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "heading":
            (seen.titles if element.heading.tag == "h1" else seen.words).append(element.heading.body)
        elif kind == "markdown":
            seen.words.append(element.markdown.body)
        elif kind == "alert":
            seen.words.append(element.alert.body)
        elif kind == "exception":
            seen.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind in ("button", "text_input", "multiselect"):
            widget = getattr(element, kind)
            self.widgets[widget.label] = widget.id

    async def leave(self) -> None:
        """Close the session."""
        await self.socket.close()
