"""Handing in an answer by the API, as the pages do it: for kiosks, call centres and load tests."""

from typing import Any

import orjson
from flask import request
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response

from api.actions.responses import Outcome
from api.auth import allow_anyone
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.entries import flattened
from api.services import services, utc_now
from survey_forms.refusal import Fault, Refused

blp = ApiBlueprint("responses", __name__, url_prefix=PREFIX, description="交卷 / handing in an answer")
blp.after_request(never_kept)

PATH = f"{PREFIX}/responses"
SETTLED = "mingcha.settled"
"""Where the lane (`lane.py`) leaves the exception that settling ended in, for the view to raise."""
LARGEST = 64 * 1024
_FIELDS: dict[str, type] = {"code": str, "answers": dict, "receipt": str}
_PLAIN = [{"type": ["string", "number"]}, {"type": "array", "items": {"type": "string"}}]
_ENTRY = {"type": "object", "additionalProperties": {"oneOf": _PLAIN}}
_ANSWER = {"oneOf": [*_PLAIN, {"type": "array", "items": _ENTRY}]}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": list(_FIELDS),
                "additionalProperties": False,
                "properties": {
                    "code": {"type": "string", "maxLength": 100, "description": "评议码 / the access code"},
                    "answers": {
                        "type": "object",
                        "additionalProperties": _ANSWER,
                        "description": "变量名 → 回答，与网页表单相同；重复组是对象的数组，一项一个；"
                        "排序题是按先后排列的数组；图片只能在网页上交 / "
                        "question name → answer, as a form sends it; a repeat is a list of objects, one an entry; a"
                        " rank lists the choices in order; pictures come by the pages only",
                    },
                    "receipt": {
                        "type": "string",
                        "pattern": "^[0-9A-Za-z_-]{20,64}$",
                        "description": "回执号：首次提交前随机生成，重试时不变 / drawn at random before the first try",
                    },
                },
            }
        }
    },
}


class AcceptedSchema(Schema):
    """What became of a submission."""

    receipt = fields.String(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(["accepted", "repeated"]))


@blp.route("/responses", methods=["POST"])
@allow_anyone
@told(
    "交卷",
    "Hands in the answers of one access code: 201 the first time, 200 for the same receipt again, 410 for a code that"
    " is unknown, spent or closed, 422 with every fault, 429 when too many codes have failed.",
    requestBody=_BODY,
    security=[],
)
@blp.response(201, AcceptedSchema())
@blp.alt_response(200, schema=AcceptedSchema(), description="repeated")
def hand_in() -> Response:
    """Hand in one answer; the code is the caller's only right, so no token is asked for."""
    settled: Exception | None = request.environ.get(SETTLED)
    if settled is not None:
        raise settled
    code, answers, receipt = read_submission(_body())
    outcome = services().answering.submit(code, answers, receipt, utc_now())
    return Response(told_outcome(receipt, outcome), 201 if outcome == "accepted" else 200, mimetype="application/json")


def told_outcome(receipt: str, outcome: Outcome) -> bytes:
    """What became of a submission, as its sender reads it."""
    return orjson.dumps({"receipt": receipt, "outcome": outcome})


def _body() -> bytes:
    """The body of this request.

    Raises:
        Refused: `body_too_large`, or none at all.
    """
    data = request.get_data(cache=False) if (request.content_length or 0) <= LARGEST else b""
    if not 0 < len(data) <= LARGEST:
        raise Refused("body_too_large" if request.content_length else "unreadable_request")
    return data


def read_submission(data: bytes) -> tuple[str, dict[str, Any], str]:
    """Code, answers and receipt of a body.

    Raises:
        Refused: no JSON, or each field that is missing, strange or of another type.
    """
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Refused("unreadable_request") from error
    if not isinstance(body, dict):
        raise Refused("invalid_fields", "body")
    wrong = [name for name, kind in _FIELDS.items() if not isinstance(body.get(name), kind)]
    wrong += sorted(name for name in body if name not in _FIELDS)[:20]
    if wrong:
        raise Refused.of(Fault("invalid_fields", name[:60]) for name in wrong)
    return body["code"], flattened(body["answers"]), body["receipt"]
