"""What may be told of an evaluation: no hidden figure can be worked out from the published ones."""

from api.actions.report import read_report
from tests.desk import a_scored_desk


def hidden_groups(connection, desk) -> dict[str, set[str]]:
    report = read_report(connection, desk.evaluation)
    found: dict[str, set[str]] = {unit: set() for unit in desk.units}
    for one in report.estimates:
        assert (one.value is None) == one.hidden
        if one.hidden:
            found[one.unit.code].add(one.group)
    return found


def test_a_group_hidden_alone_would_follow_from_the_composite_so_another_is_hidden_with_it(connection):
    desk = a_scored_desk(connection, few=9)
    assert set(map(frozenset, hidden_groups(connection, desk).values())) == {
        frozenset({"party_delegates", "residents"})
    }


def test_where_enough_answered_nothing_is_hidden(connection):
    desk = a_scored_desk(connection, few=24)
    assert not any(hidden_groups(connection, desk).values())
