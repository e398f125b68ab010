"""Reading what another machine published: `--from ADDRESS` of the commands."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from models.errors import LifelineError
from models.exchange import open_exchange
from models.publishing import DATABASE, cache_of, fetch_database
from models.report import say
from models.settings import Settings

HELP = "read what was published to this folder or s3:// address instead of the home's own file"
# how often the desk looks whether there is something newer
LOOK_EVERY_S = 30.0


def published_at(address: str, settings: Settings) -> Path:
    """The newest file published at an address, fetched and checked, in the cache of this home."""
    return fetch_database(open_exchange(address), cache_of(settings.home, address))


class Follower:
    """Keeps a copy of the newest file under one name; readers notice that it was replaced, as they do at home."""

    def __init__(self, address: str, settings: Settings) -> None:
        self.address, self.settings = address, settings
        self.file = cache_of(settings.home, address) / DATABASE
        self._seen: Path | None = None
        self._said = ""
        self._ended = threading.Event()

    def look(self) -> bool:
        """Take over what is newest; returns whether it was new."""
        found = published_at(self.address, self.settings)
        if found == self._seen and self.file.is_file():
            return False
        temporary = self.file.with_name(f".{DATABASE}.{os.getpid()}.link")
        temporary.unlink(missing_ok=True)
        os.link(found, temporary)
        os.replace(temporary, self.file)
        self._seen = found
        return True

    def follow(self, every_s: float = LOOK_EVERY_S) -> None:
        """Look again and again in a thread of its own, until `end`; what goes wrong is said once, and the last file stays."""
        threading.Thread(target=self._follow, args=(every_s,), daemon=True).start()

    def _follow(self, every_s: float) -> None:
        while not self._ended.wait(every_s):
            try:
                if self.look():
                    say(f"a newer version was published at {self.address}")
                self._said = ""
            except (LifelineError, OSError) as error:
                if str(error) != self._said:
                    self._said = str(error)
                    say(f"{error}; showing what was fetched last")

    def end(self) -> None:
        """Stop looking."""
        self._ended.set()
