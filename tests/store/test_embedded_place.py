"""The data directory: taken by one, refused in one sentence, left as it was found."""

import json
import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from api.embedded.place import SECRETS, Place, kept_secrets, make_sockets, occupy, write_private
from api.embedded.process import Process, alive, command_of
from survey_forms.refusal import Refused

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024  what shutil itself returns


def refusal(path: Path) -> Refused:
    with pytest.raises(Refused) as refused, occupy(path):
        pass
    return refused.value


def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**9, 10**9, 7 * 2**20))
    refused = refusal(tmp_path / "deep" / "data")
    assert refused.code == "disk_full"
    assert refused.faults[0].facts == {"free": 7, "needed": 400}
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_while_it_is_tried_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert refusal(tmp_path / "deep" / "data").code == "disk_full"
    assert list(tmp_path.iterdir()) == []


def test_only_one_may_have_it(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        assert place.in_use()
        refused = refusal(tmp_path / "data")
        assert refused.code == "already_running"
        assert refused.faults[0].facts == {"pid": str(os.getpid())}
    assert not place.in_use()


def test_a_start_that_fails_before_there_is_a_database_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(Refused), occupy(tmp_path / "deep" / "data"):
        raise Refused("port_taken", "8000", host="127.0.0.1")
    assert list(tmp_path.iterdir()) == []


def test_a_later_start_that_fails_takes_nothing_away(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        made = kept_secrets(place)
    with pytest.raises(Refused), occupy(tmp_path / "data"):
        raise Refused("port_taken", "8000", host="127.0.0.1")
    assert kept_secrets(place) == made


def test_secrets_are_made_once_differ_and_are_for_the_owner_alone(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        first, second = kept_secrets(place), kept_secrets(place)
    assert first == second
    assert len(set(first.values())) == len(SECRETS) == 3
    assert all(len(value) >= 32 for value in first.values())
    assert (place.path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_a_data_directory_of_an_earlier_version_gets_the_secret_that_it_lacks(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        earlier = {"MINGCHA_SECRET_KEY": "s" * 40, "MINGCHA_PEPPER": "p" * 40}
        write_private(place.path / "secrets.json", json.dumps(earlier))
        now = kept_secrets(place)
        assert kept_secrets(place) == now
    assert {name: now[name] for name in earlier} == earlier
    assert len(now["MINGCHA_LEDGER_KEY"]) >= 32


def test_a_private_file_is_replaced_whole_and_stays_private(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    file.write_text("old")
    file.chmod(0o644)
    write_private(file, json.dumps({"new": True}))
    assert json.loads(file.read_text()) == {"new": True}
    assert file.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.json"]


def test_a_socket_directory_that_others_prepared_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.sockets.mkdir(mode=0o777)
    place.sockets.chmod(0o777)
    with pytest.raises(Refused) as refused:
        make_sockets(place, None)
    assert refused.value.code == "data_unwritable"


def test_a_process_ends_with_its_group_and_its_last_words_are_kept(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    process = Process("deaf", ["python3", "-c", deaf], log=tmp_path / "deaf.log")
    process.start()
    pid = process.pid
    assert pid is not None
    assert "deaf" not in command_of(1)
    while process.last_words() != "ready":
        assert alive(pid)
    process.stop(0.2)
    assert not alive(pid)
    assert process.poll() == -9
