"""A draw is committed by one, made by another after the randomness is known, once; and anybody can repeat it."""

import csv
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, update

from api.actions import draws as actions
from api.actions.draw_record import public_record, was_drawn
from api.actions.draws import Commitment, commit_plan, draw_frame, look_at_plan
from api.actions.frames import canonical_csv, take_populations
from api.commands.draw import draw_command
from api.store import draws, evaluations, frames, listed, roll, surveys
from survey_forms.refusal import Refused
from tests.draws import AFTER, FORM, KNOWN, PLAN, RANDOMNESS, SOURCE, a_frame, another_frame, drawn, planned
from tests.frames import NOW, a_registry, members


@pytest.fixture
def registry(tmp_path):
    return a_registry(tmp_path)


@pytest.fixture
def framed(connection, registry):
    return a_frame(connection, registry)


def refused(act, *given) -> str:
    with pytest.raises(Refused) as caught:
        act(*given)
    return caught.value.code


def cases_of(connection, draw_id):
    return connection.execute(
        select(roll.case).where(roll.case.c.draw_id == draw_id).order_by(roll.case.c.stratum, roll.case.c.position)
    ).all()


def repeated(connection, framed, tmp_path, plan: str, suffix: str = "toml") -> dict:
    """What `mingcha draw` says, from what the office and the public page give."""
    frame_file, plan_file = tmp_path / "frame.csv", tmp_path / f"plan.{suffix}"
    frame_file.write_bytes(b"".join(canonical_csv(connection, framed.frame_id)))
    plan_file.write_text(plan)
    line = ["--frame", str(frame_file), "--plan", str(plan_file), "--randomness", RANDOMNESS]
    told = CliRunner().invoke(draw_command, line, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def test_the_command_repeats_seed_and_samples_from_what_was_published(connection, registry, framed, tmp_path):
    draw_id = drawn(connection, registry, framed)
    found = draws.draw_of(connection, framed.frame_id)
    record = public_record(
        connection,
        frames.frame_numbered(connection, framed.frame_id),
        draws.plans_of(connection, framed.frame_id),
        found,
    )
    for plan, suffix in ((PLAN, "toml"), (f"stratum,n\n{record['plan_text']}", "csv")):
        again = repeated(connection, framed, tmp_path, plan, suffix)
        assert (again["seed"], again["frame_sha256"], again["plan_sha256"]) == (
            record["seed"], record["frame_sha256"], record["plan_sha256"]
        )  # fmt: skip
        for stratum, told in again["strata"].items():
            kept = [one for one in cases_of(connection, draw_id) if one.stratum == stratum]
            assert [one.member for one in kept if one.kind == "main"] == told.get("srs_sample", told.get("sample"))
            assert record["strata"][stratum]["threshold"] == told.get("srs_threshold", told.get("threshold"))
            assert record["strata"][stratum]["n"] == told["n"]
    text = f"mingcha-draw/1\n{record['frame_sha256']}\n{record['plan_sha256']}\n{RANDOMNESS}\n"
    assert sha256(text.encode()).hexdigest() == record["seed"]
    assert sha256(record["plan_text"].encode()).hexdigest() == record["plan_sha256"]
    assert not any(member in json.dumps(record, ensure_ascii=False) for member, *_ in members(600))


@pytest.mark.parametrize(
    "plan",
    [
        'allocation = "equal"\ntotal = 20\nselection = "systematic"\norder = "hilbert"\nreserve = 3\n',
        'allocation = "equal"\ntotal = 20\nselection = "systematic"\norder = "administrative"\n',
        'allocation = "equal"\ntotal = 20\nselection = "pareto"\nreserve = 2\n',
    ],
)
def test_walks_and_sizes_are_repeated_too(connection, registry, tmp_path, plan):
    rows = [
        (f"V{at:03}", ("siming", "huli")[at % 2], f"24.{4000 + at * 37 % 900}", f"118.{1000 + at * 53 % 700}",
         f"35020{at % 6}{at:04}", str(200 + at * 13 % 400))
        for at in range(120)
    ]  # fmt: skip
    headings = ("编号", "层", "纬度", "经度", "排序码", "户数")
    fields = dict(zip(("member", "stratum", "latitude", "longitude", "sort", "size"), headings, strict=True))
    framed = a_frame(connection, registry, rows, fields, headings)
    draw_id = drawn(connection, registry, framed, plan)
    again = repeated(connection, framed, tmp_path, plan)
    assert again["seed"] == draws.draw_of(connection, framed.frame_id).seed
    exported = b"".join(canonical_csv(connection, framed.frame_id)).decode().splitlines()
    assert exported[0] == "stratum,unit_id,latitude,longitude,size,sort"
    sizes = {row["unit_id"]: float(row["size"]) for row in csv.DictReader(exported)}
    whole = {s: sum(sizes[row[0]] for row in rows if row[1] == s) for s in ("siming", "huli")}
    for one in cases_of(connection, draw_id):
        expected = 10 * sizes[one.member] / whole[one.stratum] if "pareto" in plan else 10 / 60
        assert one.inclusion == pytest.approx(expected)
    kept = {one.member for one in cases_of(connection, draw_id) if one.kind == "main"}
    told = json.dumps(again)
    assert len(kept) == 20
    assert all(f'"{member}"' in told for member in kept)


def test_cases_carry_place_ticket_chance_cell_and_a_contact_of_their_own(connection, registry, framed):
    draw_id = drawn(connection, registry, framed)
    about = {row[0]: row for row in members(600)}
    found = draws.draw_of(connection, framed.frame_id)
    for stratum in ("huli", "siming"):
        line = [one for one in cases_of(connection, draw_id) if one.stratum == stratum]
        assert [one.position for one in line] == list(range(1, len(line) + 1))
        assert [one.ticket for one in line] == sorted(one.ticket for one in line)
        assert [one.kind for one in line] == ["main"] * 30 + ["reserve"] * 4
        for one in line:
            assert one.ticket == sha256(f"{found.seed}|{stratum}|{one.member}".encode()).hexdigest()
            assert one.inclusion == pytest.approx(30 / 300)
            assert one.wcell == f"age={about[one.member][4]}|sex={about[one.member][3]}"
    reached = listed.cases_of(connection, framed.survey.id)
    assert len(reached) == 60  # reserves are nobody's business before their release
    for case in reached:
        assert registry.safe.open_contact(case.id, case.contact).phone == about[case.member][2]


def test_nobody_draws_early_alone_twice_or_without_a_plan(connection, registry, framed):
    def draw(staff, now):
        return draw_frame(connection, registry.safe, framed.frame_id, RANDOMNESS, staff, now)

    assert refused(draw, framed.other, AFTER) == "draw_plan_uncommitted"
    planned(connection, framed)
    assert refused(draw, framed.other, KNOWN - timedelta(seconds=1)) == "draw_too_early"
    assert refused(draw, framed.staff, AFTER) == "draw_same_person"
    draw(framed.other, AFTER)
    assert refused(draw, framed.other, AFTER) == "draw_twice"
    assert refused(planned, connection, framed) == "draw_twice"
    actions.note_refusal(connection, framed.frame_id, "draw_twice", "another", framed.other, AFTER)
    assert [(one.code, one.randomness) for one in draws.refusals_of(connection, framed.frame_id)] == [
        ("draw_twice", "another")
    ]


def test_another_frame_gives_no_second_sample_of_the_same_strata(connection, registry, framed):
    drawn(connection, registry, framed)
    second = another_frame(connection, registry, framed.survey, framed.staff, members(580))
    said = Commitment(PLAN, SOURCE, KNOWN, FORM)
    assert refused(commit_plan, connection, second, said, framed.staff, NOW) == "plan_strata_elsewhere"
    (told,) = draws.plans_of(connection, framed.frame_id)
    columns = ("text", "digest", "source", "randomness_source", "known_from", "committed_by", "committed_at")
    draws.add_plan(connection, {name: getattr(told, name) for name in columns} | {"frame_id": second})  # as of old
    assert refused(draw_frame, connection, registry.safe, second, RANDOMNESS, framed.other, AFTER) == (
        "draw_strata_drawn"
    )
    assert refused(take_populations, connection, second, framed.staff, NOW) == "frame_population_fixed"


def test_a_plan_is_exchanged_only_before_its_randomness_can_be_known(connection, registry, framed):
    planned(connection, framed)
    other = PLAN.replace("60", "80")
    commit_plan(
        connection, framed.frame_id, Commitment(other, SOURCE, KNOWN, FORM), framed.staff, NOW + timedelta(hours=1)
    )
    late = Commitment(PLAN, SOURCE, KNOWN + timedelta(days=9), FORM)
    assert refused(commit_plan, connection, framed.frame_id, late, framed.staff, KNOWN) == "plan_ripe"
    draw_frame(connection, registry.safe, framed.frame_id, RANDOMNESS, framed.other, AFTER)
    assert len(listed.cases_of(connection, framed.survey.id)) == 80
    assert len(draws.plans_of(connection, framed.frame_id)) == 2  # both stay to be seen


def test_every_fault_of_a_commitment_is_told_at_once(connection, framed):
    with pytest.raises(Refused) as caught:
        commit_plan(connection, framed.frame_id, Commitment('allocation = "most"\n', " ", NOW, " "), framed.staff, NOW)
    assert {fault.path for fault in caught.value.faults} >= {
        "randomness_source", "randomness_form", "known_from", "plan.toml:allocation"
    }  # fmt: skip
    assert draws.plans_of(connection, framed.frame_id) == []


def test_a_frame_that_was_touched_is_not_drawn_from(connection, registry, framed):
    planned(connection, framed)
    connection.execute(update(roll.frame_member).where(roll.frame_member.c.member == "M0000007").values(member="MINE"))
    assert refused(draw_frame, connection, registry.safe, framed.frame_id, RANDOMNESS, framed.other, AFTER) == (
        "draw_frame_changed"
    )


def test_a_frozen_round_is_left_alone(connection, registry, framed):
    connection.execute(
        update(evaluations.round_).where(evaluations.round_.c.id == framed.survey.round_id).values(status="frozen")
    )
    assert refused(planned, connection, framed) == "frame_round_over"
    assert refused(take_populations, connection, framed.frame_id, framed.staff, NOW) == "frame_round_over"
    assert refused(draw_frame, connection, registry.safe, framed.frame_id, "x", 1, AFTER) == "frame_round_over"


def test_a_plan_is_looked_at_before_it_is_committed(connection, framed):
    looked = look_at_plan(connection, framed.frame_id, PLAN)
    assert [(one.stratum, one.size, one.n) for one in looked.shares] == [("huli", 300, 30), ("siming", 300, 30)]
    # 1.96 · 15 · sqrt((1/30 - 1/300)) for a stratum; over both 1.96 · 15 · sqrt(2 · (1/2)² · …)
    assert looked.shares[0].half == pytest.approx(1.95996 * 15 * (1 / 30 - 1 / 300) ** 0.5, rel=1e-4)
    assert looked.half == pytest.approx(1.95996 * 15 * ((1 / 30 - 1 / 300) / 2) ** 0.5, rel=1e-4)
    assert refused(look_at_plan, connection, framed.frame_id, "total = ") == "plan_unreadable"
    assert refused(look_at_plan, connection, 999_999, PLAN) == "not_found"


def test_the_units_that_each_respondent_rates_come_from_the_plan_of_a_draft(connection, framed):
    for code in ("a", "b", "c"):
        connection.execute(
            insert(evaluations.unit).values(
                evaluation_id=framed.survey.evaluation_id, code=code, name_zh=code, name_en=code
            )
        )
    plan = f"{PLAN}units_per_respondent = 2\n"
    assert refused(planned, connection, framed, plan) == "plan_units_fixed"
    assert refused(planned, connection, framed, plan.replace("= 2", "= 3")) == "survey_units_unfit"
    connection.execute(
        update(evaluations.round_).where(evaluations.round_.c.id == framed.survey.round_id).values(status="draft")
    )
    planned(connection, framed, plan)
    asked = select(surveys.survey.c.units_per_respondent).where(surveys.survey.c.id == framed.survey.id)
    assert connection.execute(asked).scalar_one() == 2


def test_of_many_who_draw_at_once_one_does(engine, registry):
    with engine.begin() as connection:
        framed = a_frame(connection, registry)
        planned(connection, framed)

    def draw(number: int) -> str:
        try:
            with engine.begin() as session:
                text = f"0{number} 08 11 19 24 30 + 07"
                draw_frame(session, registry.safe, framed.frame_id, text, framed.other, AFTER)
        except Refused as refusal:
            return refusal.code
        return "drawn"

    with ThreadPoolExecutor(6) as people:
        assert sorted(people.map(draw, range(6))) == ["draw_twice"] * 5 + ["drawn"]
    with engine.connect() as connection:
        assert len(listed.cases_of(connection, framed.survey.id)) == 60


def test_whoever_knows_an_id_is_told_why(connection, registry, framed):
    draw_id = drawn(connection, registry, framed)
    found = draws.draw_of(connection, framed.frame_id)
    kept = {one.member: one for one in cases_of(connection, draw_id)}
    for member, stratum in (("M0000001", "huli"), ("M0000002", "siming"), *((m, c.stratum) for m, c in kept.items())):
        told = was_drawn(connection, found, member)
        own = sha256(f"{found.seed}|{stratum}|{member}".encode()).hexdigest()
        assert (told.ticket, told.stratum) == (own, stratum)
        assert (told.role == "main") == (own <= found.record["strata"][stratum]["threshold"])
        assert told.role == (kept[member].kind if member in kept else "none")
    assert was_drawn(connection, found, "nobody").role == "unknown"
