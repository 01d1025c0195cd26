"""A week of inspection by a scripted office: 12 inspectors in drawn pairs, 80 visits, 9 objections, one composite.

Everything is the product's own verbs with the clock of that week: the draw is committed, drawn by another, opened
morning by morning; phones hand in chained visits and photos in pieces, some of them twice and in the wrong order; the
worker judges photos, writes slips, signs checkpoints and computes. At the end every deducted point is followed to
photo, place, time, rule and decision, from the rows and from the exported copy of the ledger.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from hashlib import sha256
from random import Random

import pytest
from click.testing import CliRunner
from sqlalchemy import func, insert, select

from api.actions import blobs, objections, rectifications, settling, uploads
from api.actions.assignments import open_due
from api.actions.checkpoints import ask_checkpoint, composite_at, keep_checkpoint
from api.actions.devices import enrol
from api.actions.escalation import remind_due
from api.actions.indicators import File, confirm_batch, file_batch
from api.actions.inspection_draws import commit, draw_inspection, publish_due
from api.actions.inspection_plan import Said
from api.actions.inspections import decide_finding
from api.actions.objections import DecisionSent, ObjectionSent
from api.actions.papers import PaperSent
from api.actions.rectifications import OrderSent, ProofSent
from api.commands.ledger import ledger_group
from api.objects import Objects
from api.store import checkpoints, evaluations, ledger, people, results
from api.store.directories import inspector, recusal
from api.store.findings import finding_numbered, findings_in
from api.store.inspection_draws import inspection_draw, inspection_item
from api.store.inspections import assignment, check_ins_of, crew, opened_assignments, visit, visit_numbered
from api.store.owed import outbox
from api.store.photos import photo as stored
from api.store.photos import photos_hashed
from api.store.sites import site
from api.store.slips import slip
from api.transaction import Database
from survey_forms.inspection.double_random_record import first_difference
from survey_forms.inspection.mornings import CHINA, last_opened, morning_of
from survey_forms.ledger_copy import write_line
from survey_forms.scheme.load import DOCUMENTS, load_catalogue, load_scheme
from survey_forms.signed_notes import log_signer
from survey_forms.transparency import Tree, canonical_json, leaf_hash, tree_root, verify_inclusion
from tests.inspections import a_jpeg
from tests.phones import Phone, Record
from worker.drain import drain
from worker.shop import Shop

SECRET = b"the secret of a scripted week, 32!!"
LEDGER_KEY = b"the ledger's secret of that same week"
COMMITTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KNOWN = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
MONDAY = date(2026, 11, 23)
DAYS = [MONDAY + timedelta(days=number) for number in range(5)]
RISKS = {"D": (40, "1"), "C": (30, "0.8"), "B": (20, "0.6"), "A": (10, "0.4")}  # 40 + 24 + 12 + 4 = 80 visits
SHARES = {"deputies": "40", "enterprises": "20", "urban_residents": "30", "rural_residents": "10"}
RULES = (  # what is found, with points where the rule leaves a range
    ("duty_post_empty", None), ("late_or_early", None), ("unlawful_charge", "1.5"), ("overdue_matter", "0.6"),
    ("rude_service", "0.8"),
)  # fmt: skip


@dataclass
class Week:
    """The stage: who plays, and the clock that everybody reads."""

    database: Database
    objects: Objects
    shop: Shop
    chance: Random
    now: datetime
    evaluation_id: int = 0
    staff: dict[str, int] | None = None
    phones: dict[int, Phone] | None = None

    def who(self, name: str) -> int:
        assert self.staff is not None
        return self.staff[name]

    def work(self) -> None:
        """The worker does what is owed, as often as one thing owes the next."""
        for topic in ("photos", "slips", "checkpoints", "compose"):
            while drain(self.shop, topic, seconds=60):
                pass


@pytest.fixture
def week(engine, tmp_path) -> Week:
    database, objects = Database(engine), Objects(tmp_path / "objects")
    signer = log_signer(LEDGER_KEY, "week.example/mingcha-ledger")
    stage = Week(database, objects, None, Random(9), COMMITTED)  # type: ignore[arg-type]
    stage.shop = Shop(
        database, objects, lambda: stage.now, secret_key=SECRET, signer=signer, own_notes=tmp_path / "notes"
    )
    return stage


def test_a_week_whose_every_point_can_be_followed(week, tmp_path):
    the_office_begins(week)
    draw_id = the_draw(week)
    for day in DAYS:
        the_morning_opens(week, day)
        the_pairs_go_out(week, day)
        the_office_decides(week)
        week.work()
        with week.database.write() as connection:
            ask_checkpoint(connection, week.now)
        week.work()
    with week.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(visit)).scalar_one() == 80
        friday = results.latest_composite(connection, week.evaluation_id)
        entered = ledger.entries_of(connection, week.evaluation_id)
    assert friday is not None
    assert len(entered) >= 20
    before = {unit["id"]: unit["composite"] for unit in friday.output["units"]}

    nine_objections(week, entered)
    two_rectifications(week, entered)
    week.work()

    with week.database.read() as connection:
        final = results.latest_composite(connection, week.evaluation_id)
        past = composite_at(connection, week.evaluation_id, len(entered))
    assert {unit["id"]: unit["composite"] for unit in past.output["units"]} == before  # Friday's scores, again
    assert {unit["id"]: unit["composite"] for unit in final.output["units"]} != before
    every_point_is_followed(week, final)
    the_copy_verifies_and_a_bent_one_does_not(week, tmp_path)
    the_record_is_public(week, draw_id)


def the_office_begins(week: Week) -> None:
    """The evaluation under Bailian's scheme: 20 units with a person each, 100 sites, 12 inspectors, the item."""
    with week.database.write() as connection:

        def put(table, **values) -> int:
            return connection.execute(insert(table).values(**values).returning(table.c.id)).scalar_one()

        source = (DOCUMENTS / "bailian" / "scheme.toml").read_bytes()
        digest = sha256(source).hexdigest()
        connection.execute(
            insert(evaluations.scheme_version).values(digest=digest, scheme="bailian", source=source.decode())
        )
        week.evaluation_id = put(
            evaluations.evaluation, code="week", year=2026, name_zh="百联镇 2026 年考评", name_en="Bailian 2026",
            scheme_digest=digest, supplied={"public_review.shares": SHARES},
        )  # fmt: skip
        units = [
            put(
                evaluations.unit, evaluation_id=week.evaluation_id, code=f"v{number:02}",
                name_zh=f"第{number:02}村", name_en=f"Village {number:02}",
            )
            for number in range(20)
        ]  # fmt: skip
        roles = {f"inspector{n:02}": ("inspector", None) for n in range(12)}
        roles |= {f"office{n}": ("office", None) for n in range(4)}
        roles |= {f"unit{n:02}": ("unit", units[n]) for n in range(20)}
        week.staff = {
            name: put(people.staff, username=name, password_hash="-", name=name, role=role, unit_id=unit)
            for name, (role, unit) in roles.items()
        }
        week.phones = {}
        for n in range(12):
            key = week.who(f"inspector{n:02}")
            connection.execute(
                insert(inspector).values(staff_id=key, skills=["收费"] if n % 3 == 0 else [], lat=29.6, lon=106.5)
            )
            week.phones[key] = Phone()
        connection.execute(
            insert(recusal).values(
                staff_id=week.who("inspector00"), unit_id=units[0], reason="亲属在该村任职",
                declared_by=week.who("office0"), declared_at=COMMITTED,
            )
        )  # fmt: skip
        place = 0
        for risk, (count, _) in RISKS.items():
            for _ in range(count):
                put(
                    site, unit_id=units[place % 20], code=f"S{place:03}", name_zh=f"便民服务点{place:03}",
                    name_en=f"Service point {place:03}", address=f"百联镇 {place} 号", lat=29.6 + place / 2000,
                    lon=106.5, datum="WGS-84", radius_m=150, risk=risk,
                )  # fmt: skip
                place += 1
        put(
            inspection_item, evaluation_id=week.evaluation_id, code="W1", name_zh="窗口作风", name_en="Conduct",
            component="inspection", skill="", rates={r: {"share": s, "times": 2} for r, (_, s) in RISKS.items()},
        )  # fmt: skip
        components = ["indicator", *(f"public_review.{group}" for group in SHARES)]
        lines = [f"v{n:02},{component},{80 + n / 2},,年终考核" for n in range(20) for component in components]
        sheet = "单位,指标,得分,扣分,依据\n" + "\n".join(lines)
        evaluation = evaluations.evaluation_numbered(connection, week.evaluation_id)
        batch = file_batch(connection, evaluation, File("得分.csv", sheet.encode()), week.who("office0"), COMMITTED)
        confirm_batch(connection, batch, week.who("office1"), COMMITTED)


def the_draw(week: Week) -> int:
    """Committed on Friday, drawn by another on Saturday evening; nobody can read where anybody goes."""
    with week.database.write() as connection:
        item_id = connection.execute(select(inspection_item.c.id)).scalar_one()
        said = Said(item_id, "十一月窗口作风抽查", MONDAY, DAYS[-1], "排列三、排列五第 2026312 期", KNOWN, "### ####")
        draw_id = commit(connection, said, SECRET, week.who("office0"), COMMITTED)
    week.now = KNOWN + timedelta(hours=1)
    with week.database.write() as connection:
        draw_inspection(connection, draw_id, "314 2718", SECRET, week.who("office1"), week.now)
        rows = connection.execute(select(assignment.c.site_id, assignment.c.day, assignment.c.sealed)).all()
    assert len(rows) == 80
    assert {row.day for row in rows} == set(DAYS)
    assert all(row.site_id is None and row.sealed for row in rows)
    return draw_id


def the_morning_opens(week: Week, day: date) -> None:
    """A minute before six nothing is told; at six every pair sees its own, and nobody sees another's."""
    for minutes, told in ((-1, False), (0, True)):
        week.now = morning_of(day) + timedelta(minutes=minutes)
        with week.database.write() as connection:
            open_due(connection, SECRET, week.now)
            for key in week.phones:
                seen = opened_assignments(connection, key, last_opened(week.now))
                assert (day in {one.day for one in seen}) <= told
                mine = select(crew.c.assignment_id).where(crew.c.staff_id == key)
                assert {one.id for one in seen} <= set(connection.execute(mine).scalars())


def the_pairs_go_out(week: Week, day: date) -> None:
    """The leader's phone hands in each visit; every fifth answer is lost, so the phone says everything again."""
    with week.database.read() as connection:
        today = {
            one.id: one
            for key in week.phones
            for one in opened_assignments(connection, key, day)
            if one.day == day and one.inspector_id == key
        }
    pairs = Counter(one.inspector_id for one in today.values())
    assert max(pairs.values()) <= 3
    for number, one in enumerate(sorted(today.values(), key=lambda task: str(task.id))):
        week.now = datetime.combine(day, time(9), CHINA) + timedelta(minutes=7 * number)
        phone = week.phones[one.inspector_id]
        with week.database.write() as connection:
            staff = people_of(connection, one.inspector_id)
            enrol(connection, staff, phone.id, phone.public_key, "测试手机", week.now)
        photos = [a_photo(week.chance) for _ in range(2)]
        record = Record(phone, one.id, at=week.now)
        record.check_in(lat=one.site.lat + week.chance.uniform(-1e-3, 1e-3), lon=one.site.lon)
        for content in photos:
            record.photo(content)
        if number % 2:
            rule, points = RULES[week.chance.randrange(len(RULES))]
            record.finding(*photos, rule=rule, points=points, description=f"{day} {one.site.name_zh} 发现问题")
        record.check_in(kind="check_out", lat=one.site.lat, lon=one.site.lon)
        hand_over(week, record, photos, one.inspector_id, twice=number % 5 == 0)


def hand_over(week: Week, record: Record, photos: list[bytes], staff_id: int, *, twice: bool) -> None:
    """A visit and its photos as the phone's protocol has it, sometimes all of it again."""
    week.now = record.at + timedelta(minutes=5)
    body = record.body(sent_at=round(week.now.timestamp() * 1000))
    for _ in range(1 + twice):
        sent = uploads.read_visit(body)
        with week.database.write() as connection:
            uploads.keep(connection, sent, staff_id, week.now)
        with week.database.write() as connection:
            settling.settle(connection, week.objects, SECRET, sent.id, week.now)
        for content in photos:
            bring(week, content, staff_id)
        with week.database.write() as connection:
            upload = settling.settle(connection, week.objects, SECRET, sent.id, week.now)
        assert upload.status == "settled", upload.problems
        assert upload.receipt


def bring(week: Week, content: bytes, staff_id: int) -> None:
    digest = sha256(content).digest()
    with week.database.write() as connection:
        offset, complete = blobs.kept_so_far(connection, week.objects, staff_id, digest)
        if complete:
            return
        with blobs.held(week.objects, staff_id, digest) as partial:
            half = len(content) // 2
            blobs.keep_piece(partial, blobs.Piece(digest, offset, len(content), content[offset:half]))
            last = blobs.Piece(digest, half, len(content), content[half:])
            assert blobs.take_in(connection, week.objects, partial, last, staff_id, week.now)
            partial.drop()


def a_photo(chance: Random) -> bytes:
    return a_jpeg(color=f"#{chance.randrange(1 << 24):06x}", size=(320, 240))


def people_of(connection, key: int):
    username = connection.execute(select(people.staff.c.username).where(people.staff.c.id == key)).scalar_one()
    return people.staff_named(connection, username)[0]


def the_office_decides(week: Week) -> None:
    """In the evening another person goes through the findings; one of seven is rejected."""
    week.work()  # photos are judged first
    with week.database.read() as connection:
        late = connection.execute(
            select(outbox.c.topic, outbox.c.key, outbox.c.last_error).where(outbox.c.done_at.is_(None))
        )
        assert late.all() == []
    week.now = week.now.astimezone(CHINA).replace(hour=19, minute=0)
    with week.database.write() as connection:
        for number, one in enumerate(findings_in(connection, week.evaluation_id, filed=True)):
            confirm = number % 7 != 6
            note = "" if confirm else "照片看不出所述情形"
            decide_finding(connection, one.id, week.who("office2"), confirm, note, week.now)


def nine_objections(week: Week, entered) -> None:
    """Three upheld, two reduced, four dismissed, each explained by one and decided by another."""
    ranged = [one for one in entered if one.rule in {"unlawful_charge", "overdue_matter", "rude_service"}]
    fixed = [one for one in entered if one not in ranged]
    chosen = [*ranged[:2], *fixed[:7]]
    assert len(chosen) == 9
    verdicts = ["reduced"] * 2 + ["upheld"] * 3 + ["dismissed"] * 4
    with week.database.read() as connection:
        code = {unit.id: unit.code for unit in evaluations.units_of(connection, week.evaluation_id)}
    paper = PaperSent("批文.pdf", "application/pdf", b"%PDF-1.7\n%%EOF\n")
    for entry, verdict in zip(chosen, verdicts, strict=True):
        week.now += timedelta(minutes=30)
        unit = week.who(f"unit{code[entry.unit_id][1:]}")
        sent = ObjectionSent(entry.seq, entry.unit_id, unit, "情况不实，附批文。", (paper,))
        with week.database.write() as connection:
            key = objections.file_objection(connection, week.objects, sent, week.now)
            objections.explain(connection, key, week.who("office1"), "现场照片与批文不符。", week.now)
        least = load_catalogue("bailian").rule(entry.rule).points_min if verdict == "reduced" else None
        decision = DecisionSent(key, week.who("office3"), verdict, "经复核", least)
        with week.database.write() as connection:
            objections.decide(connection, decision, week.now)
            objections.decide(connection, decision, week.now)  # the answer was lost: said again, done once


def two_rectifications(week: Week, entered) -> None:
    """One is put right and closed by another person; one goes overdue and is urged."""
    with week.database.read() as connection:
        gone = {one.reverses for one in ledger.entries_of(connection, week.evaluation_id)}
        code = {unit.id: unit.code for unit in evaluations.units_of(connection, week.evaluation_id)}
    good, late = [one for one in entered if one.seq not in gone][-2:]
    with week.database.write() as connection:
        keys = [
            rectifications.order(connection, OrderSent(one.seq, week.who("office0"), "建立值守制度"), week.now)
            for one in (good, late)
        ]
        unit = week.who(f"unit{code[good.unit_id][1:]}")
        rectifications.prove(connection, week.objects, ProofSent(keys[0], good.unit_id, unit, "已制定轮值表"), week.now)
        rectifications.close(connection, keys[0], SECRET, week.who("office3"), "已核实", week.now)
    week.now += timedelta(days=23)  # 21 days by the scheme's terms, and one more
    for _ in range(2):  # the clock may look twice
        with week.database.write() as connection:
            remind_due(connection, week.now)
    with week.database.read() as connection:
        kinds = Counter(connection.execute(select(slip.c.kind)).scalars())
    assert kinds["deduction"] >= 15
    assert (kinds["rectification"], kinds["urging"]) == (2, 1)


def every_point_is_followed(week: Week, final) -> None:
    """Composite → entry → rule, finding, visit, place, time, photos, decision → leaf → signed checkpoint."""
    with week.database.write() as connection:
        signed = keep_checkpoint(connection, week.shop.signer, "asked", week.now, own_notes=week.shop.own_notes)
    with week.database.read() as connection:
        entries = {one.seq: one for one in ledger.entries_of(connection, week.evaluation_id)}
        last = checkpoints.last_checkpoint(connection)
        assert last.size == len(entries)
        assert signed is None or signed.size == last.size
        tree = Tree.of(checkpoints.leaves(connection, last.size))
        assert tree.root == last.root
        catalogue, scheme = load_catalogue("bailian"), load_scheme("bailian")
        gone = {one.reverses for one in entries.values()}
        units = {unit.code: unit.id for unit in evaluations.units_of(connection, week.evaluation_id)}
        followed = 0
        for scored in final.output["units"]:
            own = [
                one
                for one in entries.values()
                if one.unit_id == units[scored["id"]] and one.reverses is None and one.seq not in gone
            ]
            cut = sum((one.points for one in own), Decimal(0))
            assert Decimal(scored["parts"]["inspection"]) == -min(cut, Decimal(3))  # 扣满3分为止
            for one in own:
                follow(week, connection, one, catalogue)
                path = tree.path(one.seq - 1)
                body = ledger.body_numbered(connection, one.seq)
                assert leaf_hash(canonical_json(body)) == one.leaf_hash
                assert verify_inclusion(one.leaf_hash, one.seq - 1, last.size, path, last.root)
                followed += 1
        assert scheme.by_path["inspection"]
        assert followed == sum(one.reverses is None and one.seq not in gone for one in entries.values())
        assert followed >= 15


def follow(week: Week, connection, entry, catalogue) -> None:
    """One entry down to what a person can look at."""
    rule = catalogue.rule(entry.rule)
    assert rule.article
    assert rule.allows(entry.points)
    source = entry if entry.instead_of is None else ledger.entry_numbered(connection, entry.instead_of)
    found = finding_numbered(connection, source.finding_id)
    assert found.decided_by == week.who("office2") != found.filed_by
    seen = visit_numbered(connection, found.visit_id)
    place = seen.assignment.site
    assert place.unit_id == entry.unit_id
    arrivals = [one for one in check_ins_of(connection, seen.id) if one.kind == "in"]
    assert arrivals
    assert all(one.distance_m is not None and one.distance_m < 150 for one in arrivals)
    assert arrivals[0].claimed_at.astimezone(CHINA).date() == seen.assignment.day
    kept = photos_hashed(connection, list(found.photos))
    assert len(kept) == 2
    for photo in kept:
        assert photo.verdict == "clean"
        assert sha256(week.objects.get("originals", photo.sha256)).digest() == photo.sha256
        assert connection.execute(select(stored.c.receipt).where(stored.c.sha256 == photo.sha256)).scalar_one()
    rests_on = [{"photo": one.hex()} for one in found.photos]
    rests_on += [{"upload": one.hex()} for one in sorted(ledger.upload_digests(connection, found.id))]
    leaves = [leaf_hash(canonical_json(one)) for one in rests_on]
    assert entry.evidence_root == tree_root(leaves)


def the_copy_verifies_and_a_bent_one_does_not(week: Week, folder) -> None:
    """What an auditor does with the exported copy and the signed notes, without a database."""
    copy, notes = folder / "copy.jsonl", []
    with week.database.read() as connection:
        kept = checkpoints.checkpoints(connection)
        lines = [write_line(*one) for one in checkpoints.bodies(connection, 1, kept[-1].size)]
    for one in kept:
        notes.append(folder / f"{one.size}.note")
        notes[-1].write_text(one.note, encoding="utf-8")
    said = ["--key", str(week.shop.signer.verifier)] + [word for note in notes for word in ("--checkpoint", str(note))]

    def verified(content: bytes):
        copy.write_bytes(content)
        return CliRunner().invoke(ledger_group, ["verify", str(copy), *said])

    assert len(kept) >= 6  # each evening's, and the last
    assert verified(b"".join(lines)).exit_code == 0
    bent = lines[7].replace(b'"points":"', b'"points":"9')
    assert bent != lines[7]
    for content in (
        b"".join([*lines[:7], bent, *lines[8:]]),
        b"".join([*lines[:7], *lines[8:]]),
        b"".join([*lines[:7], lines[8], lines[7], *lines[9:]]),
        b"".join(lines[:-1]),
    ):
        told = verified(content)
        assert told.exit_code == 1
        assert any(str(number) in told.output for number in (8, 9, len(lines))), told.output


def the_record_is_public(week: Week, draw_id: int) -> None:
    """After the last day the draw is published with its secret, and repeats from its own words."""
    with week.database.write() as connection:
        assert publish_due(connection, SECRET, week.now) == 1
        row = connection.execute(select(inspection_draw).where(inspection_draw.c.id == draw_id)).one()
    assert first_difference(row.record) is None
