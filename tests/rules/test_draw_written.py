"""Drawing by a written plan: bent inputs are refused, and `mingcha draw` answers for every method."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from api import cli
from survey_forms.refusal import Refused
from survey_forms.sampling.drawing import Draw, draw_plan
from survey_forms.sampling.plan import PlanLine, plan_of, plan_with
from survey_forms.sampling.record import record_of
from tests.rules.members import MEMBERS, METHODS, frame_for, frame_text, planned


@pytest.mark.parametrize(
    ("column", "value"), [("latitude", "24.111111"), ("size", "77"), ("sort", "350299"), ("unit_id", "x")]
)
def test_one_changed_fact_makes_another_plan_and_the_committed_one_refuses_it(column: str, value: str) -> None:
    selection, order = ("systematic_pps", "administrative") if column in {"size", "sort"} else ("systematic", "hilbert")
    frame, plan = planned(selection, order)
    bent = [dict(one) for one in MEMBERS]
    bent[5][column] = value
    other = frame_for(plan.columns, bent)
    assert other.facts_sha256 != frame.facts_sha256
    with pytest.raises(Refused, match="plan_of_another_frame"):
        draw_plan(other, plan, "r")


def test_numbers_mean_the_same_however_they_are_spelt() -> None:
    spelt = [one | {"latitude": one["latitude"] + "000"} for one in MEMBERS]
    columns = ("latitude", "longitude")
    assert frame_for(columns, spelt) == frame_for(columns)


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("latitude", "90.000001", "draw_number_wrong"),
        ("longitude", "-180.5", "draw_number_wrong"),
        ("latitude", "nan", "draw_number_wrong"),
        ("latitude", "1e3", "draw_number_wrong"),
        ("size", "-1", "draw_number_wrong"),
        ("size", "1000000000001", "draw_number_wrong"),
        ("size", "1.0000001", "draw_number_wrong"),
        ("sort", '"a,b"', "draw_character_forbidden"),
        ("size", "", "draw_fact_missing"),
        ("sort", "", "draw_fact_missing"),
        ("latitude", "", "draw_fact_missing"),
    ],
)
def test_a_fact_that_cannot_decide_is_refused(column: str, value: str, code: str) -> None:
    bent = [dict(one) for one in MEMBERS]
    bent[3][column] = value
    selection = "systematic_pps"
    order = "administrative" if column in {"size", "sort"} else "hilbert"
    lines = (PlanLine("east", 3, "p:1", selection, order),)

    def drawn() -> Draw:
        frame = frame_for(plan_with(lines).columns, bent)
        return draw_plan(frame, plan_with(lines, frame.facts_sha256), "r")

    with pytest.raises(Refused, match=code) as caught:
        drawn()
    assert caught.value.faults[0].path in {"f:5", "p:1"}


def test_more_than_have_a_size_are_refused_with_the_line() -> None:
    lines = (PlanLine("west", 3, "p:1", "pareto"), PlanLine("east", 2, "p:2", "pareto"))
    sized = [
        one | {"size": "7" if one["unit_id"] in {"west-001", "west-002", "east-001", "east-002"} else "0"}
        for one in MEMBERS
    ]
    frame = frame_for(("size",), sized)
    with pytest.raises(Refused, match="pps_too_few") as caught:
        draw_plan(frame, plan_with(lines, frame.facts_sha256), "r")
    assert [(one.path, dict(one.facts)) for one in caught.value.faults] == [("p:1", {"n": 3, "able": 2})]


def test_a_frame_without_the_columns_is_refused() -> None:
    lines = (PlanLine("east", 3, "p:1", "pareto"),)
    with pytest.raises(Refused, match="draw_fact_missing"):
        draw_plan(frame_for(()), plan_with(lines), "r")


ENVIRONMENT = {"PATH": os.environ["PATH"]}
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    (tmp_path / "frame.csv").write_text(frame_text(), "utf-8")

    def command(plan: str, *arguments: str) -> tuple[int, str, str]:
        (tmp_path / "plan.toml").write_text(plan, "utf-8")
        files = ["--frame", str(tmp_path / "frame.csv"), "--plan", str(tmp_path / "plan.toml")]
        monkeypatch.setattr("sys.argv", ["mingcha", "draw", *files, "--randomness", "r", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command


@pytest.mark.parametrize(("selection", "order"), METHODS)
def test_the_command_draws_by_a_written_plan_and_answers_why(selection: str, order: str, run: Run) -> None:
    text = f'allocation = "proportional"\ntotal = 22\nselection = "{selection}"\norder = "{order}"\nreserve = 3\n'
    code, out, _ = run(text)
    assert code == 0
    record = json.loads(out)
    assert {stratum: told["n"] for stratum, told in record["strata"].items()} == {"east": 14, "west": 8}
    assert record["format"] == "survey-draw/2"
    told = record["strata"]["west"]
    others = {one["unit_id"] for one in MEMBERS} - {
        *told["sample"],
        *told["reserve"],
        *record["strata"]["east"]["sample"],
        *record["strata"]["east"]["reserve"],
    }
    for unit, role, word in (
        (told["sample"][0], "main", "抽中"),
        (told["reserve"][0], "reserve", "备用"),
        (min(others), "none", "未抽中"),
    ):
        code, out, err = run(text, "--check-id", unit)
        check = json.loads(out)["check"]
        assert (code, check["role"], check["drawn"]) == (0, role, role == "main")
        assert word in err
        assert check["ticket"] in err


def test_a_written_plan_of_tickets_prints_the_plain_record(run: Run) -> None:
    _, out, _ = run('[[stratum]]\ncode = "east"\nn = 5\n')
    record = json.loads(out)
    frame = frame_for(())
    plan = plan_of([("", "east", "5")])
    assert record == json.loads(json.dumps(record_of(plan, draw_plan(frame, plan, "r"))))
    assert record["format"] == "survey-draw/1"
    assert list(record["strata"]["east"]) == [
        *("N", "n", "srs_sample", "reserve_first5", "srs_threshold", "systematic_indices_0based")
    ]


@pytest.mark.parametrize(
    ("plan", "arguments", "word"),
    [
        ('[[stratum]]\ncode = "north"\nn = 5\n', (), "north"),
        (
            'allocation = "neyman"\ntotal = 5\n[[stratum]]\ncode = "east"\nspread = nan\n',
            (),
            "plan.toml:stratum[1].spread",
        ),
        ('allocation = "equal"\ntotal = -5\n', (), "plan.toml:total"),
        (
            'allocation = "equal"\ntotal = 100\nselection = "pareto"\nreserve = 999999999\n',
            ("--check-id", "nobody"),
            "nobody",
        ),
        ("\x00", (), "TOML"),
    ],
)
def test_the_command_refuses_what_a_plan_may_not_say(
    plan: str, arguments: tuple[str, ...], word: str, run: Run
) -> None:
    code, out, err = run(plan, *arguments)
    assert (code, out) == (2, "")
    assert word in err


def test_the_commands_of_the_handbook_find_the_same_seed_and_tickets(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "draw.md").read_text("utf-8")
    frame_hash, plan_hash, seed, ticket = re.findall(r"`([^`]*\| sha256sum)`", text)
    (tmp_path / "frame.csv").write_text(frame_text(MEMBERS[::-1]), "utf-8")
    (tmp_path / "plan.csv").write_text("stratum,n\nwest,4\neast,7\n", "utf-8")
    plan = plan_of([("", "west", "4"), ("", "east", "7")])
    frame = frame_for((), MEMBERS[::-1])
    drawing = draw_plan(frame, plan, "03 09: a lottery")

    def shell(line: str, **known: str) -> str:
        done = subprocess.run(
            ["sh", "-c", line], cwd=tmp_path, env=known | ENVIRONMENT, capture_output=True, check=True
        )
        return done.stdout.decode().split()[0]

    hashes = {"FRAME_HASH": shell(frame_hash), "PLAN_HASH": shell(plan_hash)}
    assert hashes == {"FRAME_HASH": frame.sha256, "PLAN_HASH": plan.sha256}
    assert shell(seed, **hashes, RANDOMNESS=drawing.randomness) == drawing.seed
    west = drawing.strata[0]
    found = shell(ticket, SEED=drawing.seed, STRATUM="west", UNIT=west.sample[-1])
    assert found == west.threshold


def test_a_huge_reserve_is_the_whole_line() -> None:
    frame, _ = planned("systematic", "none")
    lines = (PlanLine("west", 3, "", "systematic", reserve=10**9), PlanLine("east", 0, "", "pareto", reserve=10**9))
    frame = frame_for(plan_with(lines).columns)
    drawing: Draw = draw_plan(frame, plan_with(lines, frame.facts_sha256), "r")
    assert sorted(drawing.strata[0].sample + drawing.strata[0].reserve) == sorted(frame.members["west"])
    assert drawing.strata[1].sample == drawing.strata[1].reserve == ()
