"""A few parsing processes, reused from job to job, each killed and replaced when a job goes past its limits."""

from __future__ import annotations

import atexit
import json
import os
import queue
import select
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from flows.parse.types import Parsed, from_wire
from models.errors import ParseError

ROOT = Path(__file__).resolve().parents[2]
MAX_ANSWER = 200_000_000
JOBS_BEFORE_RENEWAL = 500


class ParsePool:
    """Parses in other processes; `parse` may be called from many threads at once and waits for a free process."""

    def __init__(self, n_workers: int | None = None, *, cpu_s: float = 8.0, wall_s: float = 20.0, memory_mb: int = 512) -> None:
        self.cpu_s, self.wall_s, self.memory_mb = cpu_s, wall_s, memory_mb
        self.n_workers = n_workers or max(1, min(4, os.cpu_count() or 1))
        self.free: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        for _ in range(self.n_workers):
            self.free.put(None)

    def parse(self, kind: str, body: bytes, *, url: str = "", content_type: str = "", title: str = "") -> Parsed:
        """`flows.parse.parse` in another process.

        Raises
        ------
        ParseError
            also when the job went past its time or memory, with health "failing".

        """
        worker = self.free.get()
        try:
            if worker is None or worker.n_jobs >= JOBS_BEFORE_RENEWAL:
                if worker:
                    worker.stop()
                worker = _Worker(self.memory_mb)
            job = {"kind": kind, "url": url, "content_type": content_type, "title": title, "cpu_s": self.cpu_s}
            answer = worker.ask(job, body, self.wall_s)
        except (OSError, EOFError, TimeoutError) as error:
            if worker:
                worker.stop()
            worker = None
            limit = f"{self.cpu_s:g} s of processor time, {self.wall_s:g} s in all, {self.memory_mb} MB"
            raise ParseError(f"parsing it went past a limit ({limit}) and was stopped", health="failing") from error
        except BaseException:
            if worker:
                worker.stop()
            worker = None
            raise
        finally:
            self.free.put(worker)
        if "error" in answer:
            raise ParseError(answer["error"], health=answer["health"])
        return from_wire(answer)

    def close(self) -> None:
        """Stop every process that is free (all of them, when no call is under way)."""
        for _ in range(self.n_workers):
            worker = self.free.get()
            if worker:
                worker.stop()
        for _ in range(self.n_workers):
            self.free.put(None)

    def __enter__(self) -> ParsePool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_shared: list[ParsePool] = []


def shared_pool() -> ParsePool:
    """The pool of this process: its workers start at the first job and end with us, so that polls in a row share them."""
    if not _shared:
        _shared.append(ParsePool())
        atexit.register(_shared[0].close)
    return _shared[0]


class _Worker:
    """One parsing process with its pipes."""

    def __init__(self, memory_mb: int) -> None:
        keep = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "flows.parse.worker", str(memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**keep, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
        )
        self.n_jobs = 0

    def ask(self, job: dict[str, object], body: bytes, wall_s: float) -> dict[str, Any]:
        """Send one job and wait for its answer; EOFError when the process died, TimeoutError past `wall_s`."""
        assert self.process.stdin is not None
        self.n_jobs += 1
        self.process.stdin.write(json.dumps({**job, "n_bytes": len(body)}).encode() + b"\n" + body)
        self.process.stdin.flush()
        until = time.monotonic() + wall_s
        (length,) = struct.unpack(">Q", self._read(8, until))
        if length > MAX_ANSWER:
            raise EOFError
        return json.loads(self._read(length, until))

    def _read(self, n_bytes: int, until: float) -> bytes:
        assert self.process.stdout
        handle = self.process.stdout.fileno()
        parts: list[bytes] = []
        while n_bytes:
            ready, _, _ = select.select([handle], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                raise TimeoutError
            part = os.read(handle, min(n_bytes, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            n_bytes -= len(part)
        return b"".join(parts)

    def stop(self) -> None:
        """Kill and reap."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                if pipe:
                    pipe.close()
            except OSError:
                continue
        self.process.wait()
