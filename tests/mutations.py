"""Requests that no client of ours sends, made from ones that it does: seeded, so that a failure can be repeated.

A mutation knows the grammar it breaks (a body's encoding, a header, a path, JSON, multipart, a form's fields), for
random bytes alone die at the first check. One to three of them meet in a request.
"""

import io
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

URLENCODED = "application/x-www-form-urlencoded"
JSON_TYPE = "application/json"
BOUNDARY = "----mutation"

WORDS: tuple[str, ...] = (
    "", " ", "0", "-1", "1", "00", "+1", "1e400", "1e-400", "-0.0", "NaN", "Infinity", "9" * 400, "9" * 19,
    "2147483648", "９９", "٣", "²", "½", "1_000", "0x10", "1,5", "true", "null", "None", "[]", "{}", "\0", "a\0b",
    "\x7f",
    "\x1b[31m", "\r\nSet-Cookie: a=b", "\u2028", "\u202e", "\ufeff", "\ufffd", "\uffff", "\ud800", "\udfff\ud800",
    "𠮷",
    "👩‍👩‍👧", "é", "e\u0301" * 50, "中" * 3000, "x" * 70_000, "%", "%%", "%s%n", "%00", "%zz", "${7*7}",
    "{{7*7}}", "{0.__class__}",
    "' OR 1=1--", '"><script>alert(1)</script>', "../../etc/passwd", "..\\..", "/", "//evil.example", "javascript:1",
    "2015-02-30", "0000-00-00", "99999-01-01", "2015-06-30T25:61:61Z", "yes no", "a" * 2001, "=1+1", "a=b&c=d", "&;=",
)  # fmt: skip
DO: tuple[str, ...] = (
    "enter", "begin", "next", "back", "stay", "keep", "send", "leave", "forget", "add", "remove", "agree", "report",
)  # fmt: skip
FIELDS: tuple[str, ...] = (
    "do", "at", "then", "code", "receipt", "lang", "entry", "large", "kind", "words", "next", "username", "password",
    "people", "people.1.age", "people.2.age", "people.0.age", "people.99999999999.age", "people.-1.age", "police",
    "several", "order", "age", "hours", "day", "words2", "photo", "__class__", "police[]", "", "mc:unit",
)  # fmt: skip
HEADERS: dict[str, tuple[str, ...]] = {
    "Cookie": ("", ";", "=", "a", "mc_survey", "mc_survey=", "mc_survey=;mc_survey=", "mc_lang=xx", "mc_lang=\xff",
        "mc_large=" + "1" * 9000,
               'mc_survey="\\777"', "mc_staff=x", "mc_staff=" + "é" * 300, "$Version=1; a=b", "mc_evaluation=\x01",
               "=" * 5000),
    "Accept-Language": ("", "*", "zh;q=2", "en;q=nan", "ug", "ar-EG;q=0.9,*;q=0.1", "x" * 5000, ",,,;;;q=",
        "zh-Hant-TW-x-a", "\xff\xfe"),
    "Accept-Encoding": ("", "gzip;q=0", "gzip;q=nan", "gzip;q=-1", "br", "*;q=0", "identity;q=0,*;q=0", ";;;",
        "gzip" * 2000),
    "Accept": ("", "application/json", "*/*;q=x", "text/html;level=", "\xe9"),
    "Content-Type": ("", "/", ";", "text/plain", JSON_TYPE + ";charset=utf-16", JSON_TYPE + ";charset=nonesuch",
        URLENCODED + ";charset=utf-7",
                     "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\xff",
                     "multipart/form-data; boundary=" + "b" * 300,
                     "multipart/mixed; boundary=a", "application/json, text/html", "a" * 3000,
                     URLENCODED + "; charset=\0"),
    "Content-Length": ("", "-1", "0", "1", "999999999999999999999", "1e3", "0x10", "10, 10", "²", "+5", " 7",
        "27262977"),
    "Transfer-Encoding": ("chunked", "gzip, chunked", "identity", "\0"),
    "Content-Encoding": ("gzip", "deflate", "br", "x"),
    "Origin": ("null", "http://[", "http://[::1", "https://evil.example", "http://127.0.0.1", "//",
        "http://a:99999999", "\xff"),
    "Sec-Fetch-Site": ("cross-site", "same-origin", "none", "", "x"),
    "Sec-Fetch-Mode": ("navigate", "cors", "no-cors", ""),
    "Host": ("", "[", "[::1", "evil.example", "127.0.0.1:99999", "a:b:c", "a b", "\xe9.example", "a" * 300,
        "127.0.0.1:-1", "xn--\x00"),
    "X-Forwarded-For": ("::1", "127.0.0.1" * 500, "\xff"),
    "X-Forwarded-Host": ("[", "evil.example"),
    "Authorization": ("", "Bearer", "Bearer ", "Bearer \xff", "Bearer " + "x" * 9000, "Basic !!!", "Basic Og==",
        "Digest a", "Negotiate"),
    "If-None-Match": ("*", '"', 'W/"', '"a", "b', "\xff"),
    "If-Modified-Since": ("yesterday", "Mon, 99 Feb 99999 25:61:61 GMT", "-1", "Thu, 01 Jan 1 00:00:00 GMT"),
    "If-Range": ('"x"', "x"),
    "Range": ("bytes=", "bytes=0-0", "bytes=-1", "bytes=5-1", "bytes=0-999999999999999999999", "bytes=a-b",
        "items=0-1", "bytes=0-1,3-4"),
    "Referer": ("", "http://[", "\xff" * 100, "javascript:1"),
    "User-Agent": ("", "\xff", "MicroMessenger" * 500),
    "Expect": ("100-continue", "x"),
    "X-Form-Token": ("", "\xff", "a" * 1000),
    "X-Requested-With": ("XMLHttpRequest", ""),
    "Forwarded": ("for=[", "host="),
    "X-HTTP-Method-Override": ("DELETE", "\xff"),
}  # fmt: skip
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "get", "FOO", "\xff")
PATH_PARTS = (
    "", "/", "//", "/.", "/..", "/%2e%2e/", "/%00", "%", "%zz", "%ff", "%c0%ae", "/%E4%B8%AD", ";a=b",
    "/" + "a" * 5000, "/1",
    "/-1", "/99999999999999999999999", "/0", "\\", "/%2f", ".json", ".txt", "/%0d%0aX:1", "%20", "/~",
    "/static/../app.py",
)  # fmt: skip


@dataclass(slots=True)
class Sent:
    """A request as it goes over the wire, but for its framing."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def environ(self) -> dict[str, Any]:
        """As a WSGI server hands it on (PEP 3333): bytes as Latin-1 text."""
        names = {name.upper().replace("-", "_"): value for name, value in self.headers.items()}
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(self.path).decode("latin-1"),
            "QUERY_STRING": self.query.encode("utf-8", "surrogatepass").decode("latin-1"),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if name in names:
                environ[name] = names.pop(name)
        environ.setdefault("CONTENT_LENGTH", str(len(self.body)))
        return environ | {f"HTTP_{name}": value for name, value in names.items()}


def form(fields: Sequence[tuple[str, str]]) -> bytes:
    """Fields as a browser without pictures sends them; what UTF-8 cannot say goes as its three bytes."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in fields).encode()


def _quoted(text: str) -> str:
    return quote_plus(text.encode("utf-8", "surrogatepass"))


def multipart(fields: Sequence[tuple[str, str]], file: bytes | None, chance: Random) -> bytes:
    """Fields and perhaps a picture as a browser sends them, or nearly so."""
    parts = []
    for name, value in fields:
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode("utf-8", "surrogatepass"))
        parts.append(value.encode("utf-8", "surrogatepass"))
    if file is not None:
        name = chance.choice(("photo", "words", "", "people.1.photo", "\xff" * 40))
        told = chance.choice(
            ('filename="a.jpg"', 'filename=""', "filename=\0", 'filename="../../a"', "filename*=utf-7''%zz")
        )
        kind = chance.choice(("image/jpeg", "image/svg+xml", "", "a" * 900))
        parts.append(f'Content-Disposition: form-data; name="{name}"; {told}\r\nContent-Type: {kind}\r\n\r\n'.encode())
        parts.append(file)
    lines = [
        f"--{BOUNDARY}\r\n".encode() + head + body + b"\r\n" for head, body in zip(*[iter(parts)] * 2, strict=True)
    ]
    return b"".join(lines) + f"--{BOUNDARY}--\r\n".encode()


def strange_json(chance: Random, depth: int = 0) -> Any:
    """A value that JSON can hold and no submission should."""
    kind = chance.randrange(10 if depth < 4 else 6)
    if kind < 3:
        return chance.choice(WORDS)
    if kind < 6:
        return chance.choice((None, True, False, 0, -1, 2**63, 10**400, 0.1, 1e308, 5e-324, 1.5))
    if kind < 8:
        return [strange_json(chance, depth + 1) for _ in range(chance.randrange(5))]
    return {chance.choice(FIELDS + WORDS[:60]): strange_json(chance, depth + 1) for _ in range(chance.randrange(5))}


def _broken_json(body: bytes, chance: Random) -> bytes:
    deep = chance.choice((50, 1000, 30_000))
    return chance.choice(
        (
            body[: chance.randrange(len(body) + 1)],
            b"[" * deep + b"]" * deep,
            b'{"answers":' * deep,
            body.replace(b'"', b"'"),
            b"\xef\xbb\xbf" + body,
            body.decode("utf-8", "replace").encode("utf-16"),
            body + body,
            body.replace(b"}", b',"code":1}', 1),
            body.replace(b"5", b"1" * 5000, 1),
            body.replace(b"5", b"\\ud800", 1),
            body.replace(b"e", b"\xff", 1),
            b"NaN",
            b"-",
            b'"\\u0000"',
        )
    )


def _changed_body(sent: Sent, chance: Random) -> None:
    """The body in the grammar that its kind has."""
    kind = sent.headers.get("Content-Type", "")
    if kind.startswith(JSON_TYPE):
        try:
            value = json.loads(sent.body)
        except (ValueError, RecursionError):  # what an earlier change has broken
            value = {}
        if isinstance(value, dict) and chance.random() < 0.7:
            at = chance.choice((*value, "answers", "more"))
            if at == "answers" and chance.random() < 0.7 and isinstance(value.get("answers"), dict):
                value["answers"][chance.choice((*value["answers"], *FIELDS))] = strange_json(chance)
            else:
                value[at] = strange_json(chance)
            sent.body = json.dumps(value).encode()
        else:
            sent.body = _broken_json(sent.body, chance)
        return
    fields = [(chance.choice(FIELDS), chance.choice(WORDS)) for _ in range(chance.choice((0, 1, 2, 5, 300)))]
    fields.insert(0, ("do", chance.choice((*DO, chance.choice(WORDS)))))
    if chance.random() < 0.4:
        file = chance.choice((None, b"", b"\xff\xd8\xff\xe0" + bytes(60), b"GIF89a", bytes(chance.randrange(3000))))
        sent.headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        sent.body = multipart(fields, file, chance)
        if chance.random() < 0.4:
            sent.body = chance.choice((sent.body[:-8], sent.body.replace(b"\r\n", b"\n"), sent.body[9:], sent.body * 2))
    else:
        sent.body = chance.choice((b"", sent.body + b"&")) + form(fields)


def _cut_bytes(sent: Sent, chance: Random) -> None:
    at = chance.randrange(len(sent.body) + 1)
    sent.body = (
        sent.body[:at] + chance.choice((b"", chance.randbytes(8), b"\0", b"%", b"&" * 3000)) + sent.body[at + 1 :]
    )


def _changed_header(sent: Sent, chance: Random) -> None:
    name = chance.choice(tuple(HEADERS))
    sent.headers[name] = chance.choice(HEADERS[name])


def _changed_cookie(sent: Sent, chance: Random) -> None:
    held = sent.headers.get("Cookie", "mc_survey=AAAA")
    at = chance.randrange(len(held) + 1)
    sent.headers["Cookie"] = held[:at] + chance.choice(("", "A", "é", ";", "\x01", "=" * 300)) + held[at + 1 :]


def _changed_query(sent: Sent, chance: Random) -> None:
    pairs = [
        f"{_quoted(chance.choice(FIELDS))}={_quoted(chance.choice(WORDS[:60]))}" for _ in range(chance.randrange(4))
    ]
    sent.query = chance.choice(
        ("&".join(pairs), "at=" + _quoted(chance.choice(WORDS)), "lang=%ff", "%", "&&&=", "?" * 900, "a[]=1;b")
    )


def _changed_path(sent: Sent, chance: Random) -> None:
    sent.path = chance.choice(("", sent.path, sent.path)) + chance.choice(PATH_PARTS)


def _changed_method(sent: Sent, chance: Random) -> None:
    sent.method = chance.choice(METHODS)


MUTATIONS: tuple[Callable[[Sent, Random], None], ...] = (
    *(_changed_body,) * 6, _cut_bytes, *(_changed_header,) * 4, *(_changed_cookie,) * 2, *(_changed_query,) * 2,
    _changed_path, _changed_method,
)  # fmt: skip


def mutated(sent: Sent, chance: Random) -> Sent:
    """A copy with one to three changes."""
    made = Sent(sent.method, sent.path, sent.query, dict(sent.headers), sent.body)
    for _ in range(chance.choice((1, 1, 2, 3))):
        chance.choice(MUTATIONS)(made, chance)
    return made
