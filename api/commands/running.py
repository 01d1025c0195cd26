"""What `demo`, `serve` and `worker` share: the environment of the processes, and the processes."""

import errno
import os
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from api.config import Settings
from api.embedded.place import Place, kept_secrets, occupy
from api.embedded.postgres import EmbeddedPostgres
from api.embedded.process import Process, adopt_orphans, end_orphans
from api.embedded.supervisor import Supervisor, stop_signals
from api.embedded.valkey import EmbeddedValkey
from api.store.roles import NOTICES, WEB, WORKER, as_role
from survey_forms.refusal import Refused

WORKERS = ("dispatch", "drain", "notices", "photos")
WEB_THREADS = 64  # fewer, and as many slow uploads from phones stop the whole server
WEB_PROCESSES = 2


def tell(line: str) -> None:
    """A line for the person at the terminal."""
    click.echo(line, err=True)


@dataclass(frozen=True, slots=True)
class House:
    """A taken data directory with its supervisor and, once the servers run, the settings of our own programs."""

    place: Place
    supervisor: Supervisor
    env: dict[str, str]
    has_roles: bool = False  # the database is our own, so that `ready_tables` can make its roles

    @property
    def settings(self) -> Settings:
        """What the programs of this house will read from their environment.

        Raises:
            Refused: every setting that is missing or wrong.
        """
        return Settings.from_env(self.env)

    def start_workers(self, topics: Iterable[str] = WORKERS) -> None:
        """One process a kind of work: a queue's worker that listens to two queues can lose a job."""
        for topic in topics:
            role = NOTICES if topic == "notices" else WORKER
            self.supervisor.start(self._program(f"worker-{topic}", [sys.executable, "-m", "worker", topic], role))

    def start_web(self, host: str, port: int, processes: int = WEB_PROCESSES) -> None:
        """The web server; returns when it answers. It keeps no access log: an address could tell who answered."""
        web = self._program("web", web_command(host, port, processes), WEB)
        self.supervisor.start(web)
        self.supervisor.wait_for_web(f"http://{reachable(host)}:{port}", web)

    def _program(self, name: str, command: list[str], role: str) -> Process:
        """A process that may do in our own database what its role may; another's gives its own roles by its URLs."""
        url = self.env["DATABASE_URL"]
        env = self.env | {"DATABASE_URL": as_role(url, role) if self.has_roles else url}
        if role != WORKER:
            env.pop("MINGCHA_LEDGER_KEY", None)  # the web shows checkpoints and cannot sign one
        return Process(name, command, log=self.place.logs / f"{name}.log", env=env)


def web_command(host: str, port: int, processes: int) -> list[str]:
    """The command line of the web server."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "api.app:from_environment"),
        *("--host", host, "--port", str(port), "--http", "1", "--no-ws"),
        *("--workers", str(processes), "--blocking-threads", str(WEB_THREADS)),
        *("--respawn-failed-workers", "--respawn-interval", "0.5", "--workers-kill-timeout", "4"),
        *("--no-access-log", "--log-level", "info"),
    ]


@contextmanager
def house(data: Path, env: Mapping[str, str], listen: tuple[str, int] | None) -> Iterator[House]:
    """Take the data directory and start the servers that `env` does not name; stop everything at the end.

    Args:
        data: the data directory, made when it is not there.
        env: the settings that came from outside.
        listen: host and port that the web server will take.

    Raises:
        Refused: the directory, the port, a server or a setting is not as it must be; nothing runs then.
    """
    with stop_signals(), occupy(data) as place:
        valkey, postgres = EmbeddedValkey(place), EmbeddedPostgres(place)
        given = {name: value for name, value in env.items() if value.strip()} | {"MINGCHA_DATA": str(place.path)}
        servers: list[EmbeddedValkey | EmbeddedPostgres] = []
        if "REDIS_URL" not in given:
            servers.append(valkey)
            given["REDIS_URL"] = valkey.url()
        if "DATABASE_URL" not in given:
            servers.append(postgres)
            ours = {"DATABASE_URL": postgres.url()}
            if listen is not None:
                ours["MINGCHA_BASE_URL"] = f"http://{reachable(listen[0])}:{listen[1]}"
            given = kept_secrets(place) | ours | given
        opened = House(place, Supervisor(place, tell), given, has_roles=postgres in servers)
        _ = opened.settings  # every complaint before anything runs
        if listen is not None:
            check_port(*listen)
        adopt_orphans()
        try:
            for server in servers:
                opened.supervisor.start_server(server)
            yield opened
        finally:
            opened.supervisor.stop()
            end_orphans()


def check_port(host: str, port: int) -> None:
    """Try the address before anything is started.

    Raises:
        Refused: another program has it, or it is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
    except OSError as trouble:
        if trouble.errno == errno.EADDRINUSE:
            raise Refused("port_taken", str(port), host=host) from None
        raise Refused("address_not_here", f"{host}:{port}", reason=trouble.strerror or str(trouble)) from None


def reachable(host: str) -> str:
    """How this machine itself reaches a server that listens on `host`; an IPv6 address in brackets."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    return f"[{local}]" if ":" in local else local


def inherited() -> dict[str, str]:
    """The environment, which `make` and the shell filled, for the processes we start.

    The web server has settings in variables of its own (`GRANIAN_…`), and an access log is one of them.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("GRANIAN_")}
