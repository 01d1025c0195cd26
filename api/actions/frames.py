"""Frames: a file is handed in, its columns are named, the worker reads it in pieces, and in the end it is a frame.

Each piece is committed with the number of lines read, which is all that a worker needs to go on after a crash. What
was read waits in a table of its own; it becomes a frame in one transaction, when the whole file was without a fault.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson
from sqlalchemy import Connection

from api.actions.csv_sheet import cell_fault
from api.actions.frame_file import MOST_LINES, Head, Reader, head_of, recognise
from api.actions.frame_lines import Line, LineReader, check_columns, guess
from api.actions.sealed_files import SealedFiles, digest_of
from api.actions.sealed_words import Safe
from api.store import frames, people, roll, survey_setup, surveys
from api.store.frames import FrameImport
from api.store.owed import emit
from api.store.windows import Window, hold_window, window_of
from survey_forms.refusal import Fault, Refused
from survey_forms.sampling.frame import digest_of_members

TOPIC = "frames"
PIECE = 10_000  # lines that one transaction reads
MOST_FAULTS = 1000
LONGEST_NAME = 200
OPEN_ROUNDS = ("draft", "open")


@dataclass(frozen=True, slots=True)
class Registry:
    """Where the files of frames lie sealed, and the safe for contacts."""

    files: SealedFiles
    safe: Safe = field(repr=False)


def registry_of(root: Path, secret: bytes) -> Registry:
    """The registry of a service: files in a directory of their own beside its objects."""
    return Registry(SealedFiles(root / "imports", secret), Safe(secret))


def begin_import(  # noqa: PLR0913, PLR0917 - whose, which file, who, when
    connection: Connection,
    registry: Registry,
    survey_id: int,
    sent: tuple[str, IO[bytes]],
    staff_id: int,
    now: datetime,
) -> int:
    """Keep a file, sealed, until its columns are named. Returns the import.

    Args:
        connection: in a transaction.
        registry: where it is kept.
        survey_id: whose frame it will be.
        sent: its name and its content, seekable.
        staff_id: who hands it in.
        now: when.

    Raises:
        Refused: `not_found`, `frame_round_over`; as `recognise` and `head_of`.
    """
    _framing(connection, survey_id)
    name, content = sent
    kind = recognise(content)
    if kind.lines is not None and kind.lines > MOST_LINES:
        raise Refused("frame_too_long", "file", most=f"{MOST_LINES:,}")
    sha256 = digest_of(content)
    registry.files.keep(sha256, content)
    try:
        with registry.files.open(sha256) as kept:
            head = head_of(kept, kind.encoding)
    except Refused:
        if not frames.is_file_wanted(connection, sha256):
            registry.files.drop(sha256)
        raise
    import_id = frames.add_import(
        connection,
        {
            "survey_id": survey_id,
            "sha256": sha256,
            "file_name": name[:LONGEST_NAME],
            "encoding": kind.encoding,
            "columns": guess(head.headings),
            "lines_total": kind.lines,
            "started_by": staff_id,
            "started_at": now,
        },
    )
    people.record_act(connection, "frame_handed_in", now, staff_id, survey=survey_id, file=name, sha256=sha256)
    return import_id


def preview(registry: Registry, held: FrameImport) -> Head:
    """The headings and first lines of a file that waits for its columns.

    Raises:
        Refused: as `head_of`; `sealed_file_gone`.
    """
    with registry.files.open(held.sha256) as kept:
        return head_of(kept, held.encoding)


def start_reading(  # noqa: PLR0913, PLR0917 - as begin_import
    connection: Connection,
    registry: Registry,
    import_id: int,
    columns: Mapping[str, str],
    staff_id: int,
    now: datetime,
) -> None:
    """Name the columns and let the worker read. Saying it again changes nothing.

    Raises:
        Refused: `not_found`; as `check_columns`.
    """
    held = frames.hold_import(connection, import_id)
    if held is None:
        raise Refused("not_found")
    if held.status != "mapping":
        return
    window = _framing(connection, held.survey_id)
    check_columns(columns, preview(registry, held).headings, sealed=window.secrecy == "sealed")
    frames.change_import(connection, import_id, status="reading", columns=dict(columns))
    emit(connection, TOPIC, f"{import_id}:0", 1)
    people.record_act(connection, "frame_reading_begun", now, staff_id, frame_import=import_id)


def abandon(connection: Connection, import_id: int, staff_id: int, now: datetime) -> None:
    """Give an import up; what was read of it goes. One that has ended stays as it is.

    Raises:
        Refused: `not_found`.
    """
    held = frames.hold_import(connection, import_id)
    if held is None:
        raise Refused("not_found")
    if held.status in {"mapping", "reading"}:
        _end(connection, held, "abandoned", now)
        people.record_act(connection, "frame_given_up", now, staff_id, frame_import=import_id)


def read_piece(connection: Connection, registry: Registry, held: FrameImport, reader: Reader, now: datetime) -> bool:
    """Read the next lines of an import that the transaction holds; whether that was the end of it.

    Args:
        connection: in a transaction, with the import held.
        registry: its safe.
        held: as it is stored now.
        reader: stands at `held.lines_read`.
        now: when.
    """
    try:
        lines = reader.take(PIECE)
    except Refused as refused:  # a file that breaks off in its middle
        _end(connection, held, "refused", now, _more_faults(held.faults, list(refused.faults)))
        return True
    if reader.read > MOST_LINES:
        _end(connection, held, "refused", now, _more_faults(None, [Fault("frame_too_long", "", {"most": MOST_LINES})]))
        return True
    if not lines:
        _finish(connection, held, now)
        return True
    read = LineReader(held.columns, reader.headings, surveys.strata_of(connection, held.survey_id))
    faults: list[Fault] = []
    found = [line for number, cells in lines if any(cells) and (line := read.read(number, cells, faults))]
    frames.copy_lines(connection, held.id, map(partial(_row, registry.safe, held.id), found))
    frames.change_import(
        connection, held.id, lines_read=reader.read, faults=_more_faults(held.faults, faults) if faults else held.faults
    )
    return False


def take_populations(connection: Connection, frame_id: int, staff_id: int, now: datetime) -> None:
    """Let the survey's strata be as large as the frame says; those that it lacks stay as they are.

    Raises:
        Refused: `not_found`, `frame_round_over`, `frame_population_fixed` once the survey's sample is drawn.
    """
    found = frames.frame_numbered(connection, frame_id)
    if found is None:
        raise Refused("not_found")
    _framing(connection, found.survey_id)
    if roll.draws_of(connection, found.survey_id):
        raise Refused("frame_population_fixed")
    sizes = frames.sizes_of(connection, frame_id)
    before = {one.code: one.population for one in surveys.strata_of(connection, found.survey_id)}
    changed = {code: n for code, n in sizes.items() if before.get(code, n) != n}
    survey_setup.set_populations(connection, found.survey_id, changed)
    told = {code: f"{before[code]} → {n}" for code, n in changed.items()}
    people.record_act(connection, "frame_populations_taken", now, staff_id, frame=frame_id, changed=told)


def _framing(connection: Connection, survey_id: int) -> Window:
    """A survey whose round still is to be, or runs."""
    window = hold_window(connection, survey_id) if window_of(connection, survey_id) else None
    if window is None:
        raise Refused("not_found")
    if window.round_status not in OPEN_ROUNDS:
        raise Refused("frame_round_over")
    return window


def _row(safe: Safe, import_id: int, line: Line) -> tuple[object, ...]:
    traits = orjson.dumps(line.traits).decode() if line.traits else None
    contact = safe.seal_member(import_id, line.member, line.contact) if line.contact else None
    place = (line.psu, line.size, line.latitude, line.longitude, line.sort)
    return (line.row, line.stratum, line.member, *place, traits, contact)


def _finish(connection: Connection, held: FrameImport, now: datetime) -> None:
    """All was read: refused with every fault, or a frame."""
    number, doubled = frames.doubled_members(connection, held.id, MOST_FAULTS)
    heading = held.columns["member"]
    twice = [
        cell_fault("frame_member_twice", row + 1, heading, value=member, first=first + 1)
        for row, member, first in doubled
    ]
    faults = _more_faults(held.faults, twice, number) if number else held.faults
    members = 0 if faults else frames.number_of_lines(connection, held.id)
    if not faults and not members:
        faults = _more_faults(None, [Fault("csv_empty")])
    if faults:
        _end(connection, held, "refused", now, faults)
        return
    digest = digest_of_members(frames.lines_by_stratum(connection, held.id))
    frame_id = frames.make_frame(connection, held, digest, members, now)
    _end(connection, held, "loaded", now, None, frame_id)
    people.record_act(connection, "frame_loaded", now, held.started_by, frame=frame_id, members=members, digest=digest)


def _end(  # noqa: PLR0913, PLR0917 - how it ended
    connection: Connection,
    held: FrameImport,
    status: str,
    now: datetime,
    faults: Mapping[str, Any] | None = None,
    frame_id: int | None = None,
) -> None:
    """End an import: its lines go now, its file when the worker has seen that the end is kept."""
    frames.drop_lines(connection, held.id)
    frames.change_import(connection, held.id, status=status, ended_at=now, faults=faults, frame_id=frame_id)
    emit(connection, TOPIC, f"{held.id}:ended", 1)


def _more_faults(had: Mapping[str, Any] | None, faults: list[Fault], number: int = 0) -> dict[str, Any]:
    """The faults of an import: how many, and the first of them."""
    known = had or {"number": 0, "shown": []}
    rows = [{"code": one.code, "path": one.path, "facts": dict(one.facts)} for one in faults]
    return {
        "number": known["number"] + (number or len(faults)),
        "shown": [*known["shown"], *rows][:MOST_FAULTS],
    }


def canonical_csv(connection: Connection, frame_id: int) -> Iterator[bytes]:
    """The frame as `mingcha draw` reads it, in pieces: strata by their bytes, members as the file had them."""
    columns = frames.columns_of(connection, frame_id)
    yield f"{','.join(('stratum', 'unit_id', *columns))}\n".encode()
    rows = frames.members_by_stratum(connection, frame_id, columns)
    while piece := list(islice(rows, PIECE)):
        yield "".join(f"{','.join('' if cell is None else str(cell) for cell in row)}\n" for row in piece).encode()
