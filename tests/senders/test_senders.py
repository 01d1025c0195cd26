"""The ways out for messages: signed, bounded in time and size, never led elsewhere, silent about what they carry."""

import hmac
import json
import stat
import time
from hashlib import sha256
from pathlib import Path

import pytest

from api.config import Settings
from api.senders import http_sender
from api.senders.choose import sender_of
from api.senders.file_sender import FileSender
from api.senders.http_sender import HttpSender
from api.senders.sender import NotSentError, Outgoing, UndeliverableError
from tests.gateway import a_gateway, answering

KEY = b"a key that the gateway shares, of thirty-two bytes"
MESSAGE = Outgoing("mingcha-7-1763800000", "sms", "13812345678", "评议码 9MK6-DNHP-M4Q")


def refusal(sender, message=MESSAGE):
    with pytest.raises(NotSentError) as caught:
        sender.send(message)
    return caught.value


class TestHttp:
    def test_the_gateway_gets_one_signed_post_and_its_number_comes_back(self):
        with a_gateway(answering(202, b'{"id": "smsc-42"}')) as gateway:
            assert HttpSender(gateway.url, KEY, lambda: 1_763_800_000.9).send(MESSAGE) == "smsc-42"
        ((headers, body),) = gateway.came
        assert json.loads(body) == {
            "id": MESSAGE.id, "channel": "sms", "to": "13812345678", "text": "评议码 9MK6-DNHP-M4Q"
        }  # fmt: skip
        assert headers["Idempotency-Key"] == MESSAGE.id
        assert headers["X-Mingcha-Timestamp"] == "1763800000"
        signed = hmac.new(KEY, b"1763800000." + body, sha256).hexdigest()
        assert headers["X-Mingcha-Signature"] == f"sha256={signed}"

    @pytest.mark.parametrize(
        "body", [b"", b"ok", b"[]", b'{"id": null}', b'{"id": "' + b"x" * 300 + b'"}', b'{"id": "a\\nb"}']
    )
    def test_a_number_that_cannot_be_kept_is_none_and_the_message_has_gone(self, body):
        with a_gateway(answering(200, body)) as gateway:
            number = HttpSender(gateway.url, KEY).send(MESSAGE)
        assert number == ""

    @pytest.mark.parametrize("status", [401, 403, 408, 409, 429, 500, 502, 503])
    def test_a_gateway_in_trouble_is_tried_again(self, status):
        with a_gateway(answering(status)) as gateway:
            error = refusal(HttpSender(gateway.url, KEY))
        assert not isinstance(error, UndeliverableError)
        assert error.code == f"gateway_{status}"

    @pytest.mark.parametrize("status", [400, 404, 410, 413, 422])
    def test_a_message_that_it_will_never_take_is_not(self, status):
        with a_gateway(answering(status)) as gateway:
            assert isinstance(refusal(HttpSender(gateway.url, KEY)), UndeliverableError)

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_followed_nowhere(self, status):
        with a_gateway() as elsewhere, a_gateway(answering(status, b"", Location=elsewhere.url)) as gateway:
            assert refusal(HttpSender(gateway.url, KEY)).code == f"gateway_{status}"
        assert elsewhere.came == []

    def test_nobody_there_is_a_reason_to_try_again(self):
        with a_gateway() as gateway:
            pass
        assert refusal(HttpSender(gateway.url, KEY)).code == "gateway_away_ConnectionRefusedError"

    def test_an_answer_drop_by_drop_ends_in_time(self, monkeypatch):
        monkeypatch.setattr(http_sender, "PATIENCE_SECONDS", 0.6)

        def drip(handler):
            handler.send_response(200)
            handler.send_header("Content-Length", "1000")
            handler.end_headers()
            for _ in range(60):
                try:
                    handler.wfile.write(b"x")
                    handler.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)

        with a_gateway(drip) as gateway:
            began = time.monotonic()
            assert HttpSender(gateway.url, KEY).send(MESSAGE) == ""  # taken: its first line said so
            assert time.monotonic() - began < 3

    def test_headers_drop_by_drop_end_in_time(self, monkeypatch):
        monkeypatch.setattr(http_sender, "PATIENCE_SECONDS", 0.6)

        def drip(handler):
            for letter in "HTTP/1.1 200 OK\r\n" + "X-A: " + "b" * 60:
                try:
                    handler.wfile.write(letter.encode())
                    handler.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)

        with a_gateway(drip) as gateway:
            began = time.monotonic()
            assert refusal(HttpSender(gateway.url, KEY)).code.startswith("gateway_away_")
            assert time.monotonic() - began < 3

    def test_an_endless_answer_is_cut(self):
        def flood(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(1000):
                try:
                    handler.wfile.write(b"x" * 8192)
                except OSError:
                    return

        with a_gateway(flood) as gateway:
            began = time.monotonic()
            assert HttpSender(gateway.url, KEY).send(MESSAGE) == ""
            assert time.monotonic() - began < 3

    def test_what_is_no_http_is_a_reason_to_try_again(self):
        with a_gateway(lambda handler: handler.wfile.write(b"220 smtp ready\r\n")) as gateway:
            assert refusal(HttpSender(gateway.url, KEY)).code.startswith("gateway_away_")

    @pytest.mark.parametrize(
        "url", ["http://gateway.example/x", "ftp://127.0.0.1/x", "https://u:p@h.example/", "https:///x", "https://h/#x"]
    )
    def test_an_unfit_address_is_refused_before_anything_is_sent(self, url):
        with pytest.raises(ValueError, match="gateway"):
            HttpSender(url, KEY)

    def test_no_failure_says_a_word_of_the_message(self):
        with a_gateway(answering(500, b"cannot reach 13812345678")) as gateway:
            error = refusal(HttpSender(gateway.url, KEY))
        for secret in ("13812345678", "9MK6", "评议码"):
            assert secret not in f"{error!r} {error} {error.__cause__!r} {MESSAGE!r}"


class TestFile:
    def test_each_message_is_a_line_that_only_the_service_may_read(self, tmp_path):
        path = tmp_path / "out" / "notices.jsonl"
        sender = FileSender(path)
        for number in range(3):
            assert sender.send(Outgoing(f"m-{number}", "mail", "li@xm.gov.cn", "行一\n行二")) == ""
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert [line["id"] for line in lines] == ["m-0", "m-1", "m-2"]
        assert lines[0] == {"id": "m-0", "channel": "mail", "to": "li@xm.gov.cn", "text": "行一\n行二"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_link_to_another_file_is_not_followed(self, tmp_path):
        (tmp_path / "notices.jsonl").symlink_to(tmp_path / "elsewhere")
        assert refusal(FileSender(tmp_path / "notices.jsonl")).code == "file_unwritable"
        assert not (tmp_path / "elsewhere").exists()

    def test_a_full_disk_is_a_reason_to_try_again(self):
        assert refusal(FileSender(Path("/dev/full"))).code == "file_unwritable"


def test_the_settings_choose(settings: Settings, tmp_path):
    assert isinstance(sender_of(settings), FileSender)
    assert sender_of(settings).send(MESSAGE) == ""
    assert (tmp_path / "notices.jsonl").exists()
