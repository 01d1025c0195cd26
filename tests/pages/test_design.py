"""The design system: its colours can be read, and its page shows every part there is."""

import re
from importlib.resources import files

import pytest

from api.pages.design import TEXT_COLOURS, TEXT_ON, TINTS
from api.pages.palette import contrast, tokens

TEMPLATES = files("api.pages").joinpath("templates")
STYLES = ("tokens.css", "app.css", "layout.css", "desk.css")
PLACED_BY_LAYOUTS = {"form_token", "language_switch", "simulated", "mark", "crumbs", "rank"}
"""Parts that need a session, an evaluation or a place in the site; every desk page shows them."""


@pytest.fixture
def client(app):
    return app.test_client()


def style(name: str) -> str:
    return files("api.pages").joinpath("static", name).read_text(encoding="utf-8")


@pytest.mark.parametrize("ground", TEXT_ON)
@pytest.mark.parametrize("colour", TEXT_COLOURS)
def test_text_can_be_read_on_every_ground(colour, ground):
    assert contrast(tokens()[colour], tokens()[ground]) >= 4.5


@pytest.mark.parametrize(("colour", "tint"), TINTS)
def test_a_state_can_be_read_on_its_own_tint(colour, tint):
    assert contrast(tokens()[colour], tokens()[tint]) >= 4.5


def test_words_on_the_accent_can_be_read():
    assert contrast(tokens()["on-accent"], tokens()["accent"]) >= 4.5
    assert contrast(tokens()["on-accent"], tokens()["accent-deep"]) >= 4.5


@pytest.mark.parametrize("ground", TEXT_ON)
@pytest.mark.parametrize("edge", ["edge", "focus", "accent"])
def test_the_edges_of_controls_and_the_focus_can_be_seen(edge, ground):
    assert contrast(tokens()[edge], tokens()[ground]) >= 3


def test_contrast_is_what_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#0b5f6b", "#0b5f6b") == 1


def test_every_token_that_a_stylesheet_asks_for_exists():
    used = {name for sheet in STYLES for name in re.findall(r"var\(--([a-z0-9-]+)", style(sheet))}
    assert used <= {name for sheet in STYLES for name in re.findall(r"--([a-z0-9-]+):", style(sheet))}


def test_no_colour_is_written_outside_the_tokens():
    """But for what stands on the dark bar, and white."""
    loose = {
        colour for sheet in STYLES[1:] for colour in re.findall(r"#[0-9a-f]{3,8}\b", style(sheet)) if colour != "#fff"
    }
    assert loose <= {"#d5e6e8", "#4a7d85", "#6f9ba1", "#ffffff1f", "#ffc36b", "#e6cf9c", "#fcfbf8"}


def test_the_page_shows_every_part_there_is():
    page = TEMPLATES.joinpath("design.html").read_text(encoding="utf-8")
    parts = re.findall(r"{% macro ([a-z]\w*)\(", TEMPLATES.joinpath("ui.html").read_text(encoding="utf-8"))
    shown = set(re.findall(r"ui\.(\w+)\(", page))
    assert set(parts) - shown == PLACED_BY_LAYOUTS


def test_the_page_is_open_to_everyone_and_holds_both_languages(client):
    assert "页面规范" in client.get("/design").text
    assert "Design system" in client.get("/design?lang=en").text


def test_no_stylesheet_or_template_asks_a_foreign_host_for_anything():
    texts = [style(sheet) for sheet in STYLES]
    texts += [path.read_text(encoding="utf-8") for path in TEMPLATES.joinpath("layout").iterdir()]
    for text in texts:
        assert not re.search(r"(https?:)?//(?!www\.w3\.org)[a-z0-9.-]+\.[a-z]{2,}", text)


def test_print_has_its_own_style():
    assert "@media print" in style("layout.css")
