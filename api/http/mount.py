"""The API on an app: its operations, its document, and the health of the process."""

import re
from typing import Any

from flask import Blueprint, Flask, current_app, jsonify
from werkzeug.wrappers import Response

from api.auth import allow_anyone, allowed_roles
from api.http import (
    blobs,
    files,
    health,
    ledger,
    method_files,
    methods,
    phone,
    responses,
    results,
    visits,
    what_if,
)
from api.http.api import init_api

DOCUMENT = "mingcha-openapi"

pages = Blueprint("openapi", __name__)


def init_app(app: Flask) -> None:
    """Register everything below /api, and /healthz."""
    api = init_api(app)
    for family in (results, files, methods, method_files, what_if, responses, phone, visits, blobs, ledger):
        api.register_blueprint(family.blp)
    app.extensions[DOCUMENT] = with_callers(app, api.spec.to_dict())
    app.register_blueprint(pages)
    app.register_blueprint(health.pages)


def with_callers(app: Flask, document: dict[str, Any]) -> dict[str, Any]:
    """The document with the roles that may call each operation (`x-roles`), from the views' own declarations."""
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for method, operation in document["paths"].get(path, {}).items():
            if method != "parameters":  # a path lists its own beside its operations
                operation["x-roles"] = sorted(allowed_roles(app, rule.endpoint, method.upper()) or ())
    return document


@pages.get("/api/openapi.json")
@allow_anyone
def openapi() -> Response:
    """Show the OpenAPI 3.1 document; it tells shapes, and nothing of anybody."""
    response: Response = jsonify(current_app.extensions[DOCUMENT])
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
