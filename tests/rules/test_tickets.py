"""The verifiable draw: the published vectors, the recipe itself, the command, and every refusal."""

import json
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from api import cli
from api.problems import say
from survey_forms.refusal import Refused
from survey_forms.sampling.drawing import draw_plan, draw_stratum, standing
from survey_forms.sampling.frame import Frame, frame_of, read_frame
from survey_forms.sampling.plan import Plan, plan_of, read_plan
from survey_forms.sampling.tickets import seed_of, systematic_places, ticket

EXPECTED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "expected_draw.json").read_text("utf-8"))

ids = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=',"\0\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029'), min_size=1
).filter(str.strip)


def frame_text() -> str:
    """The frame of the published vectors, from their recipe: ids are `stratum-00001`, `stratum-00002`, …"""
    rows = [
        f"{stratum},{stratum}-{number:05d}"
        for stratum, drawn in EXPECTED["strata"].items()
        for number in range(1, drawn["N"] + 1)
    ]
    return "\n".join(["stratum,unit_id", *rows]) + "\n"


def plan_text() -> str:
    return "stratum,n\n" + "".join(f"{stratum},{drawn['n']}\n" for stratum, drawn in EXPECTED["strata"].items())


def hashed(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()


def frame_with(members: dict[str, Sequence[str]]) -> Frame:
    return frame_of(("here", stratum, unit) for stratum, units in members.items() for unit in units)


def plan_with(sizes: dict[str, int]) -> Plan:
    return plan_of(("here", stratum, str(n)) for stratum, n in sizes.items())


def faults_of(frame: str, plan: str = "stratum,n\na,1\n") -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        draw_plan(
            read_frame(frame.splitlines(keepends=True), "f.csv"),
            read_plan(plan.splitlines(keepends=True), "p.csv"),
            "r",
        )
    for fault in caught.value.faults:
        assert fault.path in say(fault, "zh")
        assert "<" not in say(fault, "zh") + say(fault, "en")  # no blank left unfilled
    return [(fault.code, fault.path) for fault in caught.value.faults]


# --- the recipe -------------------------------------------------------------------------------------------------


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["mingcha", "draw", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    (tmp_path / "frame.csv").write_text(frame_text(), "utf-8")
    (tmp_path / "plan.csv").write_text(plan_text(), "utf-8")
    return ["--frame", str(tmp_path / "frame.csv"), "--plan", str(tmp_path / "plan.csv")]


def test_the_command_prints_the_published_draw(
    files: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *files, "--randomness", EXPECTED["randomness"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {key: value for key, value in EXPECTED.items() if key != "recipe"}
    assert list(printed["strata"]) == list(EXPECTED["strata"])


@pytest.mark.parametrize("stratum", EXPECTED["strata"])
def test_anybody_can_ask_about_one_unit(
    stratum: str, files: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = EXPECTED["strata"][stratum]
    line = [*wanted["srs_sample"], *wanted["reserve_first5"]]
    for place, unit in enumerate(line[-7:], start=max(1, len(line) - 6)):
        assert run(monkeypatch, *files, "--randomness", EXPECTED["randomness"], "--check-id", unit) == 0
        out, err = capsys.readouterr()
        check = json.loads(out)["check"]
        assert check == {
            "unit_id": unit,
            "stratum": stratum,
            "ticket": hashed(f"{EXPECTED['seed']}|{stratum}|{unit}"),
            "value": hashed(f"{EXPECTED['seed']}|{stratum}|{unit}"),
            "threshold": wanted["srs_threshold"],
            "place": place,
            "drawn": place <= wanted["n"],
            "role": "main" if place <= wanted["n"] else "reserve",
        }
        assert ("抽中" in err) == (check["ticket"] <= wanted["srs_threshold"]) or "未抽中" in err


def test_the_command_refuses_in_two_languages_and_names_the_row(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "frame.csv").open("ab") as frame:
        frame.write(b"enterprise,enterprise-00001\nenterprise,\xcf\xe3\xb8\xdb\n")
    assert run(monkeypatch, *files, "--randomness", "r") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "frame.csv:251" in err
    assert "enterprise-00001 前面已经出现过" in err
    assert "the id enterprise-00001 occurs above already" in err
    assert "frame.csv:252: unit_id is not UTF-8" in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--randomness", " "], "randomness"),
        (["--randomness", "r", "--check-id", "nobody"], "nobody"),
        (["--randomness", "r", "--frame", "/nowhere/frame.csv"], "/nowhere/frame.csv"),
        (["--randomness", "r", "--plan", "/"], "cannot be opened"),
    ],
)
def test_the_command_refuses_what_it_cannot_use(
    arguments: list[str],
    word: str,
    files: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(monkeypatch, *files, *arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert word in err


def test_a_plan_without_strata_is_refused(
    files: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "plan.csv").write_text("stratum,n\n", "utf-8")
    assert run(monkeypatch, *files, "--randomness", "r") == 2
    assert "plan.csv" in capsys.readouterr().err


members_strategy = st.lists(ids, min_size=1, max_size=25, unique=True)


@given(members_strategy, ids, st.data())
def test_the_draw_is_the_recipe_word_for_word(units: list[str], stratum: str, data: st.DataObject) -> None:
    n = data.draw(st.integers(0, len(units)))
    frame, plan = frame_with({stratum: units}), plan_with({stratum: n})
    assert frame.sha256 == hashed("".join(f"{stratum},{unit}\n" for unit in units))
    assert plan.sha256 == hashed(f"{stratum},{n}\n")
    drawing = draw_plan(frame, plan, "公开 values")
    assert drawing.seed == hashed(f"mingcha-draw/1\n{frame.sha256}\n{plan.sha256}\n公开 values\n")
    line = sorted(units, key=lambda unit: (hashed(f"{drawing.seed}|{stratum}|{unit}"), unit.encode()))
    (drawn,) = drawing.strata
    assert drawn.sample == tuple(line[:n])
    assert drawn.reserve == tuple(line[n : n + 5])
    assert drawn.threshold == (hashed(f"{drawing.seed}|{stratum}|{line[n - 1]}") if n else None)
    start = int(hashed(f"{drawing.seed}|start|{stratum}")[:16], 16)
    places = tuple(((start + i * 2**64) * len(units)) // (n * 2**64) for i in range(n))
    assert drawn.systematic == places
    asked = data.draw(st.sampled_from(units))
    assert standing(frame, plan, drawing, asked).place == line.index(asked) + 1
    assert standing(frame, plan, drawing, asked).drawn == (asked in drawn.sample)


@given(st.lists(ids, min_size=2, max_size=6, unique=True))
def test_strata_are_hashed_in_byte_order_whatever_the_order_of_the_file(strata: list[str]) -> None:
    members = {stratum: [f"{place}a", f"{place}b"] for place, stratum in enumerate(strata)}
    text = "".join(f"{stratum},{unit}\n" for stratum in sorted(strata, key=str.encode) for unit in members[stratum])
    assert frame_with(members).sha256 == frame_with(dict(reversed(members.items()))).sha256 == hashed(text)
    plan = "".join(f"{stratum},1\n" for stratum in sorted(strata, key=str.encode))
    assert plan_with(dict.fromkeys(strata, 1)).sha256 == hashed(plan)


@given(st.integers(1, 300), st.data())
def test_systematic_places_are_distinct_in_order_and_evenly_apart(size: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, size))
    places = systematic_places("seed", "stratum", size, n)
    assert len(set(places)) == n
    assert list(places) == sorted(places)
    assert 0 <= places[0] <= places[-1] < size
    gaps = {after - before for before, after in pairwise(places)}
    assert gaps <= {size // n, size // n + 1}


def test_a_longer_reserve_continues_the_same_line() -> None:
    units = [f"u{number}" for number in range(50)]
    short, long = draw_stratum("s", "h", units, 10), draw_stratum("s", "h", units, 10, reserve=40)
    assert long.sample == short.sample
    assert long.reserve[:5] == short.reserve
    assert sorted(long.sample + long.reserve) == sorted(units)


def test_every_unit_is_drawn_equally_often() -> None:
    units = [f"u{number}" for number in range(20)]
    seeds = 4000
    drawn = Counter(unit for seed in range(seeds) for unit in draw_stratum(str(seed), "h", units, 5).sample)
    share = 5 / 20
    # counts of fixed-size draws: variance n(1-f) with the correction (N-1)/N of sampling without replacement
    statistic = sum((drawn[unit] - seeds * share) ** 2 / (seeds * share * (1 - share)) for unit in units) * 19 / 20
    assert statistic < chi2.ppf(0.999, 19)


def test_randomness_that_is_no_text_is_refused() -> None:
    with pytest.raises(Refused, match="draw_randomness_missing"):
        seed_of("f", "p", "\udcff")
    assert ticket("s", "h", "u") == hashed("s|h|u")


# --- what is refused --------------------------------------------------------------------------------------------

HEAD = "stratum,unit_id\n"


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        ("", ("draw_columns_missing", "f.csv:1")),
        ("stratum,name\na,1\n", ("draw_columns_missing", "f.csv:1")),
        ("stratum,unit_id,unit_id\na,1,2\n", ("draw_columns_missing", "f.csv:1")),
        (HEAD + "a,1\na,2\na,1\n", ("draw_unit_twice", "f.csv:4")),
        (HEAD + "a,1\nb,2\nb,1\n", ("draw_unit_twice", "f.csv:4")),
        (HEAD + 'a,"1,5"\n', ("draw_character_forbidden", "f.csv:2")),
        (HEAD + 'a,1"5\n', ("draw_character_forbidden", "f.csv:2")),
        (HEAD + 'a,0\n\na,"1\n5"\n', ("draw_character_forbidden", "f.csv:4")),
        (HEAD + "a,1\0\n", ("draw_character_forbidden", "f.csv:2")),
        (HEAD + '"a,b",1\n', ("draw_character_forbidden", "f.csv:2")),
        (HEAD + "a,\udcff\n", ("draw_not_utf8", "f.csv:2")),
        (HEAD + "a, \n", ("draw_field_empty", "f.csv:2")),
        (HEAD + ",1\n", ("draw_field_empty", "f.csv:2")),
        (HEAD + "a,1\na\n", ("draw_row_incomplete", "f.csv:3")),
        (HEAD + 'a,1\na,"2"x\n', ("draw_row_unreadable", "f.csv:3")),
        (HEAD + 'a,1\na,"2\n', ("draw_row_unreadable", "f.csv:3")),
    ],
)
def test_a_frame_that_cannot_be_committed_is_refused_with_its_row(frame: str, fault: tuple[str, str]) -> None:
    assert faults_of(frame) == [fault]


@pytest.mark.parametrize("end", ["\v", "\f", "\x1c", "\x85", "\u2028"])
def test_no_unit_may_hold_what_some_reader_takes_for_the_end_of_a_line(end: str) -> None:
    with pytest.raises(Refused, match="draw_character_forbidden"):
        frame_with({"a": [f"1{end}2"]})


@pytest.mark.parametrize(
    ("plan", "fault"),
    [
        ("stratum,n\na,3\n", ("draw_size_too_large", "p.csv:2")),
        ("stratum,n\na,1\nb,1\n", ("draw_stratum_unknown", "p.csv:3")),
        ("stratum,n\na,1\na,1\n", ("draw_stratum_twice", "p.csv:3")),
        ("stratum,n\na,-1\n", ("draw_size_not_whole", "p.csv:2")),
        ("stratum,n\na,1.0\n", ("draw_size_not_whole", "p.csv:2")),
        ("stratum,n\na,01\n", ("draw_size_not_whole", "p.csv:2")),
        ("stratum,n\na,\uff11\n", ("draw_size_not_whole", "p.csv:2")),
        ("stratum,n\na,\n", ("draw_size_not_whole", "p.csv:2")),
        ("stratum,size\na,1\n", ("draw_columns_missing", "p.csv:1")),
    ],
)
def test_a_plan_that_the_frame_cannot_meet_is_refused_with_its_row(plan: str, fault: tuple[str, str]) -> None:
    assert faults_of(HEAD + "a,1\na,2\n", plan) == [fault]


def test_all_faults_are_told_at_once_up_to_twenty() -> None:
    assert faults_of(HEAD + "a,1\na,1\na,\na,2\na,2\n") == [
        ("draw_unit_twice", "f.csv:3"),
        ("draw_field_empty", "f.csv:4"),
        ("draw_unit_twice", "f.csv:6"),
    ]
    assert len(faults_of(HEAD + "a,1\n" * 1000)) == 20


def test_other_columns_a_byte_order_mark_and_windows_line_ends_do_not_matter() -> None:
    plain = read_frame(["stratum,unit_id\n", "a,1\n", "a,2\n"])
    assert read_frame(["\ufeffname,unit_id,stratum\r\n", "Li,1,a\r\n", "\r\n", "Wu,2,a\r\n"]) == plain
