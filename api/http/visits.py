"""A visit as a phone hands it in: kept once, and what is still missing until nothing is."""

from typing import Any

from flask import jsonify
from marshmallow import Schema, fields, validate
from werkzeug.wrappers import Response

from api.actions import settling, uploads
from api.auth import allow, current_staff
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.pieces import whole_body
from api.http.schemas import ToldSchema, means
from api.problems import say
from api.services import services, utc_now
from api.store.uploads import Upload
from survey_forms.refusal import Fault

blp = ApiBlueprint("visits", __name__, url_prefix=PREFIX, description="检查记录上传 / handing in visits")
blp.after_request(never_kept)

_TEXT, _UUID, _MS = {"type": "string"}, {"type": "string", "format": "uuid"}, {"type": "number"}
_PROPERTIES: dict[str, Any] = {
    "format": {"type": "integer", "const": 1},
    "visit": _UUID,
    "assignment": _UUID,
    "device": _UUID,
    "ticket": {"type": "object", "description": "出发前领到的凭据，原样带回 / the ticket of the bundle, as it came"},
    "created_at": _MS,
    "sent_at": {**_MS, "description": "手机时钟，每次重试可以不同 / the phone's clock, which differs between tries"},
    "events": {"type": "array", "items": _TEXT, "maxItems": uploads.MOST_EVENTS},
    "head": {**_TEXT, "description": "最后一个事件的 SHA-256 / SHA-256 of the last event"},
    "signature": {
        **_TEXT,
        "description": "手机密钥的签名（base64），见 docs/visits-api.md / the phone's: docs/visits-api.md",
    },
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["visit", "assignment", "device", "events"],
                "properties": _PROPERTIES,
            }
        }
    },
}


class VisitStateSchema(Schema):
    """What became of a visit. The phone may forget it once `missing` is empty."""

    visit = fields.UUID(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["waiting", "settled", "held"]))
    missing = fields.List(fields.String(), required=True, metadata=means("还缺的文件", "blobs still to come"))
    refused = fields.Dict(
        keys=fields.String(), values=fields.Nested(ToldSchema()), metadata=means("不能作佐证的文件", "no evidence, why")
    )
    problems = fields.List(fields.Nested(ToldSchema()), metadata=means("要办公室看的", "for the office to look at"))
    flags = fields.List(fields.Nested(ToldSchema()), metadata=means("要主管看的", "for a supervisor to look at"))
    receipt = fields.String(required=True, allow_none=True, metadata=means("签名回执", "signed receipt"))
    server_time = fields.Integer(required=True, metadata=means("毫秒", "milliseconds since 1970"))


@blp.route("/visits", methods=["POST"])
@allow("inspector")
@told(
    "上传一次检查",
    "Hands in a visit under an id that the phone drew: 201 the first time, 200 for the same content again, 409 for"
    " other content. Whatever is odd in it is kept and told. Photos follow by PUT /blobs; asked again after them, it"
    " is taken in. Nothing may be deleted on the phone before missing is empty. See docs/visits-api.md.",
    requestBody=_BODY,
)
@blp.response(201, VisitStateSchema())
@blp.alt_response(200, schema=VisitStateSchema(), description="the same again")
@blp.alt_response(409, description="other content under the same id")
def hand_in() -> Response:
    """Keep a visit, and take it in when nothing is missing."""
    sent = uploads.read_visit(whole_body(uploads.LARGEST_VISIT, "visit_too_large", current_staff().id))
    database, now = services().database, utc_now()
    with database.write() as connection:
        new = uploads.keep(connection, sent, current_staff().id, now)
    with database.write() as connection:
        upload = settling.settle(connection, services().objects, services().settings.secret_key, sent.id, now)
        response = _told(upload, uploads.missing_of(connection, upload), uploads.refused_of(connection, upload))
    response.status_code = 201 if new else 200
    return response


def _told(upload: Upload, missing: list[bytes], refused: dict[bytes, str]) -> Response:
    """What the phone reads."""
    problems = [Fault(one["code"], one["path"], one["facts"]) for one in upload.problems]
    clock = {"minutes": round(abs(upload.clock_offset_ms or 0) / 60_000)}
    response: Response = jsonify(
        visit=str(upload.id),
        status=upload.status,
        missing=[digest.hex() for digest in missing],
        refused={digest.hex(): _words(Fault(code)) for digest, code in refused.items()},
        problems=[_words(one) for one in problems],
        flags=[_words(Fault(code, "", clock)) for code in upload.flags],
        receipt=upload.receipt,
        server_time=round(utc_now().timestamp() * 1000),
    )
    return response


def _words(fault: Fault) -> dict[str, str]:
    return {"code": fault.code, "path": fault.path, "zh": say(fault, "zh"), "en": say(fault, "en")}
