"""The product as a person starts it: one command, every process, any of which may be killed at any time."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from sqlalchemy import create_engine, update

from api.actions.responses import CODE_NAMESPACE
from api.embedded.place import Place, kept_secrets
from api.embedded.postgres import EmbeddedPostgres
from api.store.roll import access_code
from survey_forms.sampling.codes import code_mac, display

MINGCHA = Path(sys.executable).with_name("mingcha")
READY = "Ctrl-C"
LATER_START = 60.0  # 4 s on two quiet cores, 8 s at most; the tests of a whole suite share these two


def free_port() -> int:
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return int(attempt.getsockname()[1])


def children(pid: int) -> dict[int, str]:
    """Every descendant and its command line."""
    found: dict[int, str] = {}
    with suppress(FileNotFoundError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            with suppress(FileNotFoundError):
                found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            found |= children(child)
    return found


def living(pids: set[int]) -> set[int]:
    """Those that run; a zombie that the machine's first process does not reap does not run."""

    def runs(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return set(filter(runs, pids))


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class Running:
    """A started command; the test sees what it prints and what it runs."""

    def __init__(self, *words: str, data: Path, output: Path, port: int, env: dict[str, str] | None = None) -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.data = data
        clean = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        self.output = output
        with output.open("wb") as written:
            self.process = subprocess.Popen(
                [MINGCHA, *words, "--data", str(data), "--port", str(port)],
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                env=clean | (env or {}),
                start_new_session=True,
            )

    def wait_ready(self, seconds: float = 90.0) -> float:
        """Until it says so; returns the seconds that it took."""
        started = time.monotonic()
        until(lambda: READY in self.said() or self.process.poll() is not None, seconds)
        assert self.process.poll() is None, self.said()
        return time.monotonic() - started

    def said(self) -> str:
        return self.output.read_text()

    def answers(self) -> bool:
        """Whether it can serve, its database included."""
        try:
            with urlopen(f"{self.base_url}/healthz", timeout=5) as answer:  # noqa: S310  our own address
                return answer.status == 200
        except OSError:
            return False

    def pid_of(self, mark: str) -> int:
        """The eldest of its processes with that in its command line; 0 for none."""
        return min((pid for pid, line in children(self.process.pid).items() if mark in line), default=0)

    def end(self) -> None:
        """For the fixture: nothing that a failed test started may stay."""
        left = set(children(self.process.pid))
        for pid in [self.process.pid, *left]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def run(*words: str, data: Path = tmp_path / "data", port: int = 0, **env: str) -> Running:
        output = tmp_path / f"said-{len(started)}.out"
        started.append(Running(*words, data=data, output=output, port=port or free_port(), env=env))
        return started[-1]

    yield run
    for running in started:
        running.end()


def test_kill_9_of_any_process_is_repaired_and_ctrl_c_leaves_none(start: Callable[..., Running]) -> None:
    running = start("serve")
    running.wait_ready()
    for mark in ("bin/postgres", "valkey-server", "granian", "worker dispatch", "worker drain", "worker photos"):
        until(lambda mark=mark: running.pid_of(mark))
        before = running.pid_of(mark)
        os.kill(before, signal.SIGKILL)
        until(lambda mark=mark, before=before: running.pid_of(mark) not in (0, before))
        until(running.answers)
    everything = set(children(running.process.pid))
    assert len(everything) >= 8
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=15) == 0
    assert not living(everything)
    assert "Traceback" not in running.said()


def test_kill_9_of_the_supervisor_takes_every_process_along_and_the_next_start_finds_the_data(
    start: Callable[..., Running],
) -> None:
    first = start("serve")
    first.wait_ready()
    secrets = (first.data / "secrets.json").read_text()
    everything = set(children(first.process.pid))
    first.process.kill()
    first.process.wait()
    until(lambda: not living(everything))
    second = start("serve")
    second.wait_ready(LATER_START)
    assert (second.data / "secrets.json").read_text() == secrets
    assert (second.data / "secrets.json").stat().st_mode & 0o777 == 0o600


def ended(running: Running) -> str:
    """What it says when it cannot start: a sentence in each language, status 2, no traceback."""
    assert running.process.wait(timeout=30) == 2, running.said()
    assert "Traceback" not in running.said()
    return running.said()


def test_a_taken_port_is_a_sentence_and_nothing_stays_behind(start: Callable[..., Running]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])
        running = start("serve", port=port)
        said = ended(running)
    assert f"{port} 已被别的程序占用" in said
    assert f"Port {port} of 127.0.0.1 is taken" in said
    assert not running.data.exists()


def test_a_second_start_on_the_same_directory_is_a_sentence(start: Callable[..., Running]) -> None:
    first = start("serve")
    first.wait_ready()
    second = start("serve")
    said = second.output.read_text()
    until(lambda: second.process.poll() is not None)
    assert f"{first.process.pid}" in ended(second)
    assert "Traceback" not in said
    assert first.answers()


@pytest.mark.parametrize("kind", ["a file in its place", "files of somebody else"])
def test_a_directory_that_cannot_be_ours_is_a_sentence(
    start: Callable[..., Running], tmp_path: Path, kind: str
) -> None:
    taken = tmp_path / "taken"
    if kind == "a file in its place":
        taken.write_text("a file")
        running = start("serve", data=taken / "data")
    else:
        taken.mkdir()
        (taken / "thesis.txt").write_text("years of work")
        running = start("serve", data=taken)
    assert "--data" in ended(running)
    left = sorted(entry.name for entry in tmp_path.rglob("*") if entry.suffix != ".out")
    assert left == (["taken"] if kind == "a file in its place" else ["taken", "thesis.txt"])


def test_settings_that_lack_anything_are_told_at_once(start: Callable[..., Running]) -> None:
    running = start("serve", DATABASE_URL="mysql://nowhere", MINGCHA_POOL_SIZE="many")
    said = ended(running)
    for name in ("DATABASE_URL", "MINGCHA_SECRET_KEY", "MINGCHA_PEPPER", "MINGCHA_BASE_URL", "MINGCHA_POOL_SIZE"):
        assert name in said


def test_the_demonstration_hands_out_codes_and_logins_and_a_later_start_keeps_them(
    start: Callable[..., Running],
) -> None:
    first = start("demo")
    first.wait_ready()
    file = first.data / "demo.json"
    guide = json.loads(file.read_text())
    assert file.stat().st_mode & 0o777 == 0o600
    assert guide["base_url"] == first.base_url
    assert len(guide["codes"]) == 10
    assert all(codes for codes in guide["codes"].values())
    assert {"office", "inspector", "bureau", "unit"} <= set(guide["logins"])
    assert sign_in(first, **guide["logins"]["office"]) == 302
    assert sign_in(first, "office", "guessed") == 401
    assert display(guide["codes"]["residents"][0]) in first.said()
    spent = guide["codes"]["residents"][0]
    spend(first.data, spent)
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(timeout=15) == 0

    second = start("demo")
    second.wait_ready(LATER_START)
    again = json.loads(file.read_text())
    assert again["base_url"] == second.base_url != first.base_url
    assert again["logins"] == guide["logins"]
    assert again["codes"] == guide["codes"] | {"residents": guide["codes"]["residents"][1:]}
    assert sign_in(second, **guide["logins"]["inspector"]) == 302
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(timeout=15) == 0

    file.unlink()
    third = start("demo")
    assert "demo.json" in ended(third)


def sign_in(running: Running, username: str, password: str) -> int:
    """The status of the sign-in form's answer."""
    connection = http.client.HTTPConnection(running.base_url.removeprefix("http://"), timeout=20)
    try:
        connection.request(
            "POST",
            "/login",
            urlencode({"username": username, "password": password}),
            {"Content-Type": "application/x-www-form-urlencoded", "Origin": running.base_url},
        )
        return connection.getresponse().status
    finally:
        connection.close()


def spend(data: Path, code: str) -> None:
    """Mark a code as used, as an accepted answer does."""
    place = Place(data)
    mac = code_mac(kept_secrets(place)["MINGCHA_PEPPER"].encode(), CODE_NAMESPACE, code)
    engine = create_engine(EmbeddedPostgres(place).url())
    with engine.begin() as session:
        changed = session.execute(update(access_code).where(access_code.c.mac == mac).values(spent=True))
        assert changed.rowcount == 1
    engine.dispose()


def test_logs_are_kept_and_no_request_is_in_them(start: Callable[..., Running]) -> None:
    running = start("serve")
    running.wait_ready()
    address = f"{running.base_url}/no-such-page-ABCD"
    with suppress(HTTPError), urlopen(address, timeout=5):  # noqa: S310  our own
        pass
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=15) == 0
    logs = {log.name: log.read_text() for log in (running.data / "logs").glob("*.log")}
    assert {"web.log", "postgres.log", "valkey.log"} <= set(logs)
    assert not any("no-such-page" in text for text in logs.values())
