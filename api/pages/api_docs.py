"""`/api/docs`: the API as a page of our own, made from the OpenAPI document that /api/openapi.json serves."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from api.auth import allow_anyone
from api.pages.render import page, t

pages = Blueprint("api_docs", __name__)

DOCUMENT = "mingcha-openapi"
"""Where the API left its document (`api/http/mount.py`)."""

SEPARATOR = " / "
"""Between the Chinese and the English half of a description."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter or a field: its name, type in words, whether it is always there, and what it means."""

    name: str
    type: str
    required: bool
    words: str
    schema: str = ""  # the schema that it links to


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation as the page shows it."""

    id: str
    method: str
    path: str
    zh: str
    en: str
    roles: tuple[str, ...]  # empty: anyone
    parameters: tuple[Row, ...]
    body: tuple[Row, ...]
    answer: str  # type in words
    answer_schema: str


@pages.get("/api/docs")
@allow_anyone
def api_docs() -> Response:
    """Show every operation, its parameters and its answers. No foreign host, no script."""
    document: Json = current_app.extensions[DOCUMENT]
    operations: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method != "parameters":  # a path lists its own beside its operations
                shown = _operation(path, method, operation, methods.get("parameters", ()))
                operations.setdefault(operation["tags"][0], []).append(shown)
    families = [(half(tag["description"]), operations[tag["name"]]) for tag in document["tags"]]
    schemas = {name: _fields(schema) for name, schema in sorted(document["components"]["schemas"].items())}
    return page("api_docs.html", info=document["info"], families=families, schemas=schemas)


def half(words: str) -> str:
    """The reader's half of a description in both languages."""
    zh, found, en = words.partition(SEPARATOR)
    return t(zh, en) if found else words


def _operation(path: str, method: str, operation: Json, shared: Sequence[Json]) -> Operation:
    successes = [answer for status, answer in sorted(operation["responses"].items()) if status.startswith("2")]
    answer = next(iter(successes[0].get("content", {"—": {}}).items()))  # some say all in their headers
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    kind, schema = _type(answer[1].get("schema", {}))
    return Operation(
        id=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        zh=operation["summary"],
        en=operation["description"],
        roles=tuple(operation["x-roles"]),
        parameters=tuple(
            Row(one["name"], _type(one["schema"])[0], one.get("required", False), half(one.get("description", "")))
            for one in (*shared, *operation.get("parameters", ()))
        ),
        body=tuple(_fields(body)),
        answer=kind if answer[0] == "application/json" else answer[0],
        answer_schema=schema,
    )


def _fields(schema: Json) -> Iterator[Row]:
    required = schema.get("required", ())
    for name, one in schema.get("properties", {}).items():
        kind, linked = _type(one)
        yield Row(name, kind, name in required, half(one.get("description", "")), linked)


def _type(schema: Json) -> tuple[str, str]:
    """A schema's type in words, and the named schema in it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return name, name
    kind = schema.get("type", "")
    kinds = kind if isinstance(kind, list) else [kind]
    if "array" in kinds:
        inner, linked = _type(schema.get("items", {}))
        return f"{inner}[]", linked
    told = [str(one) for one in kinds if one]
    if "anyOf" in schema:
        inner_types = [_type(one) for one in schema["anyOf"]]
        return " | ".join(one for one, _ in inner_types), next((name for _, name in inner_types if name), "")
    return " | ".join(told) + (f" ({schema['format']})" if "format" in schema else ""), ""
