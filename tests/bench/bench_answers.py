"""Accepting answers: code spent, form checked, stored or sealed, owed; against pgbench's single-row inserts, one run.

    .venv/bin/python -m tests.bench.bench_answers [--answers 8000] [--stored 10000,10000000] [--secrecy open,sealed]

Server, database, load generator and pgbench share the machine. Prints one row for each number of answers already
stored, kind of survey and number of connections: submissions/s, latencies, the ratio to pgbench over as many of them
(slices before and after), CPU a submission (web and database apart), and at the most connections the latency at half
of the rate reached. Ten million stored answers take some minutes and 8 GB.
"""

import argparse
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from api.commands.running import web_command
from api.embedded.place import occupy
from api.embedded.postgres import USER, EmbeddedPostgres, program
from api.store.base import make_engine
from api.store.migrate import migrate
from tests.bench.answers_town import PEPPER, SECRECIES, fill, prepare
from tests.bench.load import run

CONNECTIONS = (1, 8, 32)
WARM_UP = 500
HALF_SECONDS = 5
PGBENCH_SECONDS = 4
TICKS = os.sysconf("SC_CLK_TCK")
HEADER = (
    "stored", "survey", "connections", "submissions/s", "p50 / p95 / p99 ms", "pgbench commits/s", "ratio",
    "CPU ms web + database", "half load p50 / p99 ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bench:
    """A database with its server, and the web server before it."""

    server: EmbeddedPostgres
    port: int
    web: int  # process id

    def cpu(self) -> tuple[float, float]:
        """Seconds used so far by the web server and by the database."""
        return cpu_seconds(self.web), cpu_seconds(self.server.process.pid if self.server.process else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--answers", type=int, default=8_000, help="submissions in a measured run over 32 connections")
    parser.add_argument("--stored", default="10000", help="numbers of answers already stored")
    parser.add_argument("--secrecy", default=",".join(SECRECIES))
    parser.add_argument("--connections", default=",".join(map(str, CONNECTIONS)))
    parser.add_argument("--workers", type=int, default=2, help="web worker processes")
    options = parser.parse_args()
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}", flush=True)
    for stored in map(int, options.stored.split(",")):
        bench(options, stored)


def bench(options: argparse.Namespace, stored: int) -> None:
    """Measure everything asked for over one fresh database."""
    connections = [int(one) for one in options.connections.split(",")]
    with tempfile.TemporaryDirectory() as directory, occupy(Path(directory)) as place:
        if shutil.disk_usage(directory).free < stored * 1200:
            raise SystemExit(f"{stored:,} answers do not fit on the disk")
        with EmbeddedPostgres(place) as server:
            _sql(server, "CREATE DATABASE bench")
            engine = make_engine(server.url("bench"))
            migrate(engine)
            bodies = prepare(engine, WARM_UP + options.answers * (len(connections) + HALF_SECONDS))
            fill(engine, stored)
            acknowledged = 0
            with web_server(server.url("bench"), Path(directory), options.workers) as (port, web):
                for secrecy in options.secrecy.split(","):
                    rows = measured(Bench(server, port, web), connections, bodies[secrecy], options.answers)
                    for number, row in rows:
                        acknowledged += number
                        print(f"| {stored:,} | {secrecy} | {row} |", flush=True)
            with engine.connect() as connection:
                kept = connection.execute(
                    text(
                        "SELECT (SELECT count(*) FROM ballot.response WHERE mode = 'web')"
                        " + (SELECT count(*) FROM ballot.box WHERE length(sealed) <> 64)"
                    )
                ).scalar_one()
            print(f"acknowledged {acknowledged:,}, kept {kept:,}", file=sys.stderr)
            engine.dispose()
            if kept != acknowledged:
                raise SystemExit("answers were lost or doubled")


def measured(on: Bench, connections: list[int], bodies: list[bytes], answers: int) -> Iterator[tuple[int, str]]:
    """How many were acknowledged, and the rest of the table's row, for each number of connections."""
    waiting = iter(bodies)
    for number in connections:
        before = pgbench(on.server, number)
        warm = run(on.port, [next(waiting) for _ in range(WARM_UP // len(connections))], number)
        web, database = on.cpu()
        full = run(on.port, [next(waiting) for _ in range(max(1000, answers * min(number, 32) // 32))], number)
        web, database = (now - then for now, then in zip(on.cpu(), (web, database), strict=True))
        runs, half = [warm, full], "—"
        if number == max(connections):
            count = min(answers * (HALF_SECONDS - 1), int(full.rate() / 2 * HALF_SECONDS))
            paced = run(on.port, [next(waiting) for _ in range(count)], number, per_second=full.rate() / 2)
            runs.append(paced)
            half = f"{paced.quantile(0.5):.1f} / {paced.quantile(0.99):.1f}"
        raw = (before + pgbench(on.server, number)) / 2
        times = " / ".join(f"{full.quantile(share):.1f}" for share in (0.5, 0.95, 0.99))
        each = 1000 / len(full.latencies)
        cells = (
            *(str(number), f"{full.rate():,.0f}", times, f"{raw:,.0f}", f"{full.rate() / raw:.3f}"),
            *(f"{web * each:.2f} + {database * each:.2f}", half),
        )
        yield sum(one.statuses.get(201, 0) for one in runs), " | ".join(cells)


def pgbench(server: EmbeddedPostgres, connections: int) -> float:
    """Single-row commits a second: a 500-byte row each."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("INSERT INTO bench_row VALUES (gen_random_uuid(), repeat('x', 484));\n")
        script.flush()
        Path(script.name).chmod(0o644)
        _sql(server, "DROP TABLE IF EXISTS bench_row", "bench")
        _sql(server, "CREATE TABLE bench_row (id uuid PRIMARY KEY, body text)", "bench")
        command = [
            str(program("pgbench")), "-n", "-f", script.name,
            "-c", str(connections), "-j", str(min(2, connections)), "-T", str(PGBENCH_SECONDS),
            "-M", "prepared", "-h", str(server.place.sockets), "-U", USER, "bench",
        ]  # fmt: skip
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in out.splitlines() if line.startswith("tps"))
    return float(line.split("=")[1].split()[0])


@contextmanager
def web_server(url: str, directory: Path, workers: int) -> Iterator[tuple[int, int]]:
    """The web server as `mingcha serve` runs it: its port and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": "unix:///nowhere",
        "MINGCHA_SECRET_KEY": secrets.token_hex(32),
        "MINGCHA_PEPPER": PEPPER,
        "MINGCHA_LEDGER_KEY": secrets.token_hex(32),
        "MINGCHA_BASE_URL": f"http://127.0.0.1:{port}",
        "MINGCHA_DATA": str(directory / "web"),
    }
    web = subprocess.Popen(
        web_command("127.0.0.1", port, workers), env=env, start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10).close()
                break
            except OSError:
                if time.monotonic() > deadline or web.poll() is not None:
                    raise
                time.sleep(0.1)
        yield port, web.pid
    finally:
        web.terminate()
        try:
            web.wait(10)
        except subprocess.TimeoutExpired:
            web.kill()


def cpu_seconds(*roots: int | None) -> float:
    """User + system seconds of processes and all below them."""
    parents: dict[int, list[int]] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
            used[int(entry.name)] = sum(map(int, fields[11:15])) / TICKS
    todo, total = [root for root in roots if root], 0.0
    while todo:
        pid = todo.pop()
        total += used.get(pid, 0.0)
        todo.extend(parents.get(pid, []))
    return total


def _sql(server: EmbeddedPostgres, statement: str, database: str = "postgres") -> None:
    admin = make_engine(server.url(database))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text(statement))
    admin.dispose()


if __name__ == "__main__":
    main()
