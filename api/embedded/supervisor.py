"""One process that starts the others, starts again what dies, and leaves nothing behind.

It has one thread and no event loop: it looks at its children five times a second.
"""

import http.client
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol
from urllib.parse import urlsplit

from api.embedded.place import Place
from api.embedded.process import Process, reap
from survey_forms.refusal import Refused

LOOK_EVERY = 0.2
FIRST_DELAY, LONGEST_DELAY = 0.1, 2.0
SETTLED = 10.0  # seconds of life after which an end counts as the first again
LOG_BYTES = 20 * 2**20
STOP_SECONDS = 6.0


class Server(Protocol):
    """What the supervisor knows of PostgreSQL and Valkey."""

    def prepare(self) -> Process:
        """Clear what a crash left; the process to start."""

    def wait(self) -> None:
        """Return once it answers."""


@dataclass(slots=True)
class _Child:
    """A process, how to make it again, and when."""

    process: Process
    make: Callable[[], Process]
    server: bool
    started: float
    ends: int = 0
    due: float | None = None
    told: float = 0.0


class Supervisor:
    """Starts in order, restarts, stops in reverse order.

    `tell` gets one line for the person at the terminal whenever something ends or returns.
    """

    def __init__(self, place: Place, tell: Callable[[str], None]) -> None:
        self.place = place
        self.tell = tell
        self._children: list[_Child] = []

    def start_server(self, server: Server) -> None:
        """Start a server that others need, and wait until it answers."""
        self._start(server.prepare, server=True)
        server.wait()

    def start(self, process: Process) -> None:
        """Start one of our own programs; whether it stays up shows later."""
        self._start(lambda: process, server=False)

    def _start(self, make: Callable[[], Process], *, server: bool) -> None:
        process = make()
        self._children.append(_Child(process, make, server, time.monotonic()))
        process.start()

    def wait_for_web(self, address: str, process: Process, seconds: float = 60.0) -> None:
        """Return once the web server says that it can serve; watch the others meanwhile.

        Raises:
            Refused: it ended, or the time is over.
        """
        parts = urlsplit(address)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and process.pid is not None:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
            try:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return
            except (OSError, http.client.HTTPException):
                pass  # not listening yet
            finally:
                connection.close()
            time.sleep(0.05)
            self.look(but_not=process)
        raise Refused("did_not_start", process.name, log=str(process.log), words=process.last_words())

    def watch(self) -> None:
        """Look after the children until a stop signal interrupts."""
        trimmed = time.monotonic()
        while True:
            time.sleep(LOOK_EVERY)
            self.look()
            if time.monotonic() - trimmed > 60:
                trimmed = time.monotonic()
                self._trim_logs()

    def look(self, but_not: Process | None = None) -> None:
        """Take the ends of children and start again those whose time has come."""
        for child in self._children:
            if child.process is not but_not:
                self._look_at(child, time.monotonic())
        reap(child.process for child in self._children)

    def _look_at(self, child: _Child, now: float) -> None:
        if child.due is None:
            status = child.process.poll()
            if status is None:
                return
            child.process.kill()  # what it left in its group must not hold the port or the socket
            child.ends = 1 if now - child.started > SETTLED else child.ends + 1
            delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** (child.ends - 1))
            child.due = now + delay
            if child.ends <= 3 or now - child.told > 60:  # a program that cannot start is named once a minute
                child.told = now
                name, log = child.process.name, child.process.log
                self.tell(
                    f"{name} 已退出({status}),{delay:.1f} 秒后重启;日志 {log} / "
                    f"{name} ended ({status}), starts again in {delay:.1f} s; log {log}"
                )
        elif now >= child.due:
            try:
                child.process = child.make()
                child.process.start()
            except (Refused, OSError) as trouble:
                child.due = now + LONGEST_DELAY
                self.tell(f"{child.process.name}: {trouble}")
            else:
                child.started, child.due = now, None

    def stop(self) -> None:
        """End everything: our programs together, then the servers, the last started first."""
        programs = [child.process for child in self._children if not child.server]
        for process in programs:
            process.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for process in programs:
            process.stop(max(0.1, deadline - time.monotonic()))
        for child in reversed(self._children):
            if child.server:
                child.process.stop(10.0)

    def _trim_logs(self) -> None:
        """Keep two files of bounded size for each log; the children go on appending to the first."""
        for log in self.place.logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                log.with_suffix(".log.1").write_bytes(log.read_bytes())
                with log.open("r+b") as full:
                    full.truncate(0)


@contextmanager
def stop_signals() -> Iterator[None]:
    """Ctrl-C, `kill` and a closed terminal end the program in order, once; further ones wait for that end."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def leave(_number: int, _frame: FrameType | None) -> None:
        for kind in kinds:
            signal.signal(kind, signal.SIG_IGN)
        raise SystemExit(0)

    before = {kind: signal.signal(kind, leave) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
