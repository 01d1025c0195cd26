"""`mingcha doctor`: one line for each thing that must be right before the product can run."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import redis
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from api.actions.checkpoints import last_look
from api.commands.init_db import newest_revision, revision_of
from api.commands.running import check_port, inherited
from api.commands.serve import data_option, host_option, port_option
from api.config import Settings, database_url
from api.embedded import postgres, valkey
from api.embedded.place import Place, check_room, nearest_existing
from api.embedded.privilege import launcher
from api.problems import LANGUAGES, say
from api.store.base import make_engine
from survey_forms.refusal import Refused

BUILT = datetime(2026, 11, 1, tzinfo=UTC)  # no right clock shows an earlier day
CLOCKS_APART = 1.0  # seconds: an RQ worker whose clock runs ahead "cleans" jobs that are running


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at and what was seen; `well` is None where it only matters to some."""

    what: str
    seen: str
    well: bool | None = True


def _python(_place: Place) -> Finding:
    return Finding("Python", sys.version.split()[0], sys.version_info >= (3, 11))


def _program(path: Path) -> str:
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=20)  # noqa: S603
    return told.stdout.strip().partition(" build=")[0]


def _postgres_program(place: Place) -> Finding:
    program = postgres.program("postgres")
    launcher(place.path / "postgres", program)  # root must be able to become another
    return Finding("PostgreSQL 程序 / program", _program(program))


def _valkey_program(_place: Place) -> Finding:
    return Finding("Valkey 程序 / program", _program(valkey.program()))


def _directory(place: Place) -> Finding:
    existing = nearest_existing(place.path)
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    state = "可写 / writable" if writable else "不可写 / not writable"
    return Finding("数据目录 / data directory", f"{place.path} {state}", writable)


def _disk(place: Place) -> Finding:
    check_room(place)
    free = shutil.disk_usage(nearest_existing(place.path)).free
    return Finding("磁盘 / free disk", f"{free // 2**20} MB")


def _settings(_place: Place) -> Finding:
    env = inherited()
    if not env.get("DATABASE_URL"):
        return Finding("配置 / settings", "DATABASE_URL 未设置，使用内置数据库 / not set: the embedded database", None)
    Settings.from_env(env)
    return Finding("配置 / settings", "齐全 / complete")


@contextmanager
def _database(place: Place) -> Iterator[Engine | None]:
    """The database that the product would use; nothing while the embedded one is not running."""
    env = inherited()
    if not env.get("DATABASE_URL") and not place.in_use():
        yield None
        return
    engine = make_engine(database_url(env) if env.get("DATABASE_URL") else postgres.EmbeddedPostgres(place).url())
    try:
        yield engine
    finally:
        engine.dispose()


NOT_RUNNING = "内置服务未运行 / the embedded server is not running"


def _tables(place: Place) -> Finding:
    with _database(place) as engine:
        if engine is None:
            return Finding("数据库 / database", NOT_RUNNING, None)
        found, newest = revision_of(engine), newest_revision()
        seen = f"可连接，表版本 {found or '空'} / answers, tables at {found or 'none'}"
        return Finding(
            "数据库 / database", seen if found == newest else f"{seen} ≠ {newest}: mingcha init-db", found == newest
        )


def _queue(place: Place) -> Finding:
    url = inherited().get("REDIS_URL")
    if not url and not place.in_use():
        return Finding("队列 / queue", NOT_RUNNING, None)
    try:
        with redis.Redis.from_url(
            url or valkey.EmbeddedValkey(place).url(), socket_connect_timeout=2, socket_timeout=2
        ) as client:
            told = client.info("server")
            version = told.get("valkey_version") or told.get("redis_version", "?")
    except (redis.RedisError, ValueError) as trouble:
        return Finding("队列 / queue", str(trouble), well=False)
    return Finding("队列 / queue", f"可连接 / answers ({version})")


def _ledger(place: Place) -> Finding:
    """What the worker last found when it computed the whole ledger anew."""
    what = "台账 / ledger"
    with _database(place) as engine:
        if engine is None or revision_of(engine) != newest_revision():
            return Finding(what, NOT_RUNNING, None)
        with engine.connect() as connection:
            look = last_look(connection)
    if look is None:
        return Finding(what, "还没有核对过 / not looked through yet", None)
    if look.wrong:
        return Finding(what, " / ".join(say(look.wrong, language) for language in LANGUAGES), well=False)
    return Finding(what, f"{look.at.astimezone():%Y-%m-%d %H:%M} 核对相符 / agreed with its checkpoints")


def _clock(place: Place) -> Finding:
    here = datetime.now(UTC)
    seen = f"{here.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    if here < BUILT:
        return Finding("时钟 / clock", f"{seen}：过早 / too early", well=False)
    with _database(place) as engine:
        if engine is None:
            return Finding("时钟 / clock", seen)
        with engine.connect() as connection:
            there = connection.scalar(select(func.clock_timestamp()))
        apart = abs((there - datetime.now(UTC)).total_seconds()) if there is not None else 0.0
    seen += f",与数据库相差 {apart:.2f} 秒 / {apart:.2f} s from the database's"
    return Finding("时钟 / clock", seen, apart <= CLOCKS_APART)


def _browser(_place: Place) -> Finding:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for path in map(shutil.which, names) if path), None)
    seen = found or "没有（只有测试需要） / none (only the tests need it)"
    return Finding("Chromium", seen, True if found else None)


CHECKS: tuple[Callable[[Place], Finding], ...] = (
    _python,
    _postgres_program,
    _valkey_program,
    _directory,
    _disk,
    _settings,
    _tables,
    _queue,
    _ledger,
    _clock,
    _browser,
)


@click.command(help="检查运行条件，逐项一行。Check what the product needs; exit 1 when something is wrong.")
@host_option
@port_option
@data_option
def doctor(host: str, port: int, data: Path) -> None:
    """Look, change nothing."""
    place = Place(data.absolute())

    def _port(_place: Place) -> Finding:
        if place.in_use():
            return Finding("端口 / port", "明察正在运行 / Mingcha is running", None)
        check_port(host, port)
        return Finding("端口 / port", f"{host}:{port} 空闲 / free")

    ill = False
    for check in (*CHECKS, _port):
        try:
            finding = check(place)
        except Refused as refused:
            for fault in refused.faults:
                click.echo("✗ " + " / ".join(say(fault, language) for language in LANGUAGES))
            ill = True
        except (OperationalError, OSError, subprocess.SubprocessError, ValueError) as trouble:
            click.echo(f"✗ {check.__name__.strip('_')}: {str(trouble).partition(chr(10))[0]}")
            ill = True
        else:
            mark = {True: "✓", False: "✗", None: "–"}[finding.well]
            click.echo(f"{mark} {finding.what}: {finding.seen}")
            ill = ill or finding.well is False
    if ill:
        sys.exit(1)
