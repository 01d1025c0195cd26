"""Any XLSForm from elsewhere works to its last page, or is refused by the name of what we do not have; nothing else."""

import time
from random import Random

import pytest

from api.problems import LANGUAGES, say
from survey_forms.forms.compile import compile_form
from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Refused
from tests.javarosa.elsewhere import BOOKS, REFUSED, as_xlsx, rows_of
from tests.javarosa.mutate import mutated
from tests.javarosa.walk import walked

WORKING = sorted(BOOKS.keys() - REFUSED.keys())
CELLS = 2_000
LONGEST = 60  # seconds of processor


@pytest.mark.parametrize("name", WORKING)
def test_a_form_from_elsewhere_can_be_answered_to_its_last_page(name):
    form = compile_form(convert_workbook(as_xlsx(rows_of(BOOKS[name]))).xform)
    assert all(walked(form, Random(seed)) for seed in range(20))


@pytest.mark.parametrize("name", REFUSED)
def test_what_we_do_not_have_is_refused_by_its_name(name):
    with pytest.raises(Refused) as refused:
        convert_workbook(as_xlsx(rows_of(BOOKS[name])))
    code, *features = REFUSED[name]
    assert code in {fault.code for fault in refused.value.faults}
    for said in _said(refused.value):
        assert [feature for feature in features if feature not in said] == []


def test_no_changed_cell_breaks_anything():
    """Of the workbooks that work; the others would only be refused for the same reason again."""
    random, cells, started = Random("cells"), 0, time.process_time()
    sheets = {name: rows_of(BOOKS[name]) for name in WORKING}
    outcomes = {"walked": 0, "refused": 0}
    while cells < CELLS:
        changed = random.randint(1, 4)
        cells += changed
        name = random.choice(WORKING)
        book = mutated(sheets[name], random, changed)
        try:
            walked(compile_form(convert_workbook(as_xlsx(book)).xform), random)
            outcomes["walked"] += 1
        except Refused as refused:
            outcomes["refused"] += bool(_said(refused))
        except Exception as error:
            raise AssertionError((name, book)) from error
    assert min(outcomes.values()) > CELLS // 40, outcomes
    assert time.process_time() - started < LONGEST


def _said(refused: Refused) -> list[str]:
    return [" ".join(say(fault, language) for fault in refused.faults) for language in LANGUAGES]
