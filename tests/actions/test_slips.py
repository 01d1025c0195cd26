"""What a slip says of its deduction."""

from api.actions import indicators
from api.actions.indicators import File
from api.actions.slips import tell_deduction
from api.store.ledger import entries_of
from api.store.slips import slip_numbered
from tests.desk import NOW, a_desk

SHEET = "单位,指标,得分,扣分,依据\n市体育局,共同性指标,,24.5,公文超期\n"


def test_a_deduction_from_an_indicator_file_has_a_rule_in_words(connection):
    desk = a_desk(connection)
    batch = indicators.file_batch(connection, desk.evaluation, File("a.csv", SHEET.encode()), desk.staff["office"], NOW)
    indicators.confirm_batch(connection, batch, desk.staff["office2"], NOW)
    (entry,) = entries_of(connection, desk.evaluation.id)
    slip = slip_numbered(connection, tell_deduction(connection, entry.seq, NOW))
    assert (slip.about["rule_zh"], slip.about["rule_en"]) == ("指标数据采集", "Indicator data")
