"""L1: whatever is done to the ledger, in whatever order, against real PostgreSQL: it is the log that it should be."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from api.actions import ledger
from api.actions.checkpoints import Trees, consistency, copy_of, inclusion, keep_checkpoint
from api.store import checkpoints
from api.store.ledger import entries_of, entry_numbered
from survey_forms.ledger_copy import read_line
from survey_forms.ledger_examination import examine
from survey_forms.refusal import Refused
from survey_forms.signed_notes import log_signer, read_checkpoint
from survey_forms.transparency import tree_root, verify_consistency, verify_inclusion
from tests.inspections import NOW, a_town, an_entry

SIGNER = log_signer(b"k" * 40, "test/mingcha-ledger")


class LedgerMachine(RuleBasedStateMachine):
    """The database beside a list of leaves and what stands against each unit."""

    engine: Engine

    def __init__(self) -> None:
        super().__init__()
        self.connection = self.engine.connect()
        self.transaction = self.connection.begin()
        self.town = a_town(self.connection)
        self.leaves: list[bytes] = []
        self.stands = {}  # seq → unit, points
        self.gone: set[int] = set()
        self.trees = Trees(2)

    def teardown(self) -> None:
        self.transaction.rollback()
        self.connection.close()

    def entered(self, seq: int) -> None:
        assert seq == len(self.leaves) + 1
        self.leaves.append(entry_numbered(self.connection, seq).leaf_hash)

    @rule(points=st.decimals("0.0001", "99", places=4), other=st.booleans(), basis=st.text(st.characters(
        exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))  # fmt: skip
    def enter(self, points, other, basis):
        unit = self.town.other_unit_id if other else self.town.unit_id
        seq = an_entry(self.connection, self.town, points=str(points), unit_id=unit, basis=basis)
        self.entered(seq)
        self.stands[seq] = (unit, points)

    @precondition(lambda self: self.leaves)
    @rule(data=st.data())
    def reverse(self, data):
        seq = data.draw(st.integers(1, len(self.leaves) + 1))
        try:
            done = ledger.reverse(self.connection, seq, "-", self.town.office, self.town.second_office, NOW)
        except Refused as refused:
            assert seq not in self.stands
            assert refused.code in {"entry_reversed", "entry_is_reversal", "not_found"}  # noqa: PT017
        else:
            self.entered(done)
            del self.stands[seq]

    @precondition(lambda self: self.stands)
    @rule(data=st.data(), points=st.decimals("0.5", "2", places=1))
    def reduce(self, data, points):
        seq = data.draw(st.sampled_from(sorted(self.stands)))
        unit, _ = self.stands.pop(seq)
        self.entered(ledger.reverse(self.connection, seq, "-", self.town.office, self.town.second_office, NOW))
        reduced = an_entry(self.connection, self.town, points=str(points), unit_id=unit, instead_of=seq)
        self.entered(reduced)
        self.stands[reduced] = (unit, points)

    @rule()
    def alone(self):
        for act in (
            lambda: an_entry(self.connection, self.town, filed_by=self.town.office),
            lambda: ledger.reverse(self.connection, 1, "-", self.town.office, self.town.office, NOW),
        ):
            try:
                act()
            except Refused as refused:
                assert refused.code == "second_person_needed"  # noqa: PT017 - what comes else is a fault
            else:
                raise AssertionError("one person was enough")

    @precondition(lambda self: self.stands)
    @rule(data=st.data(), who=st.sampled_from(["inspector", "office"]))
    def take_back_what_one_made(self, data, who):
        seq = data.draw(st.sampled_from(sorted(self.stands)))
        try:
            ledger.reverse(self.connection, seq, "-", self.town.second_office, getattr(self.town, who), NOW)
        except Refused as refused:
            assert refused.code == "third_person_needed"  # noqa: PT017 - what comes else is a fault
        else:
            raise AssertionError(f"the entry's {who} was enough")

    @precondition(lambda self: self.leaves)
    @rule(statement=st.sampled_from([
        "UPDATE field.ledger_entry SET points = points + 1",
        "UPDATE field.ledger_entry SET reverses = NULL",
        "DELETE FROM field.ledger_entry WHERE seq = 1",
    ]))  # fmt: skip
    def tamper(self, statement):
        try:
            with self.connection.begin_nested():
                self.connection.execute(text(statement))
        except IntegrityError as refused:
            assert "the ledger only grows" in str(refused)  # noqa: PT017 - what comes else is a fault
        else:
            raise AssertionError(statement)

    @rule()
    def sign(self):
        assert keep_checkpoint(self.connection, SIGNER, "hourly", NOW) is None
        kept = checkpoints.checkpoint_of(self.connection, len(self.leaves))
        found = read_checkpoint(kept.note.encode(), SIGNER.verifier)[1]
        assert (found.size, found.root) == (len(self.leaves), tree_root(self.leaves))

    @rule(data=st.data())
    def prove(self, data):
        kept = {one.size: one.root for one in checkpoints.checkpoints(self.connection)}
        if not kept:
            return
        size = data.draw(st.sampled_from(sorted(kept)))
        earlier = data.draw(st.sampled_from([one for one in kept if one <= size]))
        path = consistency(self.connection, self.trees, earlier, size)
        assert verify_consistency(earlier, size, path, kept[earlier], kept[size])
        if size:
            seq = data.draw(st.integers(1, size))
            proof = inclusion(self.connection, self.trees, seq, size)
            assert verify_inclusion(self.leaves[seq - 1], seq - 1, size, proof.path, kept[size])

    @invariant()
    def the_numbers_have_no_gap_and_the_score_is_the_fold(self):
        entries = entries_of(self.connection, self.town.evaluation_id)
        assert [entry.leaf_hash for entry in entries] == self.leaves
        assert [entry.seq for entry in entries] == list(range(1, len(self.leaves) + 1))
        gone = {entry.reverses for entry in entries}
        standing = {one.seq: (one.unit_id, one.points) for one in entries if not one.reverses and one.seq not in gone}
        assert standing == self.stands

    @invariant()
    def a_copy_has_no_fault(self):
        notes = [
            read_checkpoint(one.note.encode(), SIGNER.verifier)[1] for one in checkpoints.checkpoints(self.connection)
        ]
        lines = [read_line(line) for line in copy_of(self.connection, 1, len(self.leaves))]
        assert examine(lines, notes).faults == ()


def test_the_ledger_is_a_log_whatever_is_done(shared_engine):
    LedgerMachine.engine = shared_engine
    checks = settings(max_examples=8, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(LedgerMachine, settings=checks)
