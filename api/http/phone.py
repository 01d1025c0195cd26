"""What an inspector's phone takes along, and the key that its receipts are checked with."""

from hashlib import sha256

import orjson
from flask import jsonify, request
from marshmallow import Schema, fields
from werkzeug.wrappers import Response

from api.actions.assignments import open_due
from api.actions.bundle import bundle
from api.actions.receipts import receipt_key
from api.auth import allow, allow_anyone, current_staff
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.schemas import means
from api.services import services, utc_now

blp = ApiBlueprint("phone_api", __name__, url_prefix=PREFIX, description="检查员的手机 / the inspector's phone")
blp.after_request(never_kept)


class BundleSchema(Schema):
    """Everything for days offline."""

    server_time = fields.Integer(required=True, metadata=means("服务器时钟，毫秒", "our clock, milliseconds"))
    inspector = fields.Dict(required=True)
    evaluations = fields.List(fields.Dict(), required=True, metadata=means("考评与扣分目录", "with their catalogues"))
    assignments = fields.List(fields.Dict(), required=True, metadata=means("已开封的任务", "whose morning has come"))
    sealed = fields.List(fields.Date(), required=True, metadata=means("还有未开封任务的日期", "days still sealed"))
    forms = fields.Dict(required=True, metadata=means("检查表，按版本", "checklists by version"))
    waiting = fields.List(fields.UUID(), required=True, metadata=means("还缺照片的检查", "visits that miss blobs"))
    receipt_key = fields.String(required=True, metadata=means("回执公钥", "public key of receipts"))


class KeySchema(Schema):
    """The public key of receipts."""

    algorithm = fields.String(required=True)
    key = fields.String(required=True, metadata=means("32 字节，base64", "32 bytes in base64"))


@blp.route("/phone/bundle", methods=["GET"])
@allow("inspector")
@told(
    "离线资料包", "Assignments whose morning has come, their tickets, sites, catalogues and checklists; ETag and 304."
)
@blp.response(200, BundleSchema())
@blp.alt_response(304, description="unchanged")
def take_along() -> Response:
    """Give the caller's bundle."""
    now, known = utc_now(), services()
    with known.database.write() as connection:
        open_due(connection, known.settings.secret_key, now)
        facts = bundle(connection, known.settings.secret_key, current_staff(), now)
    etag = sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
    response: Response = jsonify(server_time=round(now.timestamp() * 1000), **facts)
    response.set_etag(etag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


@blp.route("/receipts/key", methods=["GET"])
@allow_anyone
@told("回执公钥", "The public key of receipts, for mingcha receipt verify or any Ed25519 library.", security=[])
@blp.response(200, KeySchema())
def key() -> Response:
    """Show the public key."""
    return jsonify(algorithm="Ed25519", key=receipt_key(services().settings.secret_key))
