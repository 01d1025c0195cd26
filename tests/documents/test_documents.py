"""Every shipped document loads, checks, and cites an article for each number."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from survey_forms.scheme.explain import explain
from survey_forms.scheme.load import DOCUMENTS, load_catalogue, load_scheme, scheme_ids

NINE = (
    "bailian", "fangshan-2017", "hami-transport", "jinfeng", "pingbian-land", "suqian", "water-bureau",
    "xiamen-wf-2015", "yanghe",
)  # fmt: skip
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?|[0-9]+/[0-9]+")


def tables(value: Any, path: str, article: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Every table with its path and the article that holds for it; inline maps belong to their table."""
    if isinstance(value, dict):
        article = value.get("article", article)
        yield path, value, article
        for key, one in value.items():
            yield from tables(one, f"{path}.{key}", article)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from tables(one, f"{path}[{place}]", article)


def numbers(table: dict[str, Any]) -> list[str]:
    """The keys of a table that hold a number, however it is written."""

    def is_number(value: Any) -> bool:
        if isinstance(value, list):
            return any(is_number(one) for one in value)
        return (isinstance(value, int | float) and not isinstance(value, bool)) or (
            isinstance(value, str) and NUMBER.fullmatch(value) is not None
        )

    return [key for key, value in table.items() if is_number(value)]


def test_the_nine_documents_are_here():
    assert scheme_ids() == NINE


@pytest.mark.parametrize("scheme_id", NINE)
def test_the_document_loads_without_a_fault_and_under_its_own_name(scheme_id: str):
    scheme = load_scheme(scheme_id)
    assert scheme.id == scheme_id
    assert len(scheme.digest) == 64
    assert scheme is load_scheme(scheme_id)


@pytest.mark.parametrize("scheme_id", NINE)
def test_every_number_of_the_document_names_its_article(scheme_id: str):
    for file in (DOCUMENTS / scheme_id).iterdir():
        if file.name in {"scheme.toml", "catalogue.toml"}:
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
            bare = [
                f"{path}.{key}"
                for path, table, article in tables(raw, "", "")
                for key in numbers(table)
                if not article.strip()
            ]
            assert bare == []


@pytest.mark.parametrize("scheme_id", NINE)
def test_the_document_tells_where_it_was_read_and_what_is_unclear(scheme_id: str):
    source = (DOCUMENTS / scheme_id / "source.md").read_text(encoding="utf-8")
    assert load_scheme(scheme_id).document.file in source
    assert "What is unclear" in source


@pytest.mark.parametrize("scheme_id", NINE)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_document_reads_as_markdown_with_every_name_in_it(scheme_id: str, language: str):
    scheme = load_scheme(scheme_id)
    text = explain(scheme, load_catalogue(scheme_id), language)
    named = [*scheme.bindings, *scheme.left_out, *scheme.consequences, *scheme.evaluated, *scheme.calendar]
    assert [one for one in named if (one.zh if language == "zh" else one.en) not in text] == []
    assert [grade.name for grade in scheme.grades if grade.name not in text] == []
    assert [one.path for one in scheme.left_out if one.path not in text] == []
    assert "None" not in text
    assert "Decimal" not in text


def test_the_contradiction_of_bailian_carries_its_reading_beside_its_words():
    good = next(grade for grade in load_scheme("bailian").grades if grade.name == "良好")
    assert good.words == "85分(含80分)以上90分以下"
    assert "[85, 90)" in good.reading


def test_the_catalogue_is_marked_as_a_demonstration_and_covers_five_aspects():
    catalogue = load_catalogue("xiamen-wf-2015")
    assert catalogue is not None
    assert catalogue.demonstration
    assert len(catalogue.rules) == 12
    assert {rule.aspect for rule in catalogue.rules} == {"duties", "conduct", "use_of_power", "efficiency", "attitude"}
    assert load_catalogue("yanghe") is None


@pytest.mark.parametrize("scheme_id", ["bailian", "fangshan-2017", "hami-transport", "xiamen-wf-2015"])
def test_a_catalogue_says_where_its_numbers_are_from_and_its_scheme_takes_its_points(scheme_id: str):
    scheme, catalogue = load_scheme(scheme_id), load_catalogue(scheme_id)
    assert catalogue is not None
    assert catalogue.scheme == scheme_id
    assert catalogue.terms.article
    assert all(rule.article for rule in catalogue.rules)
    assert catalogue.demonstration == any("演示" in rule.article for rule in catalogue.rules)
    assert {rule.of for rule in catalogue.rules} <= {
        path for path, one in scheme.by_path.items() if "deductions" in one.takes
    }


def test_the_terms_and_points_that_a_document_does_state_are_its_own():
    hami, fangshan = load_catalogue("hami-transport"), load_catalogue("fangshan-2017")
    assert hami is not None
    assert fangshan is not None
    assert {str(rule.points) for rule in hami.rules} == {"0.5"}
    assert not hami.demonstration
    assert fangshan.terms.rectification_days == 21
    assert "3周" in fangshan.terms.article


def test_a_range_rule_allows_what_lies_in_it_and_a_fixed_rule_only_its_points():
    catalogue = load_catalogue("xiamen-wf-2015")
    assert catalogue is not None
    ranged, fixed = catalogue.rule("overdue_matter"), catalogue.rule("unattended_window")
    assert ranged is not None
    assert fixed is not None
    assert [ranged.allows(points) for points in (0, 1, 8, 9)] == [False, True, True, False]
    assert [fixed.allows(points) for points in (4, 5)] == [False, True]
    assert catalogue.rule("no_such_rule") is None
