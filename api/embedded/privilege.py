"""PostgreSQL refuses to run as root; this finds how root may start it all the same."""

import os
import stat
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from survey_forms.refusal import Refused

NOBODY = 65534


@dataclass(frozen=True, slots=True)
class Launcher:
    """The words before the command, and who then owns the files: `owner` is nobody's change when None."""

    prefix: tuple[str, ...] = ()
    owner: tuple[int, int] | None = None

    def give(self, path: Path) -> None:
        """Hand a file or a whole directory to the account that the command runs as."""
        if self.owner is None or (path.stat().st_uid, path.stat().st_gid) == self.owner:
            return
        for entry in [path, *path.rglob("*")]:
            os.chown(entry, *self.owner, follow_symlinks=False)


def launcher(data: Path, program: Path) -> Launcher:
    """How to run `program` on the files of `data`, which need not exist yet.

    An ordinary user needs nothing. Root becomes the owner of the data, or else `nobody`; where a directory on the
    way is closed to others (a checkout under root's home), the process keeps the one capability that lets it
    through, and the bit without which access(2), by which initdb looks for its sibling, would not count it.
    That works in a default container, where user namespaces do not; the namespace is the second try.

    Raises:
        Refused: root, and the machine allows neither.
    """
    if os.geteuid() != 0:
        return Launcher()
    owner = (NOBODY, NOBODY)
    if data.exists() and data.stat().st_uid:
        owner = (data.stat().st_uid, data.stat().st_gid)
    drop = ["setpriv", f"--reuid={owner[0]}", f"--regid={owner[1]}", "--clear-groups", "--pdeathsig=INT"]
    if not _open_to_others((data, program)):
        drop += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    namespace = ["unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}"]
    for candidate in (Launcher(tuple(drop), owner), Launcher(tuple(namespace), (0, 0))):
        # Shows what it would do, having looked for all its parts; touches nothing.
        if _runs([*candidate.prefix, str(program.with_name("initdb")), "--show", "-D", str(data)]):
            return candidate
    raise Refused("cannot_leave_root")


def _open_to_others(paths: Iterable[Path]) -> bool:
    """Whether every directory that exists on the way lets any account through."""
    directories = {parent for path in paths for parent in path.absolute().parents if parent.exists()}
    return all(directory.stat().st_mode & stat.S_IXOTH for directory in directories)


def _runs(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
