"""The schemes' printed pages are what the scheme files say now. `make docs` prints them anew."""

import pytest

from survey_forms.scheme.explain import explain
from survey_forms.scheme.load import load_catalogue, load_scheme, scheme_ids
from tests.house.source import ROOT

PRINTED = ROOT / "docs" / "documents"


@pytest.mark.parametrize("scheme_id", scheme_ids())
def test_a_printed_scheme_is_fresh(scheme_id):
    page = explain(load_scheme(scheme_id), load_catalogue(scheme_id), "zh")
    assert (PRINTED / f"{scheme_id}.md").read_text(encoding="utf-8").rstrip("\n") == page.rstrip("\n")


def test_no_page_is_left_of_a_scheme_that_is_gone():
    assert {path.stem for path in PRINTED.glob("*.md")} == set(scheme_ids())
