"""Signed notes as files, one a size: what a signer or a witness remembers by itself, out of the database's reach."""

from pathlib import Path

KEYS = "log.keys"


def kept_notes(directory: Path) -> list[bytes]:
    """The notes of a signer or a witness, the smallest log first."""
    if not directory.is_dir():
        return []
    files = [file for file in directory.glob("*.note") if file.stem.isdecimal()]
    return [file.read_bytes() for file in sorted(files, key=lambda file: int(file.stem))]


def keep_note(directory: Path, size: int, note: str) -> None:
    """Keep a note under its size, whole or not at all; one that is kept already stays as it is."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = directory / f"{size}.note"
    if not file.exists():
        draft = file.with_suffix(".new")
        draft.write_bytes(note.encode())
        draft.replace(file)


def kept_keys(directory: Path) -> list[str]:
    """The verifier keys that a signer has or had, one a line."""
    file = directory / KEYS
    return file.read_text(encoding="utf-8").split() if file.is_file() else []


def keep_key(directory: Path, key: str) -> None:
    """Remember a key; what was signed with it stays known when another takes its place."""
    known = kept_keys(directory)
    if key not in known:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = directory / f"{KEYS}.new"
        draft.write_text("".join(f"{one}\n" for one in (*known, key)), encoding="utf-8")
        draft.replace(directory / KEYS)
