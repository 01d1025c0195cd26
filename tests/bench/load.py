"""A small, fast HTTP load generator: prepared requests over keep-alive connections, one process, one selector.

It costs some tens of microseconds a request, so that on two cores it is the server that is measured.
"""

import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Run:
    """What a run saw: seconds, latencies in milliseconds, and answers by status."""

    seconds: float
    latencies: list[float]
    statuses: dict[int, int]

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def rate(self) -> float:
        return len(self.latencies) / self.seconds


@dataclass(slots=True)
class _Line:
    sock: socket.socket
    sent: float = 0.0
    buffer: bytes = b""


def request(path: str, body: bytes, host: str, content_type: str = "application/json") -> bytes:
    """A POST as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(port: int, requests: Sequence[bytes], connections: int, per_second: float | None = None) -> Run:
    """Send all requests over so many connections; `per_second` paces them, otherwise as fast as answers come."""
    waiting = deque(requests)
    selector = selectors.DefaultSelector()
    idle: deque[_Line] = deque()
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = _Line(sock)
        selector.register(sock, selectors.EVENT_READ, line)
        idle.append(line)
    latencies: list[float] = []
    statuses: dict[int, int] = {}
    began = time.perf_counter()
    sent = 0
    total = len(waiting)
    while len(latencies) < total:
        now = time.perf_counter()
        allowed = total if per_second is None else int((now - began) * per_second) + 1
        while idle and waiting and sent < allowed:
            line = idle.popleft()
            # Paced requests count from when they were due: a server that makes the line wait pays for it.
            line.sent = now if per_second is None else began + sent / per_second
            line.sock.sendall(waiting.popleft())
            sent += 1
        ready = selector.select(0.001 if per_second else 10.0)
        if not ready and not per_second:
            raise TimeoutError(f"no answer for 10 s after {len(latencies)} of {total}")
        for key, _ in ready:
            line = key.data
            chunk = line.sock.recv(65536)
            if not chunk:
                raise ConnectionError("the server closed a connection")
            line.buffer += chunk
            head, separator, rest = line.buffer.partition(b"\r\n\r\n")
            if not separator:
                continue
            lower = head.lower()
            start = lower.index(b"content-length:") + 15
            end = lower.find(b"\r\n", start)
            if len(rest) < int(lower[start : end if end >= 0 else None]):
                continue
            latencies.append((time.perf_counter() - line.sent) * 1000)
            status = int(head[9:12])
            statuses[status] = statuses.get(status, 0) + 1
            line.buffer = b""
            idle.append(line)
    seconds = time.perf_counter() - began
    for key in list(selector.get_map().values()):
        key.data.sock.close()
    selector.close()
    return Run(seconds, latencies, statuses)
