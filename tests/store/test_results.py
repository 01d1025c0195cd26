"""Estimates: a newer tally overwrites, an older one never does."""

from api.store.results import estimates_of, put_estimates


def a_row(value: float, version: int) -> dict[str, object]:
    named = {"survey_id": 1, "unit": "u", "group_code": "g"}
    return {**named, "value": value, "se": 1.0, "df": 9.0, "low": 0.0, "high": 100.0, "n": 10, "flags": [],
            "tally_version": version}  # fmt: skip


def test_an_older_tally_never_overwrites_a_newer_one(connection):
    put_estimates(connection, [])
    for value, version in ((1.0, 3), (2.0, 2), (3.0, 3), (4.0, 4), (5.0, 1)):
        put_estimates(connection, [a_row(value, version)])
    assert [(row["value"], row["tally_version"]) for row in estimates_of(connection, 1)] == [(4.0, 4)]
