"""What the phone's page is made of: its weight, its JavaScript, its words, and who may have it."""

import base64
import gzip
import io
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image
from sqlalchemy import func, select

from api.pages import phone_bundle
from api.pages.phone_bundle import made
from api.store.uploads import device
from tests.inspections import PASSWORD, a_town

STATIC = Path("api/pages/static/field")
NEWER = {
    "optional chaining": r"\?\.(?!\d)",
    "nullish": r"\?\?",
    "spread in an object": r"\{\s*\.\.\.|,\s*\.\.\.\w+\s*\}",
    "catch without a name": r"\bcatch\s*\{",
    "await in a loop's head": r"\bfor\s+await\b",
    "asynchronous generator": r"\basync\s+function\s*\*",
    "finally of promises": r"\.finally\(",
    "import of a module when run": r"\bimport\(",
    "number separator": r"\d_\d",
    "big number": r"\b\d+n\b",
    "logical assignment": r"(\|\||&&|\?\?)=",
}
PARSER = "internal/deps/acorn/acorn/dist/acorn"  # comes with Node
PARSES = f"""
const acorn = require('{PARSER}');
let text = '';
process.stdin.on('data', (part) => {{ text += part; }}).on('end', () => {{
  JSON.parse(text).forEach((one) => acorn.parse(one, {{ecmaVersion: 2017, sourceType: 'module'}}));
}});
"""


@pytest.fixture
def inspector(app, engine):
    with engine.begin() as connection:
        a_town(connection)
    client = app.test_client()
    assert client.post("/login", data={"username": "inspector", "password": PASSWORD}).status_code == 302
    return client


def parse(*scripts: str) -> None:
    """Fail where a script is no ES2017; skip where no parser is at hand."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here, whose parser reads ES2017; the rules of NEWER hold everywhere")
    command = [node, "--expose-internals", "-e", PARSES]
    done = subprocess.run(command, input=json.dumps(scripts), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-800:]


def test_what_the_phone_runs_is_javascript_of_2017(app):
    client = app.test_client()
    scripts = [client.get(f"/inspector/phone/{made().version}/app.js").text, client.get("/inspector/phone/sw.js").text]
    for script in scripts:
        bare = re.sub(r"([\"'`])(?:(?!\1)[^\\]|\\.)*\1", '""', script)
        assert {name for name, pattern in NEWER.items() if re.search(pattern, bare, re.MULTILINE)} == set()
    parse(*scripts)


@pytest.mark.parametrize(
    "newer", ["a?.b", "a ?? b", "({...a})", "try { a() } catch { b() }", "for await (a of b) c()", "1_000"]
)
def test_the_check_for_newer_javascript_can_fail(newer):
    assert any(re.search(pattern, newer) for pattern in NEWER.values())


CODINGS = [("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"), ("br;q=0, gzip", "gzip"), ("", None)]


@pytest.mark.parametrize(("takes", "coding"), CODINGS)
def test_every_file_goes_out_in_the_smallest_coding_that_is_taken(app, takes, coding):
    client = app.test_client()
    for name in ("", "sw.js", *(f"{made().version}/{kept}" for kept in (*phone_bundle.KEPT, "en.json"))):
        answer = client.get(f"/inspector/phone/{name}", headers={"Accept-Encoding": takes})
        plain = phone_bundle.read(name.rpartition("/")[2] or "index.html")
        assert answer.headers.get("Content-Encoding") == coding
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert opened(answer.data, coding) == plain


def opened(content: bytes, coding: str | None) -> bytes:
    """What a browser reads; Brotli by Node where there is one, else what was made beside the plain file."""
    if coding == "gzip":
        return gzip.decompress(content)
    if coding is None:
        return content
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here, whose zlib opens Brotli; tests/house/test_phone.py holds the files' digests")
    script = "process.stdout.write(require('zlib').brotliDecompressSync(require('fs').readFileSync(0)))"
    return subprocess.run([node, "-e", script], input=content, capture_output=True, timeout=60, check=True).stdout


def test_every_word_of_the_phone_is_there_in_english_too():
    known = tomllib.loads((STATIC / "en.toml").read_text(encoding="utf-8"))
    said: set[str] = set()
    for path in STATIC.glob("*.js"):
        for found in re.findall(r"\bt`((?:[^`$]|\$\{(?:[^{}]|\{[^}]*\})*\})*)`", path.read_text(encoding="utf-8")):
            said.add(re.sub(r"\$\{(?:[^{}]|\{[^}]*\})*\}", "{}", found))
    assert said - set(known) == set()
    assert set(known) - said == set()
    assert {zh for zh, en in known.items() if re.search(r"[\u4e00-\u9fff]", en)} == set()
    assert {zh for zh, en in known.items() if zh.count("{}") != en.count("{}")} == set()


def test_every_file_names_its_content_and_an_older_name_is_gone(app):
    client = app.test_client()
    shell = client.get("/inspector/phone/")
    worker = client.get("/inspector/phone/sw.js")
    assert shell.headers["Cache-Control"] == worker.headers["Cache-Control"] == "no-cache"
    assert client.get("/inspector/phone/", headers={"If-None-Match": shell.headers["ETag"]}).status_code == 304
    kept = json.loads(re.search(r"\[(\"/inspector/phone/[0-9a-f]{12}/.*?)\]", worker.text)[0])
    assert {name.rpartition("/")[2] for name in kept} == {"app.js", "app.css", "mark.svg"}
    for name in [*kept, *re.findall(r'(?:src|href)="(/inspector/phone/\w+/[^"]+)"', shell.text)]:
        answer = client.get(name, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(f"/inspector/phone/{'0' * 12}/app.js").status_code == 404
    assert client.get(f"/inspector/phone/{made().version}/store.js").status_code == 404


def test_it_installs_with_icons_that_may_be_masked(app):
    client = app.test_client()
    manifest = client.get("/inspector/phone/manifest.webmanifest").get_json(force=True)
    assert (manifest["start_url"], manifest["scope"]) == ("/inspector/phone/", "/inspector/phone/")
    for icon in manifest["icons"]:
        answer = client.get(icon["src"])
        assert answer.mimetype == icon["type"]
        if icon["type"] == "image/png":
            picture = Image.open(io.BytesIO(answer.data))
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
            assert {picture.getpixel((at, at)) for at in (0, 3)} == {(7, 66, 75)}
            assert (255, 255, 255) in {picture.getpixel((at, picture.height // 2)) for at in range(picture.width)}


def test_the_shell_is_anybodys_and_says_nothing_of_anybody(app, inspector):
    assert app.test_client().get("/inspector/phone/").data == inspector.get("/inspector/phone/").data
    assert app.test_client().get("/inspector/phone/session", headers={"Sec-Fetch-Mode": "cors"}).status_code == 401


def enrolment(**changes) -> dict[str, str]:
    key = generate_private_key(SECP256R1()).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return {"device": str(uuid4()), "public_key": base64.b64encode(spki).decode(), "label": "test"} | changes


def test_a_phone_is_enrolled_by_its_inspector_alone(app, inspector, engine):
    me = inspector.get("/inspector/phone/session").get_json()
    assert me["inspector"]["name"] == "林察"
    sent = enrolment()
    assert inspector.post("/inspector/phone/enrol", json=sent).status_code == 403  # no form token
    headers = {"X-Form-Token": me["form_token"]}
    answer = inspector.post("/inspector/phone/enrol", json=sent, headers=headers)
    assert answer.status_code == 201
    token = {"Authorization": f"Bearer {answer.get_json()['token']}"}
    assert app.test_client().get("/api/v1/phone/bundle", headers=token).status_code == 200
    for wrong in ({"device": "x"}, {"public_key": "%%"}, {"public_key": base64.b64encode(b"no key").decode()}):
        assert inspector.post("/inspector/phone/enrol", json=enrolment(**wrong), headers=headers).status_code == 422
    assert inspector.post("/inspector/phone/enrol", data=b"[" * 9000, headers=headers).status_code == 422
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(device)).scalar_one() == 1
