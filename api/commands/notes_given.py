"""Notes, keys and entries that a person hands to `mingcha ledger`, and how faults are told."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from api.problems import LANGUAGES, say
from survey_forms.ledger_copy import Line, read_line
from survey_forms.refusal import Fault, Refused
from survey_forms.signed_notes import Checkpoint, Note, Verifier


def signed(notes: Iterable[tuple[str, bytes]], keys: Iterable[Verifier]) -> tuple[list[Checkpoint], list[Fault]]:
    """The checkpoints that all keys signed, and what is wrong with the others; each note has its file's name."""
    checkpoints: list[Checkpoint] = []
    faults: list[Fault] = []
    every = list(keys)
    for file, content in notes:
        try:
            note = Note.read(content)
            unsigned = [one.name for one in every if not one.signed(note)]
            if unsigned:
                faults += [Fault("note_file_unsigned", file, {"name": name}) for name in unsigned]
            else:
                checkpoints.append(Checkpoint.read(note.text))
        except Refused:
            faults.append(Fault("note_file_unreadable", file))
    return checkpoints, faults


def files_of(notes: Iterable[Path]) -> list[tuple[str, bytes]]:
    """Files by their names."""
    return [(str(file), file.read_bytes()) for file in notes]


def lines_of(copy: Path) -> Iterator[Line]:
    """The lines of a copy of the ledger."""
    with copy.open("rb") as content:
        for line in content:
            yield read_line(line)


def key_given(given: str) -> Verifier:
    """The verifier key of a line, or of the file of that name."""
    return Verifier.read(text_of(given))


def text_of(given: str) -> str:
    """A key, or what the file of that name holds."""
    file = Path(given)
    return file.read_text(encoding="utf-8") if "+" not in given and file.is_file() else given


def tell(fault: Fault) -> None:
    """One thing that is wrong, in both languages."""
    click.echo("✗ " + " / ".join(say(fault, language) for language in LANGUAGES))
