"""Photos and signatures by their SHA-256, in pieces: how far are you, and here is the next one."""

from typing import Any, NoReturn

from flask import after_this_request, request
from werkzeug.wrappers import Response

from api.actions.blobs import LARGEST_PIECE, Partial, Piece, check_piece, held, keep_piece, kept_so_far, take_in
from api.auth import allow, current_staff
from api.http.api import PREFIX, ApiBlueprint, never_kept, told
from api.http.pieces import whole_body
from api.services import services, utc_now
from survey_forms.refusal import Refused

blp = ApiBlueprint(
    "blobs", __name__, url_prefix=PREFIX, description="照片和签名分块上传 / photos and signatures in pieces"
)
blp.after_request(never_kept)

_OFFSET = {"Upload-Offset": {"description": "已收到的字节数 / bytes kept so far", "schema": {"type": "integer"}}}
_COMPLETE = {"Upload-Complete": {"description": "?1: 已收全 / whole", "schema": {"type": "string"}}}
_PIECE: list[dict[str, Any]] = [
    {"in": "header", "name": name, "required": True, "schema": {"type": "integer", "minimum": 0}, "description": what}
    for name, what in (
        ("Upload-Offset", "这一块从第几个字节开始 / where the piece begins"),
        ("Upload-Length", "整个文件的字节数 / bytes of the whole file"),
    )
]
_BODY = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}


@blp.route("/blobs/<digest>", methods=["HEAD"])
@allow("inspector")
@told("查询已收到多少字节", "How many bytes of a blob are kept: 0 of one that nobody has begun.")
@blp.response(200, headers=_OFFSET | _COMPLETE, description="how far it is")
def look(digest: str) -> Response:
    """Tell how far an upload is."""
    key = _key(digest)
    with services().database.read() as connection:
        size, complete = kept_so_far(connection, services().objects, current_staff().id, key)
    return _answer(200, size, complete=complete)


@blp.route("/blobs/<digest>", methods=["PUT"])
@allow("inspector")
@told(
    "上传一块",
    "Keeps the next piece of at most 1 MiB: 204 with the new offset once it is on disk; 409 with the right offset when"
    " the piece begins elsewhere; 422 when the whole is not what its hash says (it begins at 0 again then); 507 when"
    " the disk is full, with nothing lost. A blob that is whole already is 204.",
    parameters=_PIECE,
    requestBody=_BODY,
)
@blp.response(204, headers=_OFFSET | _COMPLETE, description="kept")
@blp.alt_response(409, description="not that offset", headers=_OFFSET)
def put(digest: str) -> Response:
    """Take one piece."""
    piece = Piece(_key(digest), _number("Upload-Offset"), _number("Upload-Length"), _body())
    check_piece(piece)
    with held(services().objects, current_staff().id, piece.sha256) as partial:
        return _taken(partial, piece, current_staff().id)


def _taken(partial: Partial, piece: Piece, staff_id: int) -> Response:
    """The piece, if it begins where the bytes before it end."""
    with services().database.read() as connection:
        size, complete = kept_so_far(connection, services().objects, staff_id, piece.sha256)
    if complete:
        return _answer(204, size, complete=True)
    if piece.offset != partial.size:
        _refuse("upload_offset_differs", partial.size)
    if piece.offset + len(piece.content) < piece.length:
        return _answer(204, keep_piece(partial, piece), complete=False)
    with services().database.write() as connection:
        right = take_in(connection, services().objects, partial, piece, staff_id, utc_now())
    partial.drop()
    if not right:
        _refuse("blob_hash_differs", 0)
    return _answer(204, piece.length, complete=True)


def _refuse(code: str, offset: int) -> NoReturn:
    """Say no, and from where to go on."""

    @after_this_request
    def tell(response: Response) -> Response:
        response.headers["Upload-Offset"] = str(offset)
        return response

    raise Refused(code, "Upload-Offset", offset=offset)


def _answer(status: int, size: int, *, complete: bool) -> Response:
    headers = {"Upload-Offset": str(size), "Upload-Complete": "?1" if complete else "?0"}
    return Response(status=status, headers=headers)


def _key(digest: str) -> bytes:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise Refused("not_found")
    return bytes.fromhex(digest)


def _number(name: str) -> int:
    value = request.headers.get(name, "")
    if not (value.isascii() and value.isdecimal() and len(value) < 12):
        raise Refused("invalid_fields", name)
    return int(value)


def _body() -> bytes:
    return whole_body(LARGEST_PIECE, "piece_too_large", current_staff().id)
