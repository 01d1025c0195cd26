"""Builders for frames: a survey with strata, files as offices have them, and a registry with its worker."""

import io
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook
from sqlalchemy import Connection, Engine, insert, update

from api.actions.frames import Registry, begin_import, registry_of, start_reading
from api.store import frames, surveys
from api.store.frames import FrameImport
from api.transaction import Database
from tests.builders import StoredSurvey, a_survey
from worker import frames as worker
from worker.drain import drain
from worker.shop import Shop

SECRET = b"a test's key, thirty-two bytes at least"
NOW = datetime(2026, 7, 1, 1, 0, tzinfo=UTC)
STRATA = (("siming", "思明区"), ("huli", "湖里区"))
HEADINGS = ("成员编号", "层", "手机", "性别", "年龄段")
COLUMNS = {"member": "成员编号", "stratum": "层", "phone": "手机", "trait:sex": "性别", "trait:age": "年龄段"}


def a_framed_survey(connection: Connection, *, secrecy: str = "sealed", **how: object) -> StoredSurvey:
    """A survey of two strata, open unless told otherwise."""
    survey = a_survey(connection, **how)
    connection.execute(update(surveys.survey).where(surveys.survey.c.id == survey.id).values(secrecy=secrecy))
    connection.execute(
        insert(surveys.stratum).values(
            survey_id=survey.id,
            code="huli",
            group_code="residents",
            name_zh="湖里区",
            name_en="Huli",
            population=500,
        )
    )
    return survey


def members(number: int) -> list[tuple[str, ...]]:
    """Lines of a good file: two strata by turns, with telephones and traits."""
    return [
        (f"M{at:07}", STRATA[at % 2][at // 2 % 2], f"138{at:08}", "男女"[at % 2], ("18-34", "35-59", "60+")[at % 3])
        for at in range(1, number + 1)
    ]


def a_csv(rows: list[tuple[str, ...]], headings: tuple[str, ...] = HEADINGS, delimiter: str = ",") -> str:
    """The text of a file."""
    return "".join(delimiter.join(row) + "\r\n" for row in (headings, *rows))


def a_book(rows: list[tuple[object, ...]], headings: tuple[str, ...] = HEADINGS) -> bytes:
    """The file as Excel writes it."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in (headings, *rows):
        sheet.append(list(row))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def a_registry(root: Path) -> Registry:
    return registry_of(root, SECRET)


def a_frame_shop(engine: Engine, registry: Registry) -> Shop:
    """A worker that can open the registry's files, its clock standing still."""
    return Shop(Database(engine), None, lambda: NOW, None, registry)  # type: ignore[arg-type]  # no photo here


def handed_in(  # noqa: PLR0917
    connection: Connection,
    registry: Registry,
    survey_id: int,
    staff: int,
    content: bytes,
    columns: dict[str, str] | None = None,
    name: str = "名册.csv",
) -> int:
    """A file whose columns are named; returns its import."""
    import_id = begin_import(connection, registry, survey_id, (name, io.BytesIO(content)), staff, NOW)
    start_reading(connection, registry, import_id, COLUMNS if columns is None else columns, staff, NOW)
    return import_id


def read_whole(connection: Connection, registry: Registry, import_id: int) -> FrameImport:
    """Let the worker read an import to its end, in the test's own transaction."""
    for _ in range(200):
        held = frames.import_numbered(connection, import_id)
        assert held is not None
        if held.status != "reading":
            return held
        worker.read_on(connection, registry, import_id, NOW)
    raise AssertionError("the import does not end")


def drained(engine: Engine, registry: Registry, import_id: int, seconds: float = 60) -> FrameImport:
    """Let a worker's process do all that is owed of frames."""
    drain(a_frame_shop(engine, registry), "frames", seconds)
    with engine.connect() as connection:
        found = frames.import_numbered(connection, import_id)
    assert found is not None
    return found
