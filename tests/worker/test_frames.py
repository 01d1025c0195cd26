"""A frame's file is read in pieces, and whatever kills the worker between two of them, the frame is the same."""

import signal
import time
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from api.actions import frames as actions
from api.store import frames, roll
from api.store.base import make_engine
from api.store.owed import is_owed
from api.store.roles import NOTICES, as_role, grant_roles
from tests.desk import a_person
from tests.frames import (
    a_book,
    a_csv,
    a_frame_shop,
    a_framed_survey,
    a_registry,
    drained,
    handed_in,
    members,
)
from worker import frames as worker
from worker.dispatch import Dispatcher, connect
from worker.drain import drain
from worker.shop import open_shop


@pytest.fixture
def registry(tmp_path):
    return a_registry(tmp_path / "objects")


@pytest.fixture
def survey(engine):
    with engine.begin() as connection:
        return a_framed_survey(connection)


@pytest.fixture
def begun(engine, registry, survey):
    """Hand in a file with its columns named."""

    def begin(content: bytes, **how) -> int:
        with engine.begin() as connection:
            staff = a_person(connection, "registrar", "office")
            return handed_in(connection, registry, survey.id, staff, content, **how)

    return begin


def members_of(engine, frame_id):
    with engine.connect() as connection:
        rows = connection.execute(
            select(roll.frame_member).where(roll.frame_member.c.frame_id == frame_id).order_by(roll.frame_member.c.row)
        )
        return rows.all()


def canonical(rows) -> str:
    """The digest as anybody computes it: strata in byte order, members as the file has them."""
    lines = [(("huli" if "h" in row[1] or "湖" in row[1] else "siming"), row[0]) for row in rows]
    text = "".join(f"{stratum},{member}\n" for stratum, member in sorted(lines, key=lambda line: line[0]))
    return sha256(text.encode()).hexdigest()


def test_a_file_becomes_a_frame_with_sealed_contacts_and_is_kept_no_longer(engine, registry, begun):
    rows = members(25_000)
    import_id = begun(a_csv(rows).encode())
    held = drained(engine, registry, import_id)
    assert (held.status, held.lines_read, held.lines_total) == ("loaded", 25_000, 25_000)
    kept = members_of(engine, held.frame_id)
    assert [(one.row, one.member) for one in kept] == [(at, row[0]) for at, row in enumerate(rows, start=1)]
    assert {one.stratum for one in kept} == {"siming", "huli"}
    assert kept[4].traits == {"sex": rows[4][3], "age": rows[4][4]}
    assert rows[4][2].encode() not in kept[4].contact
    assert registry.safe.open_member(import_id, rows[4][0], kept[4].contact).phone == rows[4][2]
    with engine.connect() as connection:
        assert frames.frame_numbered(connection, held.frame_id).digest == canonical(rows)
        assert connection.execute(select(func.count()).select_from(frames.frame_line)).scalar() == 0
        assert not is_owed(connection, "frames", str(import_id))
    assert not registry.files.path(held.sha256).exists()


def test_what_lies_on_the_disk_shows_no_telephone(engine, registry, begun):
    rows = members(300)
    import_id = begun(a_csv(rows).encode())
    with engine.connect() as connection:
        name = frames.import_numbered(connection, import_id).sha256
    kept = registry.files.path(name).read_bytes()
    assert rows[7][2].encode() not in kept
    with registry.files.open(name) as plain:
        assert plain.read() == a_csv(rows).encode()


@pytest.mark.parametrize("after", [1, 2])
def test_a_piece_that_was_not_committed_is_read_again_and_once(engine, registry, begun, after):
    rows = members(31_234)
    import_id = begun(a_csv(rows).encode("gb18030"))
    shop = a_frame_shop(engine, registry)
    for _ in range(after):
        drain(shop, "frames", 0)
    with engine.connect() as connection:
        held = frames.import_numbered(connection, import_id)
    assert 0 < held.lines_read < len(rows)
    with engine.connect() as connection:  # a crash before the commit
        worker.read_on(connection, registry, import_id, held.started_at)
        connection.rollback()
    loaded = drained(engine, registry, import_id)
    assert [one.member for one in members_of(engine, loaded.frame_id)] == [row[0] for row in rows]


def test_a_workbook_is_gone_on_with_from_where_it_was(engine, registry, begun, monkeypatch):
    monkeypatch.setattr(actions, "PIECE", 400)
    rows = [(member, stratum, int(phone), sex, age) for member, stratum, phone, sex, age in members(1500)]
    import_id = begun(a_book(rows), name="名册.xlsx")
    drain(a_frame_shop(engine, registry), "frames", 0)
    worker._forget()  # a new process has nothing open
    loaded = drained(engine, registry, import_id)
    assert loaded.status == "loaded"
    assert [one.member for one in members_of(engine, loaded.frame_id)] == [row[0] for row in rows]
    first = members_of(engine, loaded.frame_id)[0]
    assert registry.safe.open_member(import_id, first.member, first.contact).phone == str(rows[0][2])


def test_a_worker_killed_between_two_pieces_leaves_a_frame_without_gap_or_double(  # noqa: PLR0917 - fixtures
    engine, settings, own_valkey, run_worker, survey, tmp_path
):
    rows = members(120_000)
    registry = actions.registry_of(tmp_path / "objects", b"k" * 40)  # as run_worker's processes have it
    with engine.begin() as connection:
        staff = a_person(connection, "registrar", "office")
        import_id = handed_in(connection, registry, survey.id, staff, a_csv(rows).encode())
    dispatcher = Dispatcher(open_shop(replace(settings, secret_key=b"k" * 40)), connect(own_valkey.url()))

    def stands():
        with engine.connect() as connection:
            return frames.import_numbered(connection, import_id)

    kills = 0
    deadline = time.monotonic() + 120
    while stands().status == "reading" and time.monotonic() < deadline:
        before = stands().lines_read
        with run_worker("notices") as process:
            while stands().status == "reading" and stands().lines_read == before and time.monotonic() < deadline:
                dispatcher.look()
                time.sleep(0.05)
            if kills < 3 and stands().status == "reading":
                process.send_signal(signal.SIGKILL)
                kills += 1
            else:
                while stands().status == "reading" and time.monotonic() < deadline:
                    dispatcher.look()
                    time.sleep(0.2)
    assert kills >= 1
    loaded = stands()
    assert (loaded.status, loaded.lines_read) == ("loaded", len(rows))
    assert [one.member for one in members_of(engine, loaded.frame_id)] == [row[0] for row in rows]
    with engine.connect() as connection:
        assert frames.frame_numbered(connection, loaded.frame_id).digest == canonical(rows)


def test_the_workers_own_role_may_do_all_that_reading_takes(engine, registry, begun):
    import_id = begun(a_csv(members(700)).encode())
    with engine.begin() as connection:
        grant_roles(connection)
    poor = make_engine(as_role(engine.url.render_as_string(hide_password=False), NOTICES))
    try:
        assert drained(poor, registry, import_id).status == "loaded"
        with poor.connect() as connection, pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(text("SELECT answers FROM ballot.response"))
    finally:
        poor.dispose()


def test_an_import_that_is_given_up_leaves_no_line_and_no_file(engine, registry, begun):
    import_id = begun(a_csv(members(25_000)).encode())
    drain(a_frame_shop(engine, registry), "frames", 0)
    with engine.begin() as connection:
        name = frames.import_numbered(connection, import_id).sha256
        actions.abandon(connection, import_id, 1, frames.import_numbered(connection, import_id).started_at)
    assert drained(engine, registry, import_id).status == "abandoned"
    assert not registry.files.path(name).exists()
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(frames.frame_line)).scalar() == 0
        assert frames.frames_of(connection, frames.import_numbered(connection, import_id).survey_id) == []
