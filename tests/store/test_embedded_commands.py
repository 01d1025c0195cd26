"""`init-db` and `doctor` against real servers, good and bad."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from api.cli import group
from api.commands.doctor import CHECKS
from api.commands.init_db import newest_revision
from api.embedded.postgres import EmbeddedPostgres
from survey_forms.refusal import Refused


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("DATABASE_URL", "REDIS_URL", "MINGCHA_SECRET_KEY", "MINGCHA_PEPPER", "MINGCHA_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def address(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_init_db_makes_the_tables_and_may_be_repeated(
    postgres: EmbeddedPostgres, engine: Engine, clean: pytest.MonkeyPatch
) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text("CREATE DATABASE empty_one"))
    clean.setenv("DATABASE_URL", postgres.url("empty_one"))
    first = CliRunner().invoke(group, ["init-db"], catch_exceptions=False)
    second = CliRunner().invoke(group, ["init-db"], catch_exceptions=False)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text("DROP DATABASE empty_one"))
    assert f"none → {newest_revision()}" in first.output
    assert f"{newest_revision()} → {newest_revision()}" in second.output


def test_a_database_that_is_away_is_one_sentence(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/mingcha")
    with pytest.raises(Refused) as refusal:
        CliRunner().invoke(group, ["init-db"], catch_exceptions=False)
    assert refusal.value.code == "database_unreachable"
    assert "hunter2" not in str(refusal.value)


def test_doctor_finds_a_migrated_database_and_its_queue_well(
    engine: Engine, valkey_url: str, clean: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "DATABASE_URL": address(engine),
        "REDIS_URL": valkey_url,
        "MINGCHA_SECRET_KEY": "k" * 32,
        "MINGCHA_PEPPER": "p" * 32,
        "MINGCHA_BASE_URL": "https://pingyi.example.gov.cn",
    }.items():
        clean.setenv(name, value)
    seen = CliRunner().invoke(group, ["doctor", "--data", str(tmp_path / "data")], catch_exceptions=False)
    marks = [line[0] for line in seen.output.splitlines()]
    assert "✗" not in [mark for mark, line in zip(marks, seen.output.splitlines(), strict=True) if "8000" not in line]
    assert len(marks) == len(CHECKS) + 1


def test_doctor_names_everything_that_is_wrong_and_changes_nothing(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    clean.setenv("DATABASE_URL", "postgresql://app@127.0.0.1:1/mingcha")
    clean.setenv("REDIS_URL", "redis://127.0.0.1:1")
    seen = CliRunner().invoke(group, ["doctor", "--data", str(tmp_path / "file" / "data")], catch_exceptions=False)
    assert seen.exit_code == 1
    wrong = [line for line in seen.output.splitlines() if line.startswith("✗")]
    for part in ("DATABASE_URL", "MINGCHA_PEPPER", "queue", "data directory"):
        assert any(part in line for line in wrong), part
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
