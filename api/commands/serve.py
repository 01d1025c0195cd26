"""`mingcha serve` and `mingcha worker`: the product without demonstration data."""

from pathlib import Path

import click

from api.commands.init_db import make_roles, newest_revision, revision_of
from api.commands.running import (
    WEB_PROCESSES,
    WORKERS,
    House,
    house,
    inherited,
    tell,
)
from api.store.base import make_engine
from api.store.migrate import migrate
from survey_forms.refusal import Refused

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="MINGCHA_DATA",
    default=Path("data"),
    show_default="./data",
    help="数据目录。The data directory.",
)
host_option = click.option("--host", default="127.0.0.1", show_default=True, help="监听地址。The address to listen on.")
port_option = click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="端口。The port."
)


def ready_tables(opened: House) -> None:
    """Upgrade the tables of a database of our own; another's is only looked at.

    Raises:
        Refused: the tables of `DATABASE_URL` are older or newer than this version of the product.
    """
    engine = make_engine(opened.settings.database_url)
    try:
        if not inherited().get("DATABASE_URL"):
            migrate(engine)
            make_roles(engine)
        elif (found := revision_of(engine)) != (newest := newest_revision()):
            raise Refused("database_not_ready", "DATABASE_URL", found=found or "-", wanted=newest)
    finally:
        engine.dispose()


@click.command(help="运行网站和后台进程。Run the web server and the workers, and the servers that are not named.")
@host_option
@port_option
@data_option
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=WEB_PROCESSES,
    show_default=True,
    help="网站进程数。Web processes.",
)
@click.option("--workers/--no-workers", default=True, help="是否同时运行后台进程。Run the workers too.")
def serve(host: str, port: int, data: Path, processes: int, *, workers: bool) -> None:
    """Until a stop signal comes."""
    with house(data, inherited(), (host, port)) as opened:
        if workers:
            opened.settings.check_signing()
        ready_tables(opened)
        opened.start_web(host, port, processes)
        if workers:
            opened.start_workers()
        tell(f"明察已启动：{opened.settings.base_url}（Ctrl-C 停止） / Mingcha runs; Ctrl-C stops it")
        opened.supervisor.watch()


@click.command(help="只运行后台进程。Run workers alone, beside a web server elsewhere.")
@click.argument("kinds", nargs=-1, type=click.Choice(WORKERS))
@data_option
def worker(kinds: tuple[str, ...], data: Path) -> None:
    """Until a stop signal comes; needs DATABASE_URL and REDIS_URL."""
    needed = [name for name in ("DATABASE_URL", "REDIS_URL") if not inherited().get(name)]
    if needed:
        raise Refused("setting_missing", needed[0])
    with house(data, inherited(), None) as opened:
        if {"dispatch", "drain"} & set(kinds or WORKERS):
            opened.settings.check_signing()
        ready_tables(opened)
        opened.start_workers(kinds or WORKERS)
        tell("后台进程已启动（Ctrl-C 停止） / The workers run; Ctrl-C stops them")
        opened.supervisor.watch()
