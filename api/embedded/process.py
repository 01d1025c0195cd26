"""One child process: its own session, its output in a file, and its end when we end.

The kernel signals the child when the process that started it dies (Linux `PR_SET_PDEATHSIG`), so that even
`kill -9` of the supervisor leaves nothing running. Elsewhere the next start ends what it finds.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_prctl = ctypes.CDLL(None).prctl if LINUX else None


def adopt_orphans() -> None:
    """Make the grandchildren whose parent was killed ours to reap: a container's first process often does not."""
    if _prctl is not None:
        _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _die_with_parent(signal_number: int) -> Callable[[], None] | None:
    if _prctl is None:
        return None
    parent, prctl = os.getpid(), _prctl

    def in_child() -> None:
        prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return in_child


class Process:
    """A program that can be started, watched, stopped and started again."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self.env = env
        self.stop_signal = stop_signal
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else nothing."""
        return self._running.pid if self._running is not None and self._running.poll() is None else None

    def start(self) -> None:
        """Start it; the caller sees to it that it does not run already. From the main thread only.

        The kernel takes the end of the *thread* that forked for the parent's death.
        """
        with self.log.open("ab") as output:
            self._running = subprocess.Popen(  # noqa: S603  our own commands, no shell
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.env,
                start_new_session=True,  # Ctrl-C in the terminal is for the supervisor, which stops things in order
                preexec_fn=_die_with_parent(self.stop_signal),  # noqa: PLW1509  it calls the kernel, takes no lock
            )

    def poll(self) -> int | None:
        """Its exit status once it ended, nothing while it runs."""
        return self._running.poll() if self._running is not None else None

    def ask_to_stop(self) -> None:
        """Send the polite signal; `stop` waits for its effect."""
        if self._running is not None and self._running.poll() is None:
            self._running.send_signal(self.stop_signal)

    def stop(self, seconds: float = 5.0) -> None:
        """Ask it to end, wait that long, then end it and what it left in its group."""
        if self._running is None:
            return
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._running.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End it and its group at once."""
        if self._running is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # the group is gone already
            os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()

    def last_words(self, lines: int = 8) -> str:
        """The end of its log: why it did not start."""
        try:
            return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def reap(ours: Iterable[Process]) -> None:
    """Take the exit status of orphans we adopted, and of none that one of `ours` waits for."""
    known = {process._running.pid for process in ours if process._running is not None}  # noqa: SLF001  same module
    with suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid in known:
                return  # its own poll() takes it; what lies behind it waits for the next round
            os.waitpid(ended.si_pid, 0)


def end_orphans(seconds: float = 2.0) -> None:
    """Kill and reap whatever children are left, adopted ones among them. Linux only; call it last."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    deadline = time.monotonic() + seconds
    while children.exists() and time.monotonic() < deadline and (left := children.read_text().split()):
        for pid in map(int, left):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def alive(pid: int) -> bool:
    """Whether a process with that id runs; a zombie, whose parent has not looked, does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with suppress(OSError):  # no /proc on macOS
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    return True


def command_of(pid: int) -> str:
    """The command line of a process of any account, or "" when there is none."""
    kept = Path(f"/proc/{pid}/cmdline")
    if kept.parent.parent.joinpath("self").exists():
        with suppress(OSError):
            return kept.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    told = subprocess.run(["ps", "-wwo", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S603, S607
    return told.stdout
