"""A cluster of several machines: network namespaces of this one, which share an object store and nothing else.

    python benchmarks/machines.py [--engines dask,ray] [--hosts 60] [--entries 50]        as root, with iproute2 and util-linux

Three machines on a bridge, each with a network, a host name and a /tmp of its own, so that none sees the writer's home, its sockets or
what another one wrote: `writer` has home, Prefect's server, an S3 server (moto) and the sites that are polled; `one` is the head of the
cluster; `two` joins it. Polls and tags on the cluster and in the writer alone, compares every row, and counts in the logs of the sites and
of the S3 server, which know nothing of us, which machine asked for what.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MACHINES = {"writer": "10.77.0.1", "one": "10.77.0.2", "two": "10.77.0.3"}
WRITER, HEAD = MACHINES["writer"], MACHINES["one"]
SITES = "10.77.1"
S3 = {
    "AWS_ENDPOINT_URL": f"http://{WRITER}:5000",
    "AWS_ACCESS_KEY_ID": "who",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}
CLUSTER = {"dask": f"dask:tcp://{HEAD}:8786", "ray": f"ray:ray://{HEAD}:10001"}
DASK, RAY = "distributed.cli.dask_", "ray.scripts.scripts"
COMPARED = {
    "document": "* exclude (first_seen_at)",
    "document_source": "document_id, source_id",
    "tagging": "* exclude (tagged_at)",
    "tagging_label": "*",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="dask,ray")
    parser.add_argument("--hosts", type=int, default=60)
    parser.add_argument("--entries", type=int, default=50)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="machines-") as made, ExitStack() as stack:
        folder = Path(made)
        lan = stack.enter_context(network(args.hosts, folder))
        write_sites(folder, args.hosts, args.entries)
        lan.serve("writer", "sites", "-m", "http.server", "8000", "--directory", str(folder / "sites"), ready=(WRITER, 8000))
        lan.serve("writer", "s3", "-m", "moto.server", "-H", WRITER, "-p", "5000", ready=(WRITER, 5000))
        lan.run("writer", "-c", "import boto3; boto3.client('s3').create_bucket(Bucket='exchange')")
        server = ["-m", "prefect", "server", "start", "--host", WRITER, "--port", "4200"]
        lan.serve("writer", "prefect", *server, ready=(WRITER, 4200), PREFECT_HOME=str(folder / "prefect"))
        alone = run(lan, folder, "alone", "")
        print(f"alone: {alone:.0f} s by the clock", flush=True)
        unlike = [engine for engine in args.engines.split(",") if not spread(lan, folder, engine)]
    sys.exit(f"rows differ on {', '.join(unlike)}" if unlike else 0)


def spread(lan: Lan, folder: Path, engine: str) -> bool:
    """Poll and tag on a cluster of two machines; whether the rows are those of the writer alone."""
    for name in ("sites", "s3"):
        lan.log(name).write_text("")
    start_cluster(lan, engine)
    seconds = run(lan, folder, engine, CLUSTER[engine])
    lan.end(f"{engine}-")
    polled = lan.asked("sites", r'"GET /f\d+\.xml')
    tagged = lan.asked("s3", r'"PUT /exchange/spread/\S+/tag/\S+\.done\.parquet')
    print(f"{engine}: {seconds:.0f} s; feeds polled by {polled}; shards tagged by {tagged}", flush=True)
    trouble = differing(folder / "alone", folder / engine)
    print(f"  {trouble or 'rows equal to the writer alone'}; lines of the run:", flush=True)
    print(
        "  "
        + "  ".join(line for line in (folder / f"{engine}.said").open() if re.match("polling|tagging|.*(going on|failed)", line))
    )
    return not trouble


def start_cluster(lan: Lan, engine: str) -> None:
    """Head and second machine as docs/spread.md says."""
    if engine == "dask":
        lan.serve("one", "dask-head", "-m", f"{DASK}scheduler", "--host", HEAD, "--no-dashboard", ready=(HEAD, 8786))
        for name in ("one", "two"):
            lan.serve(
                name, f"dask-{name}", "-m", f"{DASK}worker", f"tcp://{HEAD}:8786", "--nthreads=1", f"--host={MACHINES[name]}"
            )
    else:
        common = ["--block", "--num-cpus=1", "--disable-usage-stats"]
        head = ["--head", "--port=6379", "--ray-client-server-port=10001", "--include-dashboard=false"]
        lan.serve("one", "ray-one", "-m", RAY, "start", *head, f"--node-ip-address={HEAD}", *common, ready=(HEAD, 10001))
        where = [f"--address={HEAD}:6379", f"--node-ip-address={MACHINES['two']}"]
        lan.serve("two", "ray-two", "-m", RAY, "start", *where, *common)
    time.sleep(10)


def run(lan: Lan, folder: Path, name: str, runner: str) -> float:
    """`lifeline run` for ingest and tag on the writer; returns seconds."""
    began = time.monotonic()
    said = lan.run(
        "writer", "-m", "app.cli", "run", "--sources", str(folder / "sources.csv"), "--stage", "ingest", "--stage", "tag",
        LIFELINE_HOME=str(folder / name), LIFELINE_RUNNER=runner,
    )  # fmt: skip
    (folder / f"{name}.said").write_text(said)
    return time.monotonic() - began


def write_sites(folder: Path, n_hosts: int, n_entries: int) -> None:
    """A feed for each address of the writer, and the list of sources."""
    from tests.flows.pressroom import feed
    from tests.flows.test_spread import WORDS

    (folder / "sites").mkdir()
    rows = ["source_id,title,kind,url,provider,tier"]
    for i in range(n_hosts):
        entries = [
            (f"{WORDS[k % 4]} {i}-{k}", f"2026-0{1 + k % 6}-{1 + k % 28:02}", f"{WORDS[k % 4]}. " * 6) for k in range(n_entries)
        ]
        (folder / "sites" / f"f{i}.xml").write_bytes(feed(f"f{i}", *entries)[2])
        rows.append(f"s{i},Site {i},feed,http://{SITES}.{i + 1}:8000/f{i}.xml,OpenAI,official")
    (folder / "sources.csv").write_text("\n".join(rows) + "\n")


def differing(one: Path, other: Path) -> str:
    """The first table whose rows are not the same."""
    from models.store import open_work

    with open_work(one) as mine, open_work(other) as yours:
        for table, columns in COMPARED.items():
            rows = [con.execute(f"select {columns} from {table} order by all").fetchall() for con in (mine, yours)]
            if not rows[0] or rows[0] != rows[1]:
                return f"{table}: {len(rows[0])} and {len(rows[1])} rows, {len(set(map(str, rows[0])) ^ set(map(str, rows[1])))} differ"
    return ""


class Lan:
    """Commands on the machines."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("LIFELINE_", "PREFECT_", "RAY_"))}
        self.environ = {
            **kept, **S3, "PYTHONPATH": str(ROOT), "PREFECT_API_URL": f"http://{WRITER}:4200/api", "LIFELINE_EXCHANGE": "s3://exchange",
            "LIFELINE_ALLOW_PRIVATE": "1", "LIFELINE_TAGGER": "keyword", "LIFELINE_FULLTEXT_PER_RUN": "0", "NO_PROXY": "*",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
        }  # fmt: skip

    def log(self, name: str) -> Path:
        """What a server or worker printed."""
        return self.folder / f"{name}.log"

    def _on(self, machine: str, *words: str) -> list[str]:
        """A command line on a machine: the writer sees this folder, the others an empty /tmp."""
        own = "" if machine == "writer" else "mount -t tmpfs none /tmp && "
        script = f'hostname {machine} && {own}exec "$@"'
        return ["ip", "netns", "exec", f"ll-{machine}", "unshare", "--uts", "sh", "-c", script, "sh", sys.executable, *words]

    def run(self, machine: str, *words: str, **environ: str) -> str:
        """What a command says; it has to end well."""
        done = subprocess.run(
            self._on(machine, *words), env=self.environ | environ, capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode:
            sys.exit(f"{' '.join(words)}: {done.stderr[-2000:]}")
        return done.stderr

    def serve(self, machine: str, name: str, *words: str, ready: tuple[str, int] | None = None, **environ: str) -> None:
        """Start a command that stays; returns when something listens at `ready`, as seen from the writer."""
        from tests.flows.team import until

        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                self._on(machine, *words), env=self.environ | environ, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        if ready:
            probe = f"import socket; socket.create_connection({ready!r}, timeout=1)"
            command = self._on("writer", "-c", probe)
            until(
                lambda: subprocess.run(command, capture_output=True, check=False).returncode == 0, 180, f"{name} does not start"
            )

    def asked(self, name: str, pattern: str) -> dict[str, int]:
        """How often each machine asked for something, by a server's own log."""
        names = {address: machine for machine, address in MACHINES.items()}
        lines = self.log(name).read_text().splitlines()
        counted = Counter(
            names.get(line.split()[0], "the writer, by a site's address") for line in lines if re.search(pattern, line)
        )
        return dict(sorted(counted.items()))

    def end(self, prefix: str = "") -> None:
        """End what was started under names that begin so, with everything that it started."""
        for name in [name for name in self.running if name.startswith(prefix)]:
            child = self.running.pop(name)
            os.killpg(child.pid, 15)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)


@contextmanager
def network(n_hosts: int, folder: Path) -> Iterator[Lan]:
    """The machines on a bridge, the writer with an address for each site."""
    names = ["ll-lan", *(f"ll-{machine}" for machine in MACHINES)]
    lan = Lan(folder)
    try:
        for name in names:
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", "ll-lan", "link", "add", "bridge", "type", "bridge")
        ip("-n", "ll-lan", "link", "set", "bridge", "up")
        for machine, address in MACHINES.items():
            here, there = f"ll-{machine}", f"to-{machine}"
            ip("-n", here, "link", "add", "eth0", "type", "veth", "peer", "name", there, "netns", "ll-lan")
            ip("-n", "ll-lan", "link", "set", there, "master", "bridge", "up")
            ip("-n", here, "address", "add", f"{address}/16", "dev", "eth0")
            ip("-n", here, "link", "set", "eth0", "up")
        for number in range(1, n_hosts + 1):
            ip("-n", "ll-writer", "address", "add", f"{SITES}.{number}/16", "dev", "eth0")
        yield lan
    finally:
        lan.end()
        for name in names:
            for pid in subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False).stdout.split():
                subprocess.run(["kill", "-9", pid], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"ip {' '.join(words)}: {done.stderr.strip()} (needs root)")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
