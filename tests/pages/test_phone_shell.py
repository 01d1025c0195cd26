"""What the phone's page is made of: its weight, its JavaScript, its words, and who may have it."""

import base64
import gzip
import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image
from sqlalchemy import func, select

from api.app import create_app
from api.pages import phone, phone_bundle
from api.services import KEY
from api.store.uploads import device
from tests.inspections import PASSWORD, a_town

OWN, CHECKLIST = 20_000, 6_000
"""Bytes as gzip: the phone's own code (mobile.md 4.1), and what works out a checklist on it."""

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
  const bare = (key, value) => (key === 'start' || key === 'end' ? undefined : value);
  const trees = JSON.parse(text).map((one) => JSON.stringify(acorn.parse(one, {{ecmaVersion: 2017, sourceType: 'module'}}), bare));
  process.stdout.write(JSON.stringify(trees.map((one) => one === trees[0])));
}});
"""  # noqa: E501 - one script


@pytest.fixture
def app(settings):
    made = create_app(settings)
    yield made
    made.extensions[KEY].database.engine.dispose()


@pytest.fixture
def inspector(app, engine):
    with engine.begin() as connection:
        a_town(connection)
    client = app.test_client()
    assert client.post("/login", data={"username": "inspector", "password": PASSWORD}).status_code == 302
    return client


def parsed(*scripts: str) -> list[bool]:
    """Whether scripts are ES2017, each compared with the first as a tree; skips where no parser is at hand."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here, whose parser reads ES2017; the rules of NEWER hold everywhere")
    command = [node, "--expose-internals", "-e", PARSES]
    done = subprocess.run(command, input=json.dumps(scripts), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-800:]
    return json.loads(done.stdout)


def weight(text: str) -> int:
    return len(gzip.compress(text.encode(), 9, mtime=0))


def test_the_phones_own_code_and_the_checklists_fit_their_budgets(app, capsys):
    client = app.test_client()
    plain = phone_bundle.squeezed("".join(phone_bundle.read(f"field/{name}.js") for name in phone_bundle.PLAIN))
    looks = phone_bundle.tidied(phone_bundle.read("field/checklist.css"))
    weights = {
        "app.js": weight(phone_bundle.built()["app.js"]) - weight(plain),
        "app.css": weight(phone_bundle.built()["app.css"]) - weight(looks),
        "sw.js": weight(client.get("/inspector/phone/sw.js").text),
        "shell": weight(client.get("/inspector/phone/").text),
    }
    checklists = weight(plain) + weight(looks)
    with capsys.disabled():
        told = "".join(f"  {size:6}  {name}\n" for name, size in (weights | {"checklists": checklists}).items())
        english = weight(phone_bundle.built()["en.json"])
        total = sum(weights.values()) + checklists
        sys.stdout.write(
            f"\nbytes, gzip:\n{told}  {total:6}  all\n  {english:6}  English words, for those who want them\n"
        )
    assert sum(weights.values()) <= OWN
    assert checklists <= CHECKLIST


def test_what_the_phone_runs_is_javascript_of_2017(app):
    scripts = [phone_bundle.built()["app.js"], app.test_client().get("/inspector/phone/sw.js").text]
    for script in scripts:
        bare = re.sub(r"([\"'`])(?:(?!\1)[^\\]|\\.)*\1", '""', script)
        assert {name for name, pattern in NEWER.items() if re.search(pattern, bare, re.MULTILINE)} == set()
    parsed(*scripts)


@pytest.mark.parametrize(
    "newer", ["a?.b", "a ?? b", "({...a})", "try { a() } catch { b() }", "for await (a of b) c()", "1_000"]
)
def test_the_check_for_newer_javascript_can_fail(newer):
    assert any(re.search(pattern, newer) for pattern in NEWER.values())


def test_squeezing_changes_no_statement():
    modules = [phone_bundle.read(f"field/{name}.js") for name in phone_bundle.MODULES]
    modules = [
        re.sub(r"^export ", "", re.sub(r"^import .*;\n", "", one, flags=re.MULTILINE), flags=re.MULTILINE)
        for one in modules
    ]
    plain = [phone_bundle.read(f"field/{name}.js") for name in phone_bundle.PLAIN]
    assert parsed("".join([*plain, *modules]), phone_bundle.built()["app.js"]) == [True, True]


@pytest.mark.parametrize(
    ("written", "squeezed"),
    [
        ("a = b // why\nc = d", "a=b\nc=d"),
        ('say("http://x  y")', 'say("http://x  y")'),
        ("a + ++b", "a+ ++b"),
        ("return /a b/.test( c )", "return/a b/.test(c)"),
        ("x = `a  ${b}  c` ;", "x=`a  ${b}  c`;"),
        ("const a = 1;\n\n  let b;", "const a=1;let b;"),
    ],
)
def test_squeezing_takes_only_what_nobody_needs(written, squeezed):
    assert phone_bundle.squeezed(written) == squeezed


def test_every_word_of_the_phone_is_there_in_english_too():
    known = tomllib.loads((STATIC / "en.toml").read_text(encoding="utf-8"))
    said: set[str] = set()
    for name in phone_bundle.MODULES:
        for found in re.findall(r"\bt`((?:[^`$]|\$\{(?:[^{}]|\{[^}]*\})*\})*)`", phone_bundle.read(f"field/{name}.js")):
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
    kept = json.loads(re.search(r"const FILES = (\[.*?\]);", worker.text)[1])
    assert {name.rpartition("/")[2] for name in kept} == {"app.js", "app.css", "mark.svg"}
    for name in [*kept, *re.findall(r'(?:src|href)="(/inspector/phone/\w+/[^"]+)"', shell.text)]:
        answer = client.get(name, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"]
    assert client.get(f"/inspector/phone/{'0' * 12}/app.js").status_code == 404
    assert client.get(f"/inspector/phone/{phone.version()}/store.js").status_code == 404


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
