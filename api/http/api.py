"""The API's frame: flask-smorest documents and serializes, the house says no.

Refusals go the house's way (`api/pages/render.py`): one body for every error, headers of exceptions kept. JSON
bodies are read by `body.py`, which knows hostile ones.
"""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar, cast

import marshmallow as ma
from flask import Flask
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Api, Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.wrappers import Response

from api.http.schemas import ProblemSchema
from survey_forms.refusal import Fault, Refused

TITLE = "明察 Mingcha"
VERSION = "1"
PREFIX = "/api/v1"

DESCRIPTION = """\
政府绩效评估的结果与过程数据。统计局和考评办公室用令牌读取(由 mingcha token new 发给)。\
得分是十进制字符串,估计值是双精度数。人数不足的单元按同一规则在所有文件和接口中隐去。

Results and paradata of government performance evaluations. The statistics bureau and the evaluation office read with \
a token (issued by mingcha token new). Scores are decimal strings, estimates doubles. \
Cells with too few persons are hidden by one rule in every file and view.
"""


View = TypeVar("View", bound=Callable[..., Any])


class MingchaApi(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest without its error handler, its viewers and its pagination."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """None: the app's own handlers keep headers and speak two languages."""

    def _register_pagination_header(self) -> None:
        """None: lists are as long as an evaluation has units and groups."""

    def _register_doc_blueprint(self) -> None:
        """None: `docs.py` serves document and page, for those are routes that must name their callers too."""


class Parser(FlaskParser):
    """Reads the address's arguments; what is wrong with them is refused like everything else."""

    def handle_error(self, error: ma.ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Name every argument that is wrong.

        Raises:
            Refused: always.
        """
        messages: dict[str, dict[str, Any]] = error.normalized_messages()  # type: ignore[no-untyped-call]
        names = sorted({name for fields in messages.values() for name in fields})
        raise Refused.of([Fault("invalid_fields", name) for name in names])


class ApiBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A family of operations."""

    ARGUMENTS_PARSER = Parser()
    PAGINATION_HEADER_NAME = None

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register an operation and its documentation."""
        return cast("Callable[[View], View]", super().route(rule, **options))

    def arguments(self, schema: ma.Schema, **options: Any) -> Callable[[View], View]:
        """Read the operation's arguments by a schema."""
        return cast("Callable[[View], View]", super().arguments(schema, **options))

    def response(
        self, status_code: int, schema: ma.Schema | dict[str, Any] | None = None, **options: Any
    ) -> Callable[[View], View]:
        """Write the operation's answer by a schema; a plain one only documents it."""
        return cast("Callable[[View], View]", super().response(status_code, schema, **options))

    def alt_response(self, status_code: int, **options: Any) -> Callable[[View], View]:
        """Document another answer."""
        return cast("Callable[[View], View]", super().alt_response(status_code, **options))


def told(zh: str, en: str, **more: Any) -> Callable[[View], View]:
    """What an operation does, in both languages, for the document and the page of the API."""
    return cast("Callable[[View], View]", Blueprint.doc(summary=zh, description=en, **more))


def init_api(app: Flask) -> MingchaApi:
    """An API on this app, its operations still to be registered."""
    app.config.update(
        API_TITLE=TITLE,
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
            "security": [{"token": []}, {"session": []}],
            "components": {
                "securitySchemes": {
                    "token": {"type": "http", "scheme": "bearer", "description": "mingcha token new"},
                    "session": {"type": "apiKey", "in": "cookie", "name": "mc_staff"},
                }
            },
        },
    )
    if isinstance(app.json, DefaultJSONProvider):
        app.json.ensure_ascii = False  # Chinese stays readable in a terminal
    return MingchaApi(app)


def never_kept(response: Response) -> Response:
    """What the API answers is for the caller, now: no cache keeps it."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response
