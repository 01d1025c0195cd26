"""Bad lines, two tabs, servers that are killed: every visit and every photo arrives exactly once."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, insert, select

from api.actions import devices
from api.commands.running import web_command
from api.objects import Objects
from api.services import utc_now
from api.store import people
from api.store.findings import finding, finding_photo
from api.store.inspections import check_in, crew, visit
from api.store.owed import outbox
from api.store.photos import photo
from api.store.uploads import blob, upload
from survey_forms.inspection.mornings import CHINA
from tests.inspections import a_town, an_assignment
from tests.phones import Lost, Phone, Record, Wire, bad_line, photo_of

VISITS, PHOTOS, SEED = 30, 5, 7


@pytest.fixture
def town(engine):
    with engine.begin() as connection:
        return a_town(connection)


@pytest.fixture
def address(site, town) -> tuple[str, int]:  # noqa: ARG001 - the town is there first
    host, _, port = site.removeprefix("http://").partition(":")
    return host, int(port)


def a_phone(engine, username="inspector") -> Phone:
    phone = Phone()
    with engine.begin() as connection:
        staff = people.staff_named(connection, username)[0]
        phone.token, _ = devices.enrol(connection, staff, phone.id, phone.public_key, "Phone", utc_now())
    return phone


def assignments(engine, town, number):
    with engine.begin() as connection:
        return [an_assignment(connection, town, day=utc_now().astimezone(CHINA).date()) for _ in range(number)]


def tickets(wire) -> dict:
    told = json.loads(wire.sure("GET", "/api/v1/phone/bundle")[2])
    return {one["id"]: one["ticket"] for one in told["assignments"]}


def a_record(phone, assignment, ticket, photos) -> Record:
    record = Record(phone, assignment, ticket, at=utc_now()).check_in()
    for one in photos:
        record.photo(one)
    return record.finding(*photos[:2]).check_in(kind="check_out")


def rows(engine, table) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def check_all_there(engine, settings, photos: list[bytes], visits: int) -> None:
    """Each visit, photo and finding is there once, its bytes are right, and nothing else is left."""
    counted = {table.name: rows(engine, table) for table in (visit, upload, photo, blob, finding, check_in)}
    number = len(photos)
    assert counted == {
        "visit": visits, "upload": visits, "photo": number, "blob": number, "finding": visits, "check_in": 2 * visits,
    }  # fmt: skip
    assert rows(engine, finding_photo) == 2 * visits
    objects = Objects(settings.objects)
    for content in photos:
        assert objects.get("originals", sha256(content).digest()) == content
    with engine.connect() as connection:
        assert set(connection.execute(select(upload.c.status)).scalars()) == {"settled"}
        owed = connection.execute(select(outbox.c.key).where(outbox.c.topic == "photos")).scalars().all()
    assert sorted(owed) == sorted(sha256(one).hexdigest() for one in photos)
    assert list((settings.objects / "partial").glob("*/*")) == []


def test_twenty_per_cent_of_each_fault_and_every_visit_and_photo_arrives_once(engine, settings, town, address):
    chance, phone = Random(SEED), a_phone(engine)
    everything: list[bytes] = []
    with bad_line(address, SEED, 0.2) as (line, done):
        wire = Wire(line, phone.token)
        given = tickets(wire) if assignments(engine, town, VISITS) else {}
        for assignment, ticket in given.items():
            photos = [photo_of(chance) for _ in range(PHOTOS)]
            everything += photos
            told = wire.hand_in(a_record(phone, assignment, ticket, photos).body(), photos)
            assert (told["status"], told["problems"], told["flags"]) == ("settled", [], [])
            assert told["receipt"]
    assert len(given) == VISITS
    check_all_there(engine, settings, everything, VISITS)
    assert all(0.1 < done[fault] / wire.asked < 0.3 for fault in ("503", "lost answer", "cut body")), done
    print(f"\n{VISITS} visits, {len(everything)} photos, {wire.asked} requests: {dict(done)}")  # noqa: T201 - for the report


def test_two_tabs_that_send_the_same_visit_and_photos_at_once_make_one(engine, settings, town, address):
    phone, chance = a_phone(engine), Random(SEED)
    everything: list[bytes] = []
    for assignment in assignments(engine, town, 4):
        photos = [photo_of(chance) for _ in range(3)]
        everything += photos
        body = a_record(phone, assignment, tickets(Wire(address, phone.token))[str(assignment)], photos).body()
        with ThreadPoolExecutor(3) as tabs:
            told = list(
                tabs.map(
                    lambda _, body=body, photos=photos: Wire(address, phone.token).hand_in(body, photos, 2000), range(3)
                )
            )
        assert {one["status"] for one in told} == {"settled"}
        assert len({one["receipt"] for one in told}) == 1
    check_all_there(engine, settings, everything, 4)


def test_the_pair_s_two_phones_go_into_one_visit(engine, town, address):
    first, second = a_phone(engine), a_phone(engine, "inspector2")
    (assignment,) = assignments(engine, town, 1)
    with engine.begin() as connection:
        for position, staff in enumerate((town.inspector, town.other_inspector)):
            connection.execute(insert(crew).values(assignment_id=assignment, staff_id=staff, position=position))
    chance = Random(SEED)
    sent = []
    for phone in (first, second):
        ticket = tickets(Wire(address, phone.token))[str(assignment)]
        photos = [photo_of(chance) for _ in range(2)]
        sent.append((phone, a_record(phone, assignment, ticket, photos).body(), photos))
    with ThreadPoolExecutor(2) as phones:
        told = list(phones.map(lambda one: Wire(address, one[0].token).hand_in(one[1], one[2]), sent))
    assert [one["status"] for one in told] == ["settled", "settled"], told
    counted = {table.name: rows(engine, table) for table in (visit, upload, photo, finding, check_in)}
    assert counted == {"visit": 1, "upload": 2, "photo": 4, "finding": 2, "check_in": 4}


@contextmanager
def a_web_server(settings, port) -> Iterator[subprocess.Popen]:
    """The product's own web server in a group of its own, so that `kill -9` takes all of it."""
    env = os.environ | {
        "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "MINGCHA_BASE_URL": settings.base_url,
        "MINGCHA_SECRET_KEY": settings.secret_key.decode(), "MINGCHA_PEPPER": settings.pepper.decode(),
        "MINGCHA_DATA": str(settings.data_dir), "MINGCHA_OBJECTS": str(settings.objects),
    }  # fmt: skip
    process = subprocess.Popen(
        web_command("127.0.0.1", port, 1),
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wire = Wire(("127.0.0.1", port), "")
        for _ in range(300):
            with suppress(Lost):
                wire.once("GET", "/healthz")
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the web server did not come up")
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_killed_between_pieces_and_before_its_answer_loses_nothing_and_doubles_nothing(engine, settings, town):
    chance, phone, port = Random(SEED), a_phone(engine), a_free_port()
    wire = Wire(("127.0.0.1", port), phone.token, tries=1)
    found = assignments(engine, town, 3)
    photos = [photo_of(chance) + chance.randbytes(100_000) for _ in range(3)]
    with a_web_server(settings, port):
        given = tickets(wire)
        bodies = [
            a_record(phone, one, given[str(one)], [content, content]).body()
            for one, content in zip(found, photos, strict=True)
        ]
        assert wire.once("POST", "/api/v1/visits", bodies[0])[0] == 201
        path = f"/api/v1/blobs/{sha256(photos[0]).hexdigest()}"
        size = str(len(photos[0]))
        assert wire.once("PUT", path, photos[0][:40_000], Upload_Offset="0", Upload_Length=size)[0] == 204
    for number, body in enumerate(bodies):  # killed some milliseconds after the request is out, its answer unread
        with a_web_server(settings, port):
            wire.send(photos[number], 30_000) if number else None
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", "/api/v1/visits", body, {"Authorization": f"Bearer {phone.token}"})
            time.sleep(chance.choice((0.0, 0.005, 0.02)))
        connection.close()
    with a_web_server(settings, port):
        status, told, _ = wire.once("HEAD", path)
        assert (status, told["upload-offset"], told["upload-complete"]) == (200, "40000", "?0")
        for body, content in zip(bodies, photos, strict=True):
            assert wire.hand_in(body, [content])["status"] == "settled"
    objects = Objects(settings.objects)
    assert [objects.get("originals", sha256(one).digest()) for one in photos] == photos
    counted = {table.name: rows(engine, table) for table in (visit, upload, photo, blob, finding, check_in)}
    assert counted == {"visit": 3, "upload": 3, "photo": 3, "blob": 3, "finding": 3, "check_in": 6}


def test_bodies_that_stop_halfway_hold_nobody_up_and_dead_phones_are_given_up(settings, engine, town):  # noqa: ARG001
    phone, port = a_phone(engine), a_free_port()
    name = sha256(b"x" * 1000).hexdigest()
    head = (
        f"PUT /api/v1/blobs/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {phone.token}\r\n"
        "Upload-Offset: 0\r\nUpload-Length: 1000\r\nContent-Length: 1000\r\n\r\n"
    ).encode()
    with a_web_server(settings, port):
        stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(70)]  # more than the server has threads
        for one in stalled:
            one.sendall(head + b"x" * 400)
        wire, begun = Wire(("127.0.0.1", port), phone.token), time.monotonic()
        assert wire.sure("HEAD", f"/api/v1/blobs/{name}")[1]["upload-offset"] == "0"
        assert time.monotonic() - begun < 5
        assert wire.once("PUT", f"/api/v1/blobs/{name}", b"x", Upload_Offset="0", Upload_Length="9")[0] == 503
        assert is_probed(port)
        for one in stalled:
            one.close()
        wire.send(b"x" * 1000, 300)
        assert wire.once("HEAD", f"/api/v1/blobs/{name}")[1]["upload-complete"] == "?1"


def is_probed(port: int) -> bool:
    """Whether the kernel asks the silent connections of that server: their timer is the keepalive one (proc(5))."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    ours = [line for line in lines if int(line[1].partition(":")[2], 16) == port and line[3] == "01"]
    return bool(ours) and all(line[5].startswith("02:") for line in ours)


def test_the_commands_of_the_protocols_page_do_what_it_says(engine, town, address, tmp_path):
    phone, (assignment,) = a_phone(engine), assignments(engine, town, 1)
    content = photo_of(Random(SEED))
    record = a_record(phone, assignment, tickets(Wire(address, phone.token))[str(assignment)], [content])
    (tmp_path / "visit.json").write_bytes(record.body())
    (tmp_path / "photo.jpg").write_bytes(content)
    page = Path("docs/visits-api.md").read_text(encoding="utf-8")
    commands = [block for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) if block.startswith("curl")]
    env = {
        "PATH": os.environ["PATH"], "SITE": f"http://{address[0]}:{address[1]}", "TOKEN": phone.token,
        "SHA256": sha256(content).hexdigest(), "LENGTH": str(len(content)),
    }  # fmt: skip

    def run(command: str) -> str:
        return subprocess.run(
            ["sh", "-ec", command], env=env, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    bundle, post, head, put, key = commands
    assert json.loads(run(bundle))["assignments"][0]["id"] == str(assignment)
    assert json.loads(run(post))["missing"] == [env["SHA256"]]
    assert "upload-offset: 0" in run(head).lower()
    assert " 204 " in run(put).splitlines()[0]
    assert "upload-complete: ?1" in run(head).lower()
    told = json.loads(run(post))
    assert (told["status"], told["missing"]) == ("settled", [])
    (tmp_path / "receipt.txt").write_text(told["receipt"], encoding="utf-8")
    mingcha = f"{sys.executable} -m api.cli"
    shown = run(key.splitlines()[0])
    verify = (
        key.splitlines()[1]
        .replace("mingcha", f"cd {Path.cwd()} && {mingcha}", 1)
        .replace("receipt.txt", f"{tmp_path}/receipt.txt")
    )
    env["KEY"] = json.loads(shown)["key"]
    assert json.loads(run(verify))["visit"] == told["visit"]
