"""Smaller answers for weak networks: respondent pages and static files go out as gzip where the phone takes it.

Staff pages do not: they carry a form token beside what others may have typed, and a compressed length can give
such a token away letter by letter (BREACH). Respondent pages hold no secret beside another person's words.
"""

import gzip

from flask import Flask, request
from werkzeug.wrappers import Response

OPEN = ("respondent.", "coercion.", "notice.", "phone.")
SMALLEST = 1024
LEVEL = 5
TEXTS = ("text/", "application/javascript", "image/svg+xml", "application/manifest+json")


def init_app(app: Flask) -> None:
    """Compress what may be compressed, after everything else has touched the response."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    endpoint = request.endpoint or ""
    may = endpoint.startswith(OPEN) or endpoint == "static" or endpoint.endswith(".static")
    if not may or not (response.mimetype or "").startswith(TEXTS):
        return response
    response.vary.add("Accept-Encoding")
    if response.status_code != 200 and endpoint == "static":
        return response
    if "Content-Encoding" in response.headers or request.accept_encodings["gzip"] <= 0:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) < SMALLEST:
        return response
    response.set_data(gzip.compress(body, LEVEL, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    tag, _ = response.get_etag()
    if tag is not None:
        response.set_etag(tag, weak=True)
    return response
