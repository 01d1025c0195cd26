"""The short way in for an answer handed in by the API: past Flask, whose part of the work is ten times the rest.

Only plain requests take it: whoever sends a cookie, a token, an origin or an address with arguments wants something
of the whole application, and gets it. So does every refusal: what was settled here is told there, in one place.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response

from api.actions.answering import Answering
from api.http.responses import LARGEST, PATH, SETTLED, read_submission, told_outcome
from api.services import KEY, Services, utc_now

NOT_PLAIN = frozenset(
    {
        "HTTP_AUTHORIZATION",
        "HTTP_COOKIE",
        "HTTP_ORIGIN",
        "HTTP_SEC_FETCH_SITE",
        "HTTP_TRANSFER_ENCODING",  # its length is not known
    }
)
# Flask meets any other name with an exception before anybody can handle it.
HOST = re.compile(r"(?:[\w-]{1,63}(?:\.[\w-]{1,63}){0,20}\.?|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?", re.ASCII)
NO_HOST = "invalid"  # RFC 2606: nobody's name, so no page's origin is this host
STATUSES = {"accepted": "201 CREATED", "repeated": "200 OK"}

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]


class Lane:
    """Answers plain submissions, and hands everything else on."""

    def __init__(self, onward: Wsgi, answering: Answering, headers: list[tuple[str, str]]) -> None:
        self._onward, self._answering, self._headers = onward, answering, headers

    def __call__(self, environ: Environ, start: StartResponse) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        if environ["PATH_INFO"] != PATH or not is_plain(environ):
            if not HOST.fullmatch(environ.get("HTTP_HOST", NO_HOST)):
                environ["HTTP_HOST"] = NO_HOST
            return self._onward(environ, start)
        try:
            code, answers, receipt = read_submission(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            outcome = self._answering.submit(code, answers, receipt, utc_now())
        except Exception as error:  # noqa: BLE001 - the view raises it, where all refusals and failures are told
            environ |= {SETTLED: error, "HTTP_HOST": NO_HOST}  # what is left to do has no use for the host
            return self._onward(environ, start)
        body = told_outcome(receipt, outcome)
        start(STATUSES[outcome], [*self._headers, ("Content-Length", str(len(body)))])
        return [body]


def is_plain(environ: Environ) -> bool:
    """A POST of a body of known and modest length, and nothing that the application would have to look at."""
    length = environ.get("CONTENT_LENGTH") or ""
    return (
        environ["REQUEST_METHOD"] == "POST"
        and not environ.get("QUERY_STRING")
        and NOT_PLAIN.isdisjoint(environ)
        and length.isdecimal()
        and len(length) < 7
        and 0 < int(length) <= LARGEST
    )


def init_app(app: Flask) -> None:
    """Put the lane before an app whose routes and headers are complete."""
    with app.test_request_context(PATH, method="POST"):
        answer = app.process_response(Response(mimetype="application/json"))
    headers = [(name, value) for name, value in answer.headers if name != "Content-Length"]
    known: Services = app.extensions[KEY]
    app.wsgi_app = Lane(app.wsgi_app, known.answering, headers)  # type: ignore[method-assign,assignment]  # Flask documents it
