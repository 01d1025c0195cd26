"""Importing indicator scores: faults by row and column, one batch a file, nothing counts before a second person."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from api.actions import indicators, ledger
from api.actions.csv_sheet import LARGEST_FILE
from api.actions.indicator_sheet import Accepts, read_sheet
from api.actions.indicators import File
from api.problems import say
from api.store import indicators as stored
from api.store import owed
from api.store.evaluations import Unit
from api.store.ledger import entries_of
from survey_forms.refusal import Refused
from tests.desk import NOW, a_desk

HEADINGS = "单位,指标,得分,扣分,依据\n"
GOOD = HEADINGS + "education,indicator.differential,921.50,,联合考核组评分\n市体育局,共同性指标,,24.5,公文超期\n"
UNITS = [
    Unit(1, "education", "市教育局", "Education Bureau", None),
    Unit(2, "sports", "市体育局", "Sports Bureau", None),
]
ACCEPTS = {
    "": Accepts(
        {"indicator.differential": ("差异性指标", "differential indicators")},
        {"indicator.common": ("共同性指标", "common indicators"), "inspection": ("察访核验", "inspection")},
    )
}


def rows_of(text: str | bytes):
    return read_sheet(text if isinstance(text, bytes) else text.encode(), UNITS, ACCEPTS, Decimal(1000))


def faults_of(text: str | bytes) -> list[tuple[str, object, object]]:
    with pytest.raises(Refused) as caught:
        rows_of(text)
    return [(fault.code, fault.facts.get("row"), fault.facts.get("column")) for fault in caught.value.faults]


@pytest.fixture
def desk(connection):
    return a_desk(connection)


def file_it(connection, desk, text: str = GOOD, who: str = "office") -> int:
    file = File("指标得分.csv", text.encode())
    return indicators.file_batch(connection, desk.evaluation, file, desk.staff[who], NOW)


class TestReading:
    def test_units_and_components_go_by_code_or_name(self):
        rows = rows_of(GOOD)
        assert [(row.unit.code, row.component, row.points, row.is_deduction, row.line) for row in rows] == [
            ("education", "indicator.differential", Decimal("921.50"), False, 2),
            ("sports", "indicator.common", Decimal("24.5"), True, 3),
        ]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
    def test_every_encoding_that_excel_writes_in_china_reads_alike(self, encoding):
        assert rows_of(GOOD.encode(encoding)) == rows_of(GOOD)

    def test_columns_may_stand_in_any_order_and_one_of_the_two_may_be_absent(self):
        assert rows_of("依据,得分,单位,指标\n评分,900,education,差异性指标\n")[0].points == 900

    def test_blank_lines_are_passed_over_and_still_counted(self):
        assert faults_of(HEADINGS + "\n,,,,\nnobody,差异性指标,1,,依据\n") == [("csv_unit_unknown", 4, "单位")]

    def test_a_basis_in_quotation_marks_may_hold_commas_and_line_breaks(self):
        assert rows_of(HEADINGS + 'education,差异性指标,1,,"甲,乙\n丙"\n')[0].basis == "甲,乙\n丙"

    def test_every_fault_is_told_at_once_with_row_and_column(self):
        text = (
            HEADINGS
            + "nobody,差异性指标,900,,依据\n"
            + "education,共同性指标,900,,依据\n"
            + "education,差异性指标,,5,依据\n"
            + "education,没有这项,900,,依据\n"
            + "education,差异性指标,九百,,\n"
            + "education,差异性指标,1000.5,,依据\n"
            + "education,差异性指标,1.23456,,依据\n"
            + "education,差异性指标,900,5,依据\n"
            + "education,差异性指标,,,依据\n"
            + "education,共同性指标,,0,依据\n"
            + "education,差异性指标,900,,依据,多余\n"
        )
        assert faults_of(text) == [
            ("csv_unit_unknown", 2, "单位"),
            ("csv_component_takes_deduction", 3, "指标"),
            ("csv_component_takes_score", 4, "指标"),
            ("csv_component_unknown", 5, "指标"),
            ("csv_not_a_number", 6, "得分"),
            ("csv_cell_missing", 6, "依据"),
            ("csv_above_scale", 7, "得分"),
            ("csv_too_many_decimals", 8, "得分"),
            ("csv_score_or_deduction", 9, "得分 / 扣分"),
            ("csv_score_or_deduction", 10, "得分 / 扣分"),
            ("csv_deduction_zero", 11, "扣分"),
            ("csv_cells_left_over", 12, "F"),
        ]

    def test_a_score_given_twice_names_the_first_row(self):
        with pytest.raises(Refused) as caught:
            rows_of(HEADINGS + "education,差异性指标,900,,甲\n市教育局,indicator.differential,901,,乙\n")
        assert caught.value.faults[0].facts["first"] == 2
        assert "第 3 行" in say(caught.value.faults[0])

    def test_two_deductions_for_different_reasons_are_two_deductions(self):
        assert len(rows_of(HEADINGS + "sports,共同性指标,,2,甲\nsports,共同性指标,,2,乙\n")) == 2

    def test_headings_are_checked_before_anything_else(self):
        assert faults_of("单位,得分,得分,备注\n") == [
            ("csv_column_unknown", None, "备注"),
            ("csv_column_twice", None, "得分"),
            ("csv_column_missing", None, None),
        ]

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "csv_empty"),
            (HEADINGS.encode(), "csv_empty"),
            (b"PK\x03\x04rest of a workbook", "csv_is_workbook"),
            (b"\xff\xfe\xff\xff\x81", "csv_encoding"),
            (b"a\0b", "csv_encoding"),
            (b'"never closed', "csv_unreadable"),
            (b"x" * (LARGEST_FILE + 1), "csv_too_large"),
        ],
    )
    def test_what_is_no_such_file_is_told_in_one_sentence(self, content, code):
        assert [fault[0] for fault in faults_of(content)] == [code]

    def test_so_many_faults_are_listed_and_the_rest_counted(self):
        codes = [fault[0] for fault in faults_of(HEADINGS + "nobody,差异性指标,1,,依据\n" * 130)]
        assert len(codes) == 101
        assert codes[-1] == "csv_more_faults"

    @given(st.binary(max_size=400))
    def test_no_bytes_at_all_raise_anything_but_a_refusal(self, noise):
        for content in (noise, HEADINGS.encode() + noise):
            told = []
            try:
                rows_of(content)
            except Refused as refused:
                told = [say(fault, language) for fault in refused.faults for language in ("zh", "en")]
            assert all(told)


class TestFiling:
    def test_nothing_counts_before_a_second_person_confirms(self, connection, desk):
        batch = file_it(connection, desk)
        assert stored.scores_of(connection, desk.evaluation.id) == {}
        assert entries_of(connection, desk.evaluation.id) == []
        indicators.confirm_batch(connection, batch, desk.staff["office2"], NOW)
        assert stored.scores_of(connection, desk.evaluation.id) == {
            ("education", "indicator.differential"): Decimal("921.5000")
        }
        (entry,) = entries_of(connection, desk.evaluation.id, desk.units["sports"])
        assert (entry.component, entry.points, entry.basis) == ("indicator.common", Decimal("24.5"), "公文超期")
        assert (entry.filed_by, entry.decided_by) == (desk.staff["office"], desk.staff["office2"])

    def test_confirming_owes_a_composite(self, connection, desk):
        indicators.confirm_batch(connection, file_it(connection, desk), desk.staff["office2"], NOW)
        keys = connection.execute(select(owed.outbox.c.key).where(owed.outbox.c.topic == "compose")).scalars().all()
        assert f"{desk.evaluation.id}:indicator" in keys

    def test_who_filed_it_cannot_confirm_it(self, connection, desk):
        batch = file_it(connection, desk)
        with pytest.raises(Refused, match="second_person_needed"):
            indicators.confirm_batch(connection, batch, desk.staff["office"], NOW)

    def test_the_same_file_again_is_the_same_batch(self, connection, desk):
        first = file_it(connection, desk)
        assert file_it(connection, desk, who="office2") == first
        indicators.confirm_batch(connection, first, desk.staff["office2"], NOW)
        assert file_it(connection, desk) == first
        assert len(stored.batches_of(connection, desk.evaluation.id)) == 1

    def test_confirming_twice_enters_the_deductions_once(self, connection, desk):
        batch = file_it(connection, desk)
        for _ in range(2):
            indicators.confirm_batch(connection, batch, desk.staff["office2"], NOW)
        assert len(entries_of(connection, desk.evaluation.id)) == 1

    def test_who_decided_a_file_does_not_decide_it_the_other_way(self, connection, desk):
        person = desk.staff["office2"]
        counts = file_it(connection, desk)
        indicators.confirm_batch(connection, counts, person, NOW)
        before = stored.scores_of(connection, desk.evaluation.id)
        with pytest.raises(Refused, match="batch_decided"):
            indicators.reject_batch(connection, counts, person, "改主意了", NOW)
        assert stored.scores_of(connection, desk.evaluation.id) == before

    def test_a_rejected_file_never_counts_and_may_come_again(self, connection, desk):
        first = file_it(connection, desk)
        with pytest.raises(Refused, match="batch_reason_missing"):
            indicators.reject_batch(connection, first, desk.staff["office2"], "", NOW)
        indicators.reject_batch(connection, first, desk.staff["office2"], "得分与会议纪要不符", NOW)
        with pytest.raises(Refused, match="batch_decided"):
            indicators.confirm_batch(connection, first, desk.staff["office2"], NOW)
        assert stored.scores_of(connection, desk.evaluation.id) == {}
        assert file_it(connection, desk) != first
        with pytest.raises(Refused, match="batch_decided"):
            indicators.confirm_batch(connection, first, desk.staff["office"], NOW)

    def test_a_correction_is_a_newer_file_and_shows_the_present_score(self, connection, desk):
        indicators.confirm_batch(connection, file_it(connection, desk), desk.staff["office2"], NOW)
        corrected = HEADINGS + "education,差异性指标,925,,复核后更正\n"
        (change,) = indicators.read_file(connection, desk.evaluation, corrected.encode())
        assert (change.present, change.row.points) == (Decimal("921.5000"), 925)
        indicators.confirm_batch(connection, file_it(connection, desk, corrected), desk.staff["office2"], NOW)
        assert stored.scores_of(connection, desk.evaluation.id)["education", "indicator.differential"] == 925

    def test_a_deduction_that_the_ledger_has_is_not_made_twice(self, connection, desk):
        indicators.confirm_batch(connection, file_it(connection, desk), desk.staff["office2"], NOW)
        again = GOOD.replace("921.50", "930")
        with pytest.raises(Refused, match="csv_deduction_known"):
            file_it(connection, desk, again)

    def test_a_reversed_deduction_may_be_made_anew(self, connection, desk):
        indicators.confirm_batch(connection, file_it(connection, desk), desk.staff["office2"], NOW)
        (entry,) = entries_of(connection, desk.evaluation.id)
        request = ledger.ask_reversal(connection, entry.seq, desk.staff["office"], "采集有误", NOW)
        ledger.decide_reversal(connection, request, desk.staff["office3"], True, "", NOW)
        assert file_it(connection, desk, GOOD.replace("921.50", "930"))

    def test_what_a_survey_measures_cannot_be_imported(self, connection, desk):
        with pytest.raises(Refused, match="csv_component_unknown"):
            file_it(connection, desk, HEADINGS + "education,public_review.residents,900,,依据\n")

    def test_what_no_survey_measures_can(self, connection, desk):
        assert file_it(connection, desk, HEADINGS + "education,public_review.supervisors,900,,依据\n")
