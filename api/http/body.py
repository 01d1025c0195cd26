"""A JSON body, read by the rules of the exchange format; hostile ones are refused before anything looks inside."""

from typing import Any

from flask import request

from survey_forms.refusal import Refused
from survey_forms.scoring.exchange import parse_document

LARGEST = 4 * 1024 * 1024
"""Bytes: ten thousand units of the largest scheme take 3 MB."""

DEEPEST = 32
"""Levels of nesting; the deepest scheme has six."""


def json_body() -> Any:
    """The parsed body of this request.

    Raises:
        Refused: too large, no JSON, a key that stands twice, nested too deeply.
    """
    if request.content_length is not None and request.content_length > LARGEST:
        raise Refused("body_too_large")
    data = request.get_data(cache=False)
    if len(data) > LARGEST:
        raise Refused("body_too_large")
    document = parse_document(data, "body")
    if depth_of(document) > DEEPEST:
        raise Refused("input_too_deep", "body")
    return document


def depth_of(document: Any) -> int:
    """Levels of nesting, counted without recursion and no further than one beyond `DEEPEST`."""
    depth, level = 0, [document]
    while level and depth <= DEEPEST:
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        nested = [one for one in level if isinstance(one, dict | list)]
        depth += bool(nested)
        level = [one for one in inner if isinstance(one, dict | list)]
    return depth
