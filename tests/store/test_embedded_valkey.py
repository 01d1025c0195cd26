"""The private Valkey: what was enqueued survives a crash, and a full disk of keys is an error, never a loss."""

from pathlib import Path

import pytest
import redis

from api.embedded.place import occupy
from api.embedded.valkey import EmbeddedValkey


def test_what_was_written_survives_a_clean_stop_and_kill_9(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        server = EmbeddedValkey(place)
        for end in (server.stop, server.kill):
            with redis.Redis.from_url(server.start()) as client:
                client.incr("starts")
            end()
        with redis.Redis.from_url(server.start()) as client:
            assert client.get("starts") == b"2"
        server.stop()


def test_a_full_server_refuses_instead_of_forgetting(valkey: EmbeddedValkey) -> None:
    with redis.Redis.from_url(valkey.url()) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_each_test_finds_the_shared_server_empty(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")


test_each_test_finds_the_shared_server_empty_again = test_each_test_finds_the_shared_server_empty


def test_a_stopped_server_is_told_at_once(tmp_path: Path) -> None:
    with occupy(tmp_path / "data") as place:
        server = EmbeddedValkey(place)
        url = server.start()
        server.stop()
        with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
            client.ping()
