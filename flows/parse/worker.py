"""The parsing process: reads jobs from standard input, answers on standard output, as JSON with lengths.

It holds no secret and no connection. Its memory is bounded for good, its processor time anew for each job; a job that goes
past either kills it, and the pool starts another.
"""

from __future__ import annotations

import json
import os
import resource
import struct
import sys
from typing import Any, BinaryIO

from flows.parse import parse
from flows.parse.types import to_wire
from models.errors import ParseError


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    memory = int(sys.argv[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    while True:
        job = _read(sys.stdin.buffer)
        if job is None:
            return
        _allow_cpu(job["cpu_s"])
        body = sys.stdin.buffer.read(job["n_bytes"])
        payload = json.dumps(_answer(job, body), ensure_ascii=True).encode()
        answers.write(struct.pack(">Q", len(payload)) + payload)
        answers.flush()


def _read(stream: BinaryIO) -> dict[str, Any] | None:
    line = stream.readline()
    return json.loads(line) if line else None


def _allow_cpu(seconds: float) -> None:
    """The process dies when this job has used so much processor time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds + 1)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _answer(job: dict[str, Any], body: bytes) -> dict[str, Any]:
    try:
        return to_wire(parse(job["kind"], body, url=job["url"], content_type=job["content_type"], title=job["title"]))
    except ParseError as error:
        return {"error": str(error), "health": error.health}
    except MemoryError:
        return {"error": "parsing it takes more memory than a feed may have", "health": "failing"}
    except Exception as error:
        # whatever a library makes of hostile input costs this source its poll and nothing else
        return {
            "error": f"it cannot be parsed ({type(error).__name__}: {' '.join(str(error).split())[:150]})",
            "health": "failing",
        }


if __name__ == "__main__":
    main()
