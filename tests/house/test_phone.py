"""The phone's made files are those of today's sources, whole, and light enough."""

import json
import re
from hashlib import sha256
from pathlib import Path

import pytest

from api.pages.phone_bundle import KEPT, NO_VERSION, SCOPE, made, read
from tests.house.source import ROOT

ALL = 20_000
"""Bytes as Brotli of all that a phone loads, checklists included (mobile.md 4.1)."""

MADE = ROOT / "api/pages/static/phone"
SHELL = ("index.html", "sw.js")
ENGLISH = "en.json"  # fetched by those alone who read English


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def stale(sources: dict[str, str]) -> list[str]:
    """What has changed, come or gone since."""
    now = {str(path.relative_to(ROOT)) for path in (ROOT / "api/pages/static/field").iterdir()}
    return sorted(
        (now - set(sources))
        | {name for name, kept in sources.items() if not (ROOT / name).exists() or digest(ROOT / name) != kept}
    )


def test_the_phone_loads_what_its_sources_say():
    assert stale(made().sources) == [], "changed since the phone's files were made: run `make phone` and commit both"
    assert {".ci/phone.py", "api/pages/static/tokens.css", "api/pages/templates/inspector/phone.html"} < set(
        made().sources
    )


@pytest.mark.parametrize("name", ["api/pages/static/field/main.js", "api/pages/static/field/gone.js"])
def test_a_changed_and_a_lost_source_are_seen(name):
    assert stale(made().sources | {name: "0" * 64}) == [name]


def test_a_new_source_is_seen():
    name = "api/pages/static/field/sync.js"
    assert stale({path: kept for path, kept in made().sources.items() if path != name}) == [name]


def test_nobody_wrote_into_what_was_made():
    names = {path.name for path in MADE.iterdir()} - {"made.json"}
    assert {name: digest(MADE / name) for name in names} == made().files
    assert {name for name in names if name.endswith(".br")} == {
        f"{name}.br" for name in names if not name.endswith(".br")
    }


def test_the_version_names_the_content_and_the_service_worker_keeps_that_version():
    timeless = {name: read(name).decode().replace(made().version, NO_VERSION) for name in (*KEPT, *SHELL, ENGLISH)}
    content = "\0".join(timeless[name] for name in sorted(timeless)).encode()
    assert sha256(content).hexdigest()[:12] == made().version
    names = re.findall(rf'"{SCOPE}[0-9a-f]{{12}}/[^"]+"', read("sw.js").decode())
    assert set(map(json.loads, names)) == {f"{SCOPE}{made().version}/{name}" for name in KEPT}


def test_all_that_a_phone_loads_fits_its_budget():
    weights = {name: len(read(f"{name}.br")) for name in (*KEPT, *SHELL)}
    assert sum(weights.values()) <= ALL, weights
    assert set(weights) | {ENGLISH} == {name for name in made().files if not name.endswith(".br")}
