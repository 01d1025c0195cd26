"""A body that must come whole: a phone that stops in the middle keeps no thread of the server, and nothing wrong.

The web server's reading blocks for as long as the phone says nothing, and cannot be interrupted. So whoever sends has
few readings at once, all senders together leave threads for everybody else, and a connection whose phone has gone out
of the network is given up by the kernel (`give_up_dead_phones`).
"""

import os
import socket
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from flask import request
from werkzeug.exceptions import HTTPException

from survey_forms.refusal import Refused

PATIENCE_SECONDS = 30.0
"""For a piece of 256 KiB that is 9 kB/s; what was kept before stays kept."""

MOST_AT_ONCE = 32  # a process has twice as many threads
MOST_OF_ONE = 4  # a phone sends one at a time, in one tab
CHUNK = 4096  # between two the clock is looked at
SILENT_SECONDS, PROBE_SECONDS, PROBES = 20, 5, 3

_reading: Counter[int] = Counter()
_lock = threading.Lock()


def whole_body(most: int, code: str, staff_id: int) -> bytes:
    """The request's body, exactly as long as its Content-Length says.

    Args:
        most: bytes; more is refused unread.
        code: the sentence for a body that is longer.
        staff_id: whose phone it is.

    Raises:
        Refused: `code`, `body_length_missing`, `body_cut`, `body_too_slow`, `bodies_too_many`.
    """
    length = request.content_length
    if length is None:
        raise Refused("body_length_missing")
    if length > most:
        raise Refused(code, most=most // 1024)
    give_up_dead_phones()
    found, until = bytearray(), time.monotonic() + PATIENCE_SECONDS
    with _one_of_few(staff_id), suppress(OSError, HTTPException):  # a connection that broke: too short
        while len(found) < length and (piece := request.stream.read(min(CHUNK, length - len(found)))):
            found.extend(piece)
            if time.monotonic() > until and len(found) < length:
                raise Refused("body_too_slow", seconds=int(PATIENCE_SECONDS))
    if len(found) != length:
        raise Refused("body_cut")
    return bytes(found)


@contextmanager
def _one_of_few(staff_id: int) -> Iterator[None]:
    with _lock:
        if _reading[staff_id] >= MOST_OF_ONE or _reading.total() >= MOST_AT_ONCE:
            raise Refused("bodies_too_many")
        _reading[staff_id] += 1
    try:
        yield
    finally:
        with _lock:
            _reading[staff_id] -= 1
            if not _reading[staff_id]:
                del _reading[staff_id]


@cache
def give_up_dead_phones() -> int:
    """Let the kernel ask silent connections whether anybody is there, and end those that do not answer; how many.

    A phone that leaves the network in the middle of a photo says no goodbye. The web server has no setting for it and
    switches it off when it begins to listen, so the first body does this, once a process: connections to come take
    the options of the listening socket (Linux, tcp(7)). Elsewhere nothing is done.
    """
    with suppress(OSError):
        return sum(_asks(int(entry.name)) for entry in Path("/proc/self/fd").iterdir())
    return 0


def _asks(descriptor: int) -> bool:
    with suppress(OSError):
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        with socket.socket(fileno=os.dup(descriptor)) as held:
            if held.family not in {socket.AF_INET, socket.AF_INET6}:
                return False
            held.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            held.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_SECONDS)
            held.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, PROBE_SECONDS)
            held.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES)
            return True
    return False
