"""Frames as they are loaded: the import that can be taken up again, and the lines it has read so far.

Nothing half is ever a frame: lines wait in a table of their own until the whole file was read without a fault.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, LiteralString, cast

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    Table,
    Text,
    collate,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from api.store.base import facts, metadata, moment, serial
from api.store.people import staff
from api.store.roll import frame, frame_member
from api.store.surveys import survey

if TYPE_CHECKING:
    from psycopg import Connection as Session

frame_import = Table(
    "frame_import",
    metadata,
    serial(),
    Column("survey_id", ForeignKey(survey.c.id), nullable=False, index=True),
    Column("sha256", Text, nullable=False),  # of the file, kept among the objects until the import ends
    Column("file_name", Text, nullable=False),
    Column("encoding", Text),  # None: a workbook
    facts("columns"),  # what is read of each line → the file's heading
    Column("lines_total", Integer),
    Column("lines_read", Integer, nullable=False, server_default="0"),
    Column("status", Text, nullable=False, server_default="mapping"),
    facts("faults", null=True),
    Column("frame_id", ForeignKey(frame.c.id)),
    Column("started_by", ForeignKey(staff.c.id)),
    moment("started_at", now=True),
    moment("ended_at", null=True),
    CheckConstraint("status IN ('mapping','reading','refused','loaded','abandoned')", name="status"),
    CheckConstraint("(status = 'loaded') = (frame_id IS NOT NULL)", name="loaded"),
    schema="roll",
)

frame_line = Table(
    "frame_line",
    metadata,
    Column("import_id", ForeignKey(frame_import.c.id), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("stratum", Text, nullable=False),
    Column("member", Text, nullable=False),
    Column("psu", Text),
    Column("size", Numeric),
    Column("latitude", Numeric(9, 6)),
    Column("longitude", Numeric(9, 6)),
    Column("sort", Text),
    facts("traits", null=True),
    Column("contact", LargeBinary),  # sealed
    schema="roll",
)


@dataclass(frozen=True, slots=True)
class FrameImport:
    """A file on its way to a frame. `status`: mapping (columns are still to be named), reading, or how it ended."""

    id: int
    survey_id: int
    sha256: str
    file_name: str
    encoding: str | None
    columns: dict[str, str]
    lines_total: int | None
    lines_read: int
    status: str
    faults: dict[str, Any] | None
    frame_id: int | None
    started_by: int | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame: its digest, how many members, and when it was loaded from which file."""

    id: int
    survey_id: int
    digest: str
    members: int
    file_name: str | None
    loaded_by: int | None
    loaded_at: datetime


_IMPORT = select(
    *(frame_import.c[name] for name in ("id", "survey_id", "sha256", "file_name", "encoding", "columns")),
    *(frame_import.c[name] for name in ("lines_total", "lines_read", "status", "faults", "frame_id")),
    *(frame_import.c[name] for name in ("started_by", "started_at", "ended_at")),
)
_FRAME = select(
    *(frame.c[name] for name in ("id", "survey_id", "digest", "members", "file_name", "loaded_by", "loaded_at"))
)
FACTS = ("latitude", "longitude", "size", "sort")
"""What a plan may read of a member besides its stratum, in byte order."""

_COPY: LiteralString = (
    "COPY roll.frame_line"
    " (import_id, row, stratum, member, psu, size, latitude, longitude, sort, traits, contact) FROM STDIN"
)
_LINE = ("row", "stratum", "member", "psu", "size", "latitude", "longitude", "sort", "traits", "contact")


def add_import(connection: Connection, values: Mapping[str, object]) -> int:
    """A file that was handed in; returns its import's key."""
    return int(connection.execute(insert(frame_import).values(dict(values)).returning(frame_import.c.id)).scalar_one())


def import_numbered(connection: Connection, import_id: int) -> FrameImport | None:
    """An import."""
    row = connection.execute(_IMPORT.where(frame_import.c.id == import_id)).first()
    return FrameImport(*row) if row else None


def hold_import(connection: Connection, import_id: int) -> FrameImport | None:
    """An import, kept from everybody else who would go on with it until the transaction ends."""
    row = connection.execute(_IMPORT.where(frame_import.c.id == import_id).with_for_update()).first()
    return FrameImport(*row) if row else None


def imports_of(connection: Connection, survey_id: int) -> list[FrameImport]:
    """The imports of a survey, the newest first."""
    rows = connection.execute(_IMPORT.where(frame_import.c.survey_id == survey_id).order_by(frame_import.c.id.desc()))
    return [FrameImport(*row) for row in rows]


def change_import(connection: Connection, import_id: int, **values: object) -> None:
    """Write what became of an import."""
    connection.execute(update(frame_import).where(frame_import.c.id == import_id).values(**values))


def is_file_wanted(connection: Connection, sha256: str) -> bool:
    """Whether some import still reads a file."""
    wanted = select(frame_import.c.id).where(
        frame_import.c.sha256 == sha256, frame_import.c.status.in_(["mapping", "reading"])
    )
    return connection.execute(wanted.limit(1)).first() is not None


def copy_lines(connection: Connection, import_id: int, lines: Iterable[Sequence[object]]) -> None:
    """Keep lines of an import, each with the columns of `frame_line` from `row` on (traits as JSON)."""
    session = cast("Session[Any]", connection.connection.dbapi_connection)
    with session.cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in lines:
            copy.write_row((import_id, *line))


def doubled_members(connection: Connection, import_id: int, most: int) -> tuple[int, list[tuple[int, str, int]]]:
    """How many lines repeat a member, and the first of them: (row, member, row where it stood first)."""
    number = connection.execute(
        select(func.count() - func.count(frame_line.c.member.distinct())).where(frame_line.c.import_id == import_id)
    ).scalar_one()
    if not number:
        return 0, []
    first = func.min(frame_line.c.row).over(partition_by=frame_line.c.member)
    lines = (
        select(frame_line.c.row, frame_line.c.member, first.label("first"))
        .where(frame_line.c.import_id == import_id)
        .subquery()
    )
    rows = connection.execute(select(lines).where(lines.c.row > lines.c.first).order_by(lines.c.row).limit(most))
    return int(number), [(row.row, row.member, row.first) for row in rows]


def number_of_lines(connection: Connection, import_id: int) -> int:
    """Lines that an import has kept."""
    counted = select(func.count()).select_from(frame_line).where(frame_line.c.import_id == import_id)
    return int(connection.execute(counted).scalar_one())


def lines_by_stratum(connection: Connection, import_id: int) -> Iterator[tuple[str, str]]:
    """(stratum, member) in the canonical order: strata by their bytes, members as the file has them."""
    return _streamed(
        connection,
        select(frame_line.c.stratum, frame_line.c.member)
        .where(frame_line.c.import_id == import_id)
        .order_by(collate(frame_line.c.stratum, "C"), frame_line.c.row),
    )


def make_frame(connection: Connection, held: FrameImport, digest: str, members: int, now: datetime) -> int:
    """Turn the lines of an import into a frame; returns its key."""
    frame_id = connection.execute(
        insert(frame)
        .values(
            survey_id=held.survey_id,
            digest=digest,
            members=members,
            file_name=held.file_name,
            loaded_by=held.started_by,
            loaded_at=now,
        )
        .returning(frame.c.id)
    ).scalar_one()
    columns = [frame_line.c[name] for name in _LINE]
    chosen = select(literal(frame_id), *columns).where(frame_line.c.import_id == held.id)
    connection.execute(insert(frame_member).from_select(["frame_id", *_LINE], chosen))
    return int(frame_id)


def drop_lines(connection: Connection, import_id: int) -> None:
    """Forget the lines of an import."""
    connection.execute(delete(frame_line).where(frame_line.c.import_id == import_id))


def frame_numbered(connection: Connection, frame_id: int) -> Frame | None:
    """A frame."""
    row = connection.execute(_FRAME.where(frame.c.id == frame_id)).first()
    return Frame(*row) if row else None


def frames_of(connection: Connection, survey_id: int) -> list[Frame]:
    """The frames of a survey, the newest first."""
    rows = connection.execute(_FRAME.where(frame.c.survey_id == survey_id).order_by(frame.c.id.desc()))
    return [Frame(*row) for row in rows]


def sizes_of(connection: Connection, frame_id: int) -> dict[str, int]:
    """Members of each stratum that a frame has, N_h."""
    rows = connection.execute(
        select(frame_member.c.stratum, func.count())
        .where(frame_member.c.frame_id == frame_id)
        .group_by(frame_member.c.stratum)
    )
    return {stratum: int(number) for stratum, number in rows}


def columns_of(connection: Connection, frame_id: int) -> tuple[str, ...]:
    """Those of `FACTS` that some member of a frame has."""
    held = [func.count(frame_member.c[name]) for name in FACTS]
    counts = connection.execute(select(*held).where(frame_member.c.frame_id == frame_id)).one()
    return tuple(name for name, number in zip(FACTS, counts, strict=True) if number)


def members_by_stratum(connection: Connection, frame_id: int, columns: Sequence[str] = ()) -> Iterator[Sequence[Any]]:
    """(stratum, member, *columns) of a frame, in the order of `lines_by_stratum`."""
    return _streamed(
        connection,
        select(frame_member.c.stratum, frame_member.c.member, *(frame_member.c[name] for name in columns))
        .where(frame_member.c.frame_id == frame_id)
        .order_by(collate(frame_member.c.stratum, "C"), frame_member.c.row),
    )


def import_of_frame(connection: Connection, frame_id: int) -> int | None:
    """The import that a frame came from; contacts are bound to it."""
    found: int | None = connection.execute(
        select(frame_import.c.id).where(frame_import.c.frame_id == frame_id)
    ).scalar()
    return found


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[Any]:
    with connection.execute(query.execution_options(stream_results=True, yield_per=10_000)) as rows:
        yield from rows
