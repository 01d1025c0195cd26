"""Our engine gives every submission the values, the relevance and the verdicts that JavaRosa gives it.

JavaRosa's answers are recorded; where a JDK is found, the recordings themselves are asked about again.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from survey_forms.forms.workbook import convert_workbook
from survey_forms.refusal import Refused
from tests.javarosa import books, oracle, record
from tests.javarosa.compare import Comparison, Subject
from tests.javarosa.expressions import REFUSED
from tests.javarosa.forms import workbooks

BOOKS = workbooks()
DOCUMENT = Path(__file__).parents[2] / "docs/forms.md"
LIVE = 12
LOOK = 3  # every third submission is also looked at as a reader sees it
LARGEST = 300_000  # bytes of all recordings


@pytest.fixture(scope="module")
def javarosa():
    if not oracle.found():
        pytest.skip("needs a JDK (javac)")
    with oracle.running() as running:
        yield running


@pytest.fixture(scope="module", params=BOOKS)
def recorded(request):
    """A form's XML, the submissions, and JavaRosa's answers from the file."""
    xform = convert_workbook(BOOKS[request.param]).xform
    raws = record.asked(xform)
    kept = record.load(request.param)
    about = {part: kept[part] for part in ("form", "asked")}
    assert about == record.identity(xform, raws), f"the recording answers other questions; renew it: {record.RENEW}"
    return xform, raws, record.unpacked(raws, kept)


@pytest.fixture(scope="module")
def compared(recorded) -> list[Comparison]:
    xform, raws, answers = recorded
    subject = Subject.of(xform)
    pairs = enumerate(zip(raws, answers, strict=True))
    return [subject.compare(raw, told, look=number % LOOK == 0) for number, (raw, told) in pairs]


def test_every_answer_is_the_one_that_javarosa_gives(compared):
    assert {number: found.differences for number, found in enumerate(compared) if found.differences} == {}


def test_every_difference_by_policy_is_one_that_the_documentation_explains(compared):
    explained = DOCUMENT.read_text().partition("## Differences from JavaRosa")[2]
    for policy in sorted({policy for found in compared for policy in found.policies}):
        assert f"`{policy}`" in explained


def test_the_recorded_submissions_pass_and_fail_in_every_way(recorded):
    _, _, answers = recorded
    verdicts = Counter(seen.verdict for told in answers for seen in told.nodes.values())
    whole = sum(all(seen.verdict == "ok" and not seen.cleared for seen in told.nodes.values()) for told in answers)
    assert len(answers) == record.NUMBER
    assert len(answers) // 20 <= whole
    assert verdicts["ok"] > len(answers)


def test_a_difference_is_found_wherever_it_is(recorded):
    xform, raws, answers = recorded
    subject = Subject.of(xform)
    raw, told = next((raw, told) for raw, told in zip(raws, answers, strict=True) if len(told.nodes) > 2)
    questions = {one.name for one in subject.paper.fields}
    for key, seen in told.nodes.items():
        if key.rpartition(".")[2] not in questions:
            continue
        for other in (
            replace(seen, value=seen.value + "9", relevant=True),
            replace(seen, relevant=not seen.relevant),
            replace(seen, verdict="constraint" if seen.verdict == "ok" else "ok"),
        ):
            wrong = replace(told, nodes={**told.nodes, key: other})
            assert subject.compare(raw, wrong, look=False).differences, (key, other)


def test_recordings_are_small_and_of_today_s_forms():
    files = list(record.FOLDER.iterdir())
    assert {file.name for file in files} == {record.file_of(name).name for name in BOOKS}
    assert sum(file.stat().st_size for file in files) < LARGEST


def test_javarosa_still_says_what_was_recorded(javarosa, recorded):
    xform, raws, answers = recorded
    step = len(raws) // LIVE
    again = record.answered(javarosa, xform, raws[::step])
    for told, kept in zip(again, answers[::step], strict=True):
        assert (told.failed, told.nodes, told.lists) == ("", kept.nodes, kept.lists)
        assert kept.labels.items() <= told.labels.items()


@pytest.mark.parametrize("expression", REFUSED)
def test_what_the_engines_answer_differently_is_refused_when_the_form_is_made(expression):
    book = books.over_inputs("refused", [expression])
    with pytest.raises(Refused) as refused:
        convert_workbook(books.as_xlsx(book))
    assert [fault.code for fault in refused.value.faults] == [REFUSED[expression]]
