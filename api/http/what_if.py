"""Scoring a document that the caller brings: for "what if", and for checking a published figure."""

from flask import Response, jsonify

from api.auth import allow
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.body import json_body
from api.http.results import READERS
from survey_forms.scoring.compute import score

blp = ApiBlueprint("score", __name__, url_prefix=PREFIX, description="试算与复算 / scoring a document")
blp.after_request(never_kept)

_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["scheme", "units"],
                "additionalProperties": False,
                "properties": {
                    "scheme": {"type": "string", "description": "考评方案编号 / id of the scheme"},
                    "supplied": {"type": "object", "description": "文件未规定的数值 / values that it leaves out"},
                    "units": {"type": "array", "items": {"type": "object"}, "description": "单位 / units"},
                },
            }
        }
    },
}


@blp.route("/score", methods=["POST"])
@allow(*READERS)
@told(
    "试算一份输入",
    "Composites, grades, ranks and consequences of a document in the exchange format, with the trace of each unit."
    " Nothing is stored. The same as mingcha score --trace.",
    requestBody=_BODY,
)
@blp.response(200, {"type": "object"})
def score_document() -> Response:
    """Score a document."""
    return jsonify(score(json_body(), trace=True))
