"""The data directory: who may use it, what lies where, and the secrets made for it once.

postgres/ valkey/ objects/ logs/   secrets.json   lock
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from survey_forms.refusal import Refused

FIRST_START_BYTES = 400 * 2**20  # an empty server takes 45 MB, the write-ahead log may grow by 100s
LATER_START_BYTES = 50 * 2**20
SOCKET_PATH_BYTES = 100  # of 104 (macOS) or 108 (Linux) in sockaddr_un
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


@dataclass(frozen=True, slots=True)
class Place:
    """Paths inside one data directory; making one of these touches nothing."""

    path: Path

    @property
    def logs(self) -> Path:
        """What the processes say."""
        return self.path / "logs"

    @property
    def code_sheet(self) -> Path:
        """The demonstration's codes as QR codes."""
        return self.path / "demo-codes.html"

    @property
    def demo_file(self) -> Path:
        """Where to go, with which codes and logins."""
        return self.path / "demo.json"

    @property
    def sockets(self) -> Path:
        """Where the servers listen: in the data directory, or, as the name would be too long, in the temporary one."""
        inside = self.path / "run"
        if len(os.fsencode(inside / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"mingcha-{os.geteuid()}-{digest}"

    def is_ours(self) -> bool:
        """Whether a start has prepared it before."""
        return (self.path / "lock").exists()

    def in_use(self) -> bool:
        """Whether a supervisor holds it now."""
        try:
            with (self.path / "lock").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except FileNotFoundError:
            return False
        return False


@contextlib.contextmanager
def occupy(path: Path) -> Iterator[Place]:
    """Take a data directory for one supervisor, making it at the first start.

    Raises:
        Refused: it cannot be written, the disk is full, it holds another's files, another supervisor has it.
            Nothing is left behind then that was not there before.
    """
    place = Place(path.absolute())
    check_room(place)
    made = _make(place)
    try:
        with _lock(place):
            yield place
            made = None
    except BaseException:
        if made is not None and not (place.path / "postgres" / "PG_VERSION").exists():
            shutil.rmtree(made, ignore_errors=True)
        raise


def nearest_existing(path: Path) -> Path:
    """The directory itself, or the one above it that is there already."""
    return next(parent for parent in [path, *path.parents] if parent.exists())


def check_room(place: Place) -> None:
    """Refuse to start where the disk would be full before long."""
    needed = LATER_START_BYTES if place.is_ours() else FIRST_START_BYTES
    free = shutil.disk_usage(nearest_existing(place.path)).free
    if free < needed:
        raise Refused("disk_full", str(place.path), free=free // 2**20, needed=needed // 2**20)


def _make(place: Place) -> Path | None:
    """Create what is missing; the topmost directory that was created, for who must undo it."""
    missing = [directory for directory in [place.path, *place.path.parents] if not directory.exists()]
    try:
        if not missing and not place.is_ours() and any(place.path.iterdir()):
            raise Refused("data_of_others", str(place.path))
        if missing:
            # Others may pass through root's directory, not look around in it: the database runs as `nobody`.
            place.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
        place.logs.mkdir(exist_ok=True, mode=0o700)
        (place.path / "objects").mkdir(exist_ok=True, mode=0o700)
        probe = place.path / ".writable"
        probe.write_bytes(b"\0" * 65536)
        probe.unlink()
    except OSError as trouble:
        if missing:
            shutil.rmtree(missing[-1], ignore_errors=True)
        code = "disk_full" if trouble.errno in (errno.ENOSPC, errno.EDQUOT) else "data_unwritable"
        raise Refused(code, str(place.path), reason=trouble.strerror, free=0, needed=1) from None
    return missing[-1] if missing else None


@contextlib.contextmanager
def _lock(place: Place) -> Iterator[None]:
    """Hold `lock` until the end; the kernel lets go of it however we end."""
    with (place.path / "lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise Refused("already_running", str(place.path), pid=lock.read().strip() or "?") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def make_sockets(place: Place, owner: tuple[int, int] | None) -> Path:
    """The directory for the sockets, closed to everybody but the account that listens.

    Raises:
        Refused: the temporary directory holds one of that name that is another's.
    """
    directory = place.sockets
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    mine = os.geteuid() in (0, found.st_uid)  # root gave it to the account that the database runs as
    if not stat.S_ISDIR(found.st_mode) or not mine or found.st_mode & 0o077:
        raise Refused("data_unwritable", str(directory), reason=os.strerror(errno.EPERM))
    if owner is not None:
        os.chown(directory, *owner)
    return directory


SECRETS = ("MINGCHA_SECRET_KEY", "MINGCHA_PEPPER", "MINGCHA_LEDGER_KEY")
"""As they are named in the environment."""


def kept_secrets(place: Place) -> dict[str, str]:
    """The secrets of an embedded service, made at the first call and kept with mode 0600.

    One that a later version needs is added at the first start of that version; none is ever made anew.
    """
    file = place.path / "secrets.json"
    kept: dict[str, str] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    missing = [name for name in SECRETS if name not in kept]
    if missing:
        kept |= {name: secrets.token_urlsafe(48) for name in missing}
        write_private(file, json.dumps(kept, indent=1))
    return kept


def write_private(file: Path, text: str) -> None:
    """Write a file of mode 0600, whole or not at all."""
    draft = file.with_name(f".{file.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as output:
        output.write(text)
        output.flush()
        os.fsync(output.fileno())
    draft.replace(file)
