"""Accepting answers: code spent, form checked, stored, owed; against pgbench's single-row inserts in the same run.

    .venv/bin/python tests/bench/bench_answers.py [--answers 12000] [--stored 10000]

Server, database, load generator and pgbench share the machine. Prints submissions/s at 32 connections, the ratio to
pgbench (slices before and after), CPU a submission (web + database), and p99 at half of the rate reached.
"""

import argparse
import os
import random
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from sqlalchemy import Engine, insert, text

from api.actions.responses import CODE_NAMESPACE
from api.demonstration.answers import Person, answer
from api.embedded.place import occupy
from api.embedded.postgres import USER, EmbeddedPostgres, program
from api.store import evaluations, roll, surveys
from api.store.base import make_engine
from api.store.migrate import migrate
from survey_forms.forms.compile import compile_form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.sampling.codes import code_mac, new_code
from survey_forms.scheme.load import DOCUMENTS
from tests.bench.load import Run, request, run

PEPPER = "a bench's pepper, at least thirty-two bytes"
CONNECTIONS = 32
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answers", type=int, default=12_000, help="submissions in the measured run")
    parser.add_argument("--stored", type=int, default=10_000, help="answers already stored")
    parser.add_argument("--workers", type=int, default=2, help="web worker processes")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        occupy(Path(directory)) as place,
        EmbeddedPostgres(place) as server,
    ):
        _sql(server, "CREATE DATABASE bench")
        url = server.url("bench")
        engine = make_engine(url)
        migrate(engine)
        survey_id, version, bodies = prepare(engine, options.answers * 2)
        fill(engine, survey_id, version, options.stored)
        before = pgbench(server, 5)
        database = server.process.pid if server.process else None
        port, web = start_web(url, Path(directory), options.workers)
        try:
            warm, measured, paced = bodies[:500], bodies[500 : 500 + options.answers], bodies[500 + options.answers :]
            report("warm-up", run(port, warm, CONNECTIONS))
            cpu = cpu_seconds(web.pid, database)
            full = run(port, measured, CONNECTIONS)
            cpu = cpu_seconds(web.pid, database) - cpu
            report("full speed", full)
            half = run(port, paced[: int(full.rate() * 5)], CONNECTIONS, per_second=full.rate() / 2)
            report("half speed", half)
        finally:
            web.terminate()
            try:
                web.wait(10)
            except subprocess.TimeoutExpired:
                web.kill()
        after = pgbench(server, 5)
        raw = (before + after) / 2
        print(f"pgbench, {CONNECTIONS} connections: {before:,.0f} before, {after:,.0f} after, commits/s")
        print(f"ratio to pgbench: {full.rate() / raw:.3f}")
        print(f"CPU a submission: {cpu / len(full.latencies) * 1000:.2f} ms (web + database)")
        with engine.connect() as connection:
            kept = connection.execute(text("SELECT count(*) FROM ballot.response WHERE mode = 'web'")).scalar_one()
        print(f"acknowledged {sum(r.statuses.get(201, 0) for r in (full, half)) + 500}, stored {kept}")
        engine.dispose()


def prepare(engine: Engine, number: int) -> tuple[int, str, list[bytes]]:
    """A survey with the residents' form, and so many prepared submissions, each with a code of its own."""
    form_bytes = (DOCUMENTS / "xiamen-wf-2015" / "forms" / "residents.xlsx").read_bytes()
    converted = convert_workbook(form_bytes)
    form = compile_form(converted.xform)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(
            insert(evaluations.scheme_version).values(digest="0" * 64, scheme="xiamen-wf-2015", source="")
        )
        evaluation = connection.execute(
            insert(evaluations.evaluation)
            .values(code="bench", year=2015, name_zh="测", name_en="b", scheme_digest="0" * 64, supplied={})
            .returning(evaluations.evaluation.c.id)
        ).scalar_one()
        window = {"opens_at": now - timedelta(days=1), "closes_at": now + timedelta(days=1)}
        round_id = connection.execute(
            insert(evaluations.round_)
            .values(evaluation_id=evaluation, name_zh="测", name_en="b", status="open", **window)
            .returning(evaluations.round_.c.id)
        ).scalar_one()
        survey_id = connection.execute(
            insert(surveys.survey).values(round_id=round_id, **window).returning(surveys.survey.c.id)
        ).scalar_one()
        connection.execute(
            insert(surveys.form_version).values(
                version=form.version, name="residents", workbook=form_bytes, xform=converted.xform
            )
        )
        connection.execute(
            insert(surveys.respondent_group).values(
                survey_id=survey_id,
                code="residents",
                component="public_review.residents",
                name_zh="居民",
                name_en="Residents",
                form_version=form.version,
            )
        )
        connection.execute(
            insert(surveys.stratum).values(
                survey_id=survey_id,
                code="siming",
                group_code="residents",
                name_zh="思明",
                name_en="S",
                population=10**8,
            )
        )
        codes = [new_code(secrets.randbelow) for _ in range(number)]
        rows = [
            {"mac": code_mac(PEPPER.encode(), CODE_NAMESPACE, code), "survey_id": survey_id, "stratum": "siming"}
            for code in codes
        ]
        for start in range(0, len(rows), 5000):
            connection.execute(insert(roll.access_code), rows[start : start + 5000])
    chance = random.Random(1)
    stored = [answer(form, Person("siming", 0.0), {}, now.date(), chance) for _ in range(200)]
    answers = [{name: v if isinstance(v, list) else str(v) for name, v in one.items()} for one in stored]
    bodies = [
        request(
            "/api/v1/responses",
            orjson.dumps({"code": code, "answers": answers[i % 200], "receipt": secrets.token_urlsafe(16)}),
            "127.0.0.1",
        )
        for i, code in enumerate(codes)
    ]
    return survey_id, form.version, bodies


def fill(engine: Engine, survey_id: int, version: str, stored: int) -> None:
    """Answers, receipts and spent codes that are already there."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ballot.response SELECT gen_random_uuid(), :survey, 'siming', 'siming', :version,"
                " jsonb_build_object('a', repeat('x', 300)), 'filled', current_date FROM generate_series(1, :n)"
            ),
            {"survey": survey_id, "version": version, "n": stored},
        )
        connection.execute(
            text(
                "INSERT INTO ballot.receipt SELECT sha256(gen_random_uuid()::text::bytea) FROM generate_series(1, :n)"
            ),
            {"n": stored},
        )
        connection.execute(
            text(
                "INSERT INTO roll.access_code SELECT sha256(gen_random_uuid()::text::bytea), :survey, 'siming', true"
                " FROM generate_series(1, :n)"
            ),
            {"survey": survey_id, "n": stored},
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


def pgbench(server: EmbeddedPostgres, seconds: int) -> float:
    """Single-row commits a second: a 500-byte row each, 32 connections."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write("INSERT INTO bench_row VALUES (gen_random_uuid(), repeat('x', 484));\n")
        script.flush()
        Path(script.name).chmod(0o644)
        _sql(server, "DROP TABLE IF EXISTS bench_row", "bench")
        _sql(server, "CREATE TABLE bench_row (id uuid PRIMARY KEY, body text)", "bench")
        command = [
            str(program("pgbench")), "-n", "-f", script.name, "-c", str(CONNECTIONS), "-j", "2", "-T", str(seconds),
            "-M", "prepared", "-h", str(server.place.sockets), "-U", USER, "bench",
        ]  # fmt: skip
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in out.splitlines() if line.startswith("tps"))
    return float(line.split("=")[1].split()[0])


def start_web(url: str, directory: Path, workers: int) -> tuple[int, subprocess.Popen[bytes]]:
    """The web server as production runs it, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": "unix:///nowhere",
        "MINGCHA_SECRET_KEY": secrets.token_hex(32),
        "MINGCHA_PEPPER": PEPPER,
        "MINGCHA_BASE_URL": f"http://127.0.0.1:{port}",
        "MINGCHA_DATA": str(directory / "web"),
    }
    command = [
        str(Path(sys.executable).parent / "granian"), "--interface", "wsgi", "--factory", "--host", "127.0.0.1",
        "--port", str(port), "--workers", str(workers), "--blocking-threads", "64", "--no-access-log",
        "--log-level", "warning", "api.app:from_environment",
    ]  # fmt: skip
    web = subprocess.Popen(command, env=env, start_new_session=True)
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10):
                return port, web
        except OSError:
            if time.monotonic() > deadline or web.poll() is not None:
                web.kill()
                raise
            time.sleep(0.1)


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


def report(name: str, result: Run) -> None:
    print(
        f"{name}: {len(result.latencies)} in {result.seconds:.1f} s = {result.rate():,.0f}/s; "
        f"p50 {result.quantile(0.5):.1f} ms, p99 {result.quantile(0.99):.1f} ms; answers {result.statuses}",
        flush=True,
    )


def _sql(server: EmbeddedPostgres, statement: str, database: str = "postgres") -> None:
    admin = make_engine(server.url(database))
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text(statement))
    admin.dispose()


if __name__ == "__main__":
    main()
