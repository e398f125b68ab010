"""The exchange: a folder or an object store through which machines hand each other Parquet and the published file.

Whatever is written there is whole or not there. Addresses are folders, or URLs of fsspec such as `s3://bucket/path`; who may write
to an object store is told by the environment (AWS_ACCESS_KEY_ID …), never by an address or a setting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from models.errors import SettingsError, StoreError

# what a name on the exchange may be: plain parts, none of which begins with a dot
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.=-]*(/[A-Za-z0-9_][A-Za-z0-9_.=-]*)*")
S3_CONFIG = {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 3}}


class ExchangeError(StoreError):
    """The exchange cannot be reached, read or written."""


class NotThereError(ExchangeError):
    """There is nothing under a name."""


class Exchange(Protocol):
    """Files by name under one address; every name is relative and plain."""

    address: str

    def read(self, name: str) -> bytes:
        """The whole content; NotThereError when there is none."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Put content under a name in one step."""
        ...

    def put(self, name: str, file: Path) -> None:
        """Copy a file of this machine to a name."""
        ...

    def get(self, name: str, file: Path) -> None:
        """Copy what lies under a name to a file of this machine, which is not checked here."""
        ...

    def names(self, folder: str) -> list[str]:
        """Names of all files below a folder, sorted; none when there is no such folder."""
        ...

    def delete(self, name: str) -> None:
        """Remove a file; it is fine when it is gone already."""
        ...

    def clear(self, folder: str) -> None:
        """Remove every file below a folder, also what somebody who died was just writing."""
        ...


def open_exchange(address: str) -> Exchange:
    """The exchange at an address: a folder (made when first written to) or a URL.

    Raises
    ------
    SettingsError
        for an address that cannot be one, also one with a password in it.
    ExchangeError
        when the package for its scheme is missing.

    """
    if "://" not in address or address.startswith("file://"):
        return Folder(Path(address.removeprefix("file://")).expanduser().absolute())
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise SettingsError("an exchange's address holds no user or password; give them in the environment (AWS_ACCESS_KEY_ID …)")
    if not parts.netloc:
        raise SettingsError(f"{address!r} is no address of an exchange; write a folder or s3://BUCKET/PATH")
    return Remote(address.rstrip("/"))


def checked(name: str) -> str:
    """The name, if it is plain: nothing that leads out of the exchange."""
    if not NAME.fullmatch(name):
        raise ExchangeError(f"{name[:100]!r} is no name of a file on an exchange")
    return name


class Folder:
    """A folder that every machine sees under the same path."""

    def __init__(self, root: Path) -> None:
        self.root, self.address = root, str(root)

    def read(self, name: str) -> bytes:
        """The whole content."""
        with _said(self.address, name):
            return (self.root / checked(name)).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        """Written beside, flushed to the disk and renamed."""
        with self._beside(name) as temporary, open(temporary, "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())

    def put(self, name: str, file: Path) -> None:
        """Copied beside and renamed."""
        import shutil

        with self._beside(name) as temporary:
            shutil.copyfile(file, temporary)

    @contextmanager
    def _beside(self, name: str) -> Iterator[Path]:
        target = self.root / checked(name)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        with _said(self.address, name):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                yield temporary
                os.replace(temporary, target)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise

    def get(self, name: str, file: Path) -> None:
        """Copied."""
        import shutil

        with _said(self.address, name):
            shutil.copyfile(self.root / checked(name), file)

    def names(self, folder: str) -> list[str]:
        """Files below a folder; what is being written has no name yet."""
        with _said(self.address, folder):
            found = [file for file in (self.root / checked(folder)).rglob("*") if file.is_file()]
        names = [file.relative_to(self.root).as_posix() for file in found]
        return sorted(name for name in names if NAME.fullmatch(name))

    def delete(self, name: str) -> None:
        """Removed, and with the last file of a folder the folder."""
        path = self.root / checked(name)
        with _said(self.address, name):
            path.unlink(missing_ok=True)
        if path.parent != self.root:
            try:
                path.parent.rmdir()
            except OSError:
                return

    def clear(self, folder: str) -> None:
        """The folder goes as well."""
        import shutil

        with _said(self.address, folder), suppress(FileNotFoundError):
            shutil.rmtree(self.root / checked(folder))


class Remote:
    """An object store by fsspec; a put there is atomic by itself, for an object appears when it is whole."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.fs, self.root = _file_system(address)

    def read(self, name: str) -> bytes:
        """The whole object."""
        with _said(self.address, name):
            return bytes(self.fs.cat_file(f"{self.root}/{checked(name)}"))

    def write(self, name: str, content: bytes) -> None:
        """One put."""
        with _said(self.address, name):
            self.fs.pipe_file(f"{self.root}/{checked(name)}", content)

    def put(self, name: str, file: Path) -> None:
        """One put, in parts for a large file."""
        with _said(self.address, name):
            self.fs.put_file(str(file), f"{self.root}/{checked(name)}")

    def get(self, name: str, file: Path) -> None:
        """One get."""
        with _said(self.address, name):
            self.fs.get_file(f"{self.root}/{checked(name)}", str(file))

    def names(self, folder: str) -> list[str]:
        """Objects below a prefix, as the store lists them now."""
        with _said(self.address, folder):
            self.fs.invalidate_cache()
            found = self.fs.find(f"{self.root}/{checked(folder)}")
        names = [str(path).removeprefix(f"{self.root}/") for path in found]
        return sorted(name for name in names if NAME.fullmatch(name))

    def delete(self, name: str) -> None:
        """Removed."""
        with _said(self.address, name):
            try:
                self.fs.rm_file(f"{self.root}/{checked(name)}")
            except FileNotFoundError:
                return

    def clear(self, folder: str) -> None:
        """One by one; an object that was not written whole does not exist."""
        for name in self.names(folder):
            self.delete(name)


def _file_system(address: str) -> tuple[Any, str]:
    """The fsspec file system of a URL and the path in it."""
    scheme = urlsplit(address).scheme
    options: dict[str, Any] = {"use_listings_cache": False, "skip_instance_cache": True}
    if scheme == "s3":
        options["config_kwargs"] = S3_CONFIG
    try:
        import fsspec

        fs, root = fsspec.core.url_to_fs(address, **options)
    except ImportError as error:
        raise ExchangeError(
            f"an exchange at {scheme}:// needs a package more: pip install 'lifeline[{scheme}]' ({error})"
        ) from error
    except ValueError as error:
        raise SettingsError(f"{address!r} is no address of an exchange ({error}); write a folder or s3://BUCKET/PATH") from error
    return fs, str(root).rstrip("/")


@contextmanager
def _said(address: str, name: str) -> Iterator[None]:
    """Whatever goes wrong becomes one line that names the place; the libraries below raise a dozen kinds."""
    try:
        yield
    except ExchangeError:
        raise
    except FileNotFoundError as error:
        raise NotThereError(f"there is no {name} on the exchange {address}") from error
    except Exception as error:
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise ExchangeError(
            f"the exchange {address} does not work ({name}: {words}); see that it is there and may be used"
        ) from error
