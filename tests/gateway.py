"""A gateway for tests, on this machine: it notes what it was sent and answers as it is told."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Reply = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Gateway:
    """Its address, what came (headers, body), and how it answers next: one reply a post, the last one for ever."""

    url: str
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def bodies(self) -> list[dict[str, str]]:
        return [json.loads(body) for _, body in self.came]


def answering(status: int, body: bytes = b"{}", **headers: str) -> Reply:
    """A whole answer."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return reply


@contextmanager
def a_gateway(*replies: Reply) -> Iterator[Gateway]:
    """The gateway, listening."""
    gateway = Gateway("", replies=list(replies) or [answering(200, b'{"id": "p-1"}')])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gateway.came.append((dict(self.headers), body))
            reply = gateway.replies[0] if len(gateway.replies) == 1 else gateway.replies.pop(0)
            reply(self)

        def do_GET(self) -> None:
            gateway.came.append(({"method": "GET"}, b"{}"))
            answering(200)(self)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    gateway.url = f"http://127.0.0.1:{server.server_port}/messages?office=1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield gateway
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
