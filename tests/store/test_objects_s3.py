"""The store in a bucket keeps photos once, proves it has them, and lets nobody delete them before their day.

Against a real S3 server over HTTP (moto's), which `make test` puts into its own environment.
"""

import io
import os
import socket
import subprocess
import time
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from minio import Minio
from minio.error import S3Error

from api.bucket import Bucket, bucket_at
from api.config import Settings
from api.object_store import open_objects
from api.objects import Objects
from api.objects_s3 import S3Objects, StoreUnavailable
from api.store.photos import photo_hashed
from survey_forms.refusal import Refused
from tests.inspections import NOW, a_check_in, a_jpeg, a_photo, a_town, hashed
from worker.photos import render

SERVER = Path(".venv/s3/bin/moto_server")
CONTENT = b"a photo's bytes" * 1000
NAME = hashed(CONTENT)


@pytest.fixture(scope="module")
def endpoint():
    if not SERVER.exists():
        reason = "no S3 server here: `make test` installs one into .venv/s3"
        if os.environ.get("MINGCHA_ALL_TESTS"):
            pytest.fail(reason)
        pytest.skip(reason)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([SERVER, "-H", "127.0.0.1", "-p", str(port)], **quiet) as server:
        try:
            _wait_for(port, server)
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "the S3 server ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the S3 server does not answer")


@pytest.fixture
def client(endpoint) -> Minio:
    urllib.request.urlopen(
        urllib.request.Request(f"http://{endpoint}/moto-api/reset", method="POST"), timeout=10
    ).close()
    return Minio(endpoint, access_key="access", secret_key="secret", secure=False, region="us-east-1")


@pytest.fixture
def bucket(client, endpoint) -> Bucket:
    client.make_bucket("evidence", object_lock=True)
    found = bucket_at(f"s3://evidence/mingcha?endpoint=http://{endpoint}&retention_days=400", "access", "secret")
    assert found is not None
    return found


@pytest.fixture
def objects(bucket, tmp_path) -> S3Objects:
    return S3Objects(tmp_path, bucket)


def versions(client) -> list[str]:
    return [one.version_id for one in client.list_objects("evidence", recursive=True, include_version=True)]


def test_what_was_put_is_there_and_nowhere_else(objects, client):
    assert not objects.has("originals", NAME)
    assert objects.get("originals", NAME) is None
    objects.put("originals", NAME, CONTENT)
    assert objects.has("originals", NAME)
    assert objects.get("originals", NAME) == CONTENT
    assert not objects.has("renditions", NAME)
    keys = [one.object_name for one in client.list_objects("evidence", recursive=True)]
    assert keys == [f"mingcha/originals/{NAME.hex()[:2]}/{NAME.hex()}"]


def test_an_object_is_written_once_whoever_writes_again(objects, client):
    objects.put("originals", NAME, CONTENT)
    objects.put("originals", NAME, CONTENT)
    with pytest.raises(StoreUnavailable, match="something else"):
        objects.put("originals", NAME, b"other bytes under the same name")
    assert objects.get("originals", NAME) == CONTENT
    assert len(versions(client)) == 1


def test_a_copy_that_is_there_already_stays(objects, client):
    objects.put("renditions", NAME, b"first")
    objects.put("renditions", NAME, b"second")
    assert objects.get("renditions", NAME) == b"first"
    assert len(versions(client)) == 1


def test_originals_and_papers_are_locked_until_their_day_and_nobody_deletes_them(objects, client):
    for area in ("originals", "papers"):
        objects.put(area, NAME, CONTENT)
        key = f"mingcha/{area}/{NAME.hex()[:2]}/{NAME.hex()}"
        found = client.stat_object("evidence", key)
        version, told = found.version_id, found.metadata
        assert told["x-amz-object-lock-mode"] == "COMPLIANCE"
        until = datetime.fromisoformat(told["x-amz-object-lock-retain-until-date"])
        assert abs(until - datetime.now(UTC) - timedelta(days=400)) < timedelta(minutes=5)
        with pytest.raises(S3Error, match=r"AccessDenied|object protected|WORM"):
            client.remove_object("evidence", key, version_id=version)
        assert objects.get(area, NAME) == CONTENT
    objects.put("thumbnails", NAME, b"small")
    key = f"mingcha/thumbnails/{NAME.hex()[:2]}/{NAME.hex()}"
    client.remove_object("evidence", key, version_id=client.stat_object("evidence", key).version_id)
    assert not objects.has("thumbnails", NAME)  # a copy can be made again


def test_a_bucket_that_cannot_hold_evidence_takes_none(client, bucket, tmp_path):
    client.make_bucket("plain")
    for name in ("plain", "missing"):
        with pytest.raises(StoreUnavailable):
            S3Objects(tmp_path, replace(bucket, name=name)).put("originals", NAME, CONTENT)
    assert list(client.list_objects("plain", recursive=True)) == []


def test_a_store_that_is_away_is_said_and_never_taken_for_an_empty_one(bucket, tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        away = S3Objects(tmp_path, replace(bucket, endpoint=f"127.0.0.1:{closed.getsockname()[1]}"))
        for act in (
            lambda: away.has("originals", NAME),
            lambda: away.get("originals", NAME),
            lambda: away.put("originals", NAME, CONTENT),
        ):
            with pytest.raises(StoreUnavailable):
                act()


def test_an_original_that_came_back_changed_reaches_no_decoder(objects, client):
    client.put_object("evidence", f"mingcha/originals/{NAME.hex()[:2]}/{NAME.hex()}", _stream(b"changed"), 7)
    with pytest.raises(StoreUnavailable, match="not what its name says"), objects.at_hand("originals", NAME):
        pytest.fail("it was handed over")
    with pytest.raises(FileNotFoundError), objects.at_hand("renditions", NAME):
        pytest.fail("it was handed over")


def _stream(content: bytes):

    return io.BytesIO(content)


def test_a_photo_goes_through_intake_and_decoder_over_a_bucket(connection, objects):
    town = a_town(connection)
    content = a_jpeg(size=(1200, 900))
    kept = a_photo(connection, objects, town, a_check_in(connection, town).visit_id, content)
    assert objects.get("originals", kept.sha256) == content
    render(connection, objects, kept.sha256.hex(), NOW)
    judged = photo_hashed(connection, kept.sha256)
    assert judged is not None
    assert judged.verdict == "clean"
    assert objects.get("renditions", kept.sha256)[:3] == b"\xff\xd8\xff"
    assert objects.get("thumbnails", kept.sha256)[:3] == b"\xff\xd8\xff"


def test_a_bucket_that_is_away_refuses_the_photo_and_leaves_no_row(connection, bucket, tmp_path):
    town = a_town(connection)
    visit_id = a_check_in(connection, town).visit_id
    away = S3Objects(tmp_path, replace(bucket, endpoint="127.0.0.1:9"))
    with pytest.raises(Refused) as refused, connection.begin_nested():
        a_photo(connection, away, town, visit_id)
    assert refused.value.code == "photo_store_unavailable"
    assert photo_hashed(connection, hashed(a_jpeg())) is None


def test_the_settings_choose_the_store(bucket, tmp_path):
    facts = {
        "database_url": "",
        "redis_url": "",
        "secret_key": b"",
        "pepper": b"",
        "base_url": "",
        "data_dir": tmp_path,
    }
    settings = Settings(objects=tmp_path / "objects", **facts)
    assert type(open_objects(settings)) is Objects
    chosen = open_objects(replace(settings, bucket=bucket))
    assert isinstance(chosen, S3Objects)
    assert chosen.partial == tmp_path / "objects" / "partial"
