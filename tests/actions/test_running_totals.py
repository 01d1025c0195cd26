"""A deduction's whole way under four schemes: finding, second person, ledger, running total, composite, file."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, insert

from api.actions.inspections import decide_finding
from api.actions.ledger import ask_reversal, decide_reversal
from api.actions.results import compose
from api.actions.running_totals import RunningTotal, running_totals
from api.commands.score import score_command
from api.store import evaluations, indicators
from api.store.ledger import entries_of
from api.store.results import latest_composite
from api.store.sites import site
from survey_forms.numbers import plain
from survey_forms.scheme.load import DOCUMENTS
from tests.inspections import HALL, NOW, Town, a_check_in, a_finding, a_town

PER_CENT = "25"
CASES = {
    "xiamen-wf-2015": {
        "scores": {"indicator.differential": "900"}
        | {
            f"public_review.{group}": "850"
            for group in (
                "party_delegates", "peoples_congress_deputies", "cppcc_members", "residents", "enterprises",
                "supervisors", "conduct_review", "service_recipients", "city_district_mutual",
                "party_government_mutual",
            )
        },
        "findings": (("unattended_window", None), ("overdue_matter", "2.5"), ("late_or_early", None)),
        "counts": ("inspection", "9.5", ()),
        "composite": "894.50",  # 0.6 × (0.6 × 900 + 0.4 × 1000) + 0.4 × 850 − 9.5
        "reversed": "899.50",
    },
    "bailian": {
        "scores": {"indicator": "90"}
        | {f"public_review.{g}": "80" for g in ("deputies", "enterprises", "urban_residents", "rural_residents")},
        "findings": (
            ("duty_post_empty", None), ("unlawful_charge", "2"), ("rude_service", "0.75"), ("late_or_early", None),
        ),
        "counts": ("inspection", "3", (("total", "4.05", "1.05"),)),
        "composite": "85.00",  # 0.8 × 90 + 0.2 × 80 − 3, not − 4.05
        "reversed": "85.00",  # 3.05 stand: the cap still cuts 0.05
    },
    "hami-transport": {
        "scores": {"results": "92"},
        "findings": (("absent_from_labour", None), ("absent_from_study", None), ("absent_from_recreation", None)),
        "counts": ("efficiency", "1.5", ()),
        "composite": "94.60",  # 0.6 × 92 + 0.4 × (100 − 1.5)
        "reversed": "94.80",
    },
    "fangshan-2017": {
        "scores": {"daily.key": "90", "daily.functions": "80", "daily.common": "100"}
        | {f"report_review.{one}": "90" for one in ("district_leaders", "heads", "deputies", "cppcc_members")},
        "findings": (
            ("mid_year.no_record", None), ("year_end.evidence_untrue", "1.25"), ("rectification_late", None),
        ),
        "counts": ("daily", "1.95", ()),
        "composite": "88.04",  # 0.8 × (0.75 × 90 + 0.15 × 80 + 0.1 × 100 − 1.95) + 0.2 × 90
        "reversed": "88.20",
    },
}  # fmt: skip
SUPPLIED = {
    "xiamen-wf-2015": {
        "public_review.shares": dict.fromkeys(
            (path.partition(".")[2] for path in CASES["xiamen-wf-2015"]["scores"] if "public" in path), "10"
        ),
        "outstanding_base": "15",
    },
    "bailian": {
        "public_review.shares": dict.fromkeys(
            ("deputies", "enterprises", "urban_residents", "rural_residents"), PER_CENT
        )
    },
    "hami-transport": {},
    "fangshan-2017": {
        "report_review.shares": dict.fromkeys(("district_leaders", "heads", "deputies", "cppcc_members"), PER_CENT)
    },
}


def under(connection: Connection, scheme: str) -> Town:
    """The town's people, with an evaluation of one unit under that scheme."""
    town = a_town(connection)
    source = (DOCUMENTS / scheme / "scheme.toml").read_bytes()
    digest = sha256(source).hexdigest()
    versions, table = evaluations.scheme_version, evaluations.evaluation
    connection.execute(insert(versions).values(digest=digest, scheme=scheme, source=source.decode()))
    facts = {"code": "here", "year": 2017, "name_zh": "考评", "name_en": "Evaluation", "scheme_digest": digest}
    key = connection.execute(
        insert(table).values(**facts, supplied=SUPPLIED[scheme]).returning(table.c.id)
    ).scalar_one()
    unit_class = "department" if scheme == "fangshan-2017" else None
    unit = connection.execute(
        insert(evaluations.unit)
        .values(evaluation_id=key, code="one", name_zh="一科", name_en="One", class_=unit_class)
        .returning(evaluations.unit.c.id)
    ).scalar_one()
    place = {"name_zh": "大厅", "name_en": "Hall", "address": "1 号", "datum": "WGS-84", "radius_m": 150}
    site_id = connection.execute(
        insert(site).values(unit_id=unit, lat=HALL[0], lon=HALL[1], **place).returning(site.c.id)
    ).scalar_one()
    moved = replace(town, evaluation_id=key, unit_id=unit, site_id=site_id)
    batch = {
        "evaluation_id": key, "file_name": "scores.csv", "sha256": bytes(32), "content": b"-",
        "rows": len(CASES[scheme]["scores"]), "filed_by": town.office, "filed_at": NOW,
    }  # fmt: skip
    scores = [
        {"unit_id": unit, "component": path, "points": Decimal(points), "basis": "-"}
        for path, points in CASES[scheme]["scores"].items()
    ]
    batch_id = indicators.add_batch(connection, batch, scores)
    indicators.decide_batch(connection, batch_id, "confirmed", town.second_office, NOW)
    return moved


def deduct(connection: Connection, town: Town, scheme: str) -> list[int]:
    """File the findings in one visit, and let a second person confirm each; the entries' numbers."""
    visit = a_check_in(connection, town).visit_id
    seqs = []
    for rule, points in CASES[scheme]["findings"]:
        given = Decimal(points) if points else None
        finding = a_finding(connection, town, visit, id=uuid4(), rule=rule, points=given)
        seqs.append(decide_finding(connection, finding.id, town.office, True, "认定。", NOW))
    return seqs


def totals_of(connection: Connection, town: Town) -> list[RunningTotal]:
    evaluation = evaluations.evaluation_numbered(connection, town.evaluation_id)
    return running_totals(evaluation, entries_of(connection, town.evaluation_id))


def composed(connection: Connection, town: Town, folder: Path) -> dict:
    """The unit's row of the composite, after `mingcha score` gave the same from the exported file."""
    compose(connection, town.evaluation_id, datetime(2017, 12, 1, tzinfo=UTC))
    found = latest_composite(connection, town.evaluation_id)
    assert found.problems == []
    row = found.output["units"][0]
    exported = folder / "input.json"
    exported.write_bytes(orjson.dumps(found.input))
    answer = CliRunner().invoke(score_command, [str(exported)])
    assert answer.exit_code == 0, answer.output
    printed = orjson.loads(answer.stdout)["units"][0]
    assert printed == {key: value for key, value in row.items() if key in printed}
    assert printed["composite"] == row["composite"]
    return row


@pytest.mark.parametrize("scheme", CASES)
def test_findings_reach_the_composite_through_the_ledger_and_its_caps(connection, scheme, tmp_path):
    town = under(connection, scheme)
    seqs = deduct(connection, town, scheme)
    component, counts, cuts = CASES[scheme]["counts"]
    (total,) = totals_of(connection, town)
    assert (total.component.path, total.counts, total.below) == (component, Decimal(counts), Decimal(0))
    assert [(cut.kind, plain(cut.came), plain(cut.points)) for cut in total.cuts] == [
        (kind, came, points) for kind, came, points in cuts
    ]
    assert total.entered - total.counts == sum((cut.points for cut in total.cuts), Decimal(0))
    row = composed(connection, town, tmp_path)
    assert row["composite"] == CASES[scheme]["composite"]
    assert Decimal(row["cut_by_cap"]) == total.entered - total.counts

    request = ask_reversal(connection, seqs[0], town.office, "复核不成立。", NOW)
    decide_reversal(connection, request, town.second_office, True, "同意。", NOW)
    assert composed(connection, town, tmp_path)["composite"] == CASES[scheme]["reversed"]


def test_what_a_cap_cut_off_names_the_document(connection):
    town = under(connection, "bailian")
    deduct(connection, town, "bailian")
    (total,) = totals_of(connection, town)
    assert total.cuts[0].article == "第一部分·计分"
    assert total.words == "min(1 + 2 + 0.75 + 0.3, 3)"
    assert total.component.words == "扣满3分为止"


def test_a_unit_without_entries_has_no_total(connection):
    town = under(connection, "bailian")
    assert totals_of(connection, town) == []
