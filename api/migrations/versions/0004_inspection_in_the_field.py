"""inspection in the field: directories, draws, phones, checkpoints, objections, rectification, slips, flag reviews"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from api.store import decided_once, ledger_guard, objections, rectifications, slips
revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

ADDED_ONLY = ("field.blob", "field.checkpoint", "field.frozen_ledger", "field.rectification_step", "field.paper",
              "field.shortfall")
"""Added and never changed, by nobody; `field.refuse_change` is of the first migration."""
CHECKS = (
    ("site", "risk", "risk IN ('A','B','C','D')"),
    ("assignment", "kind", "kind IN ('random','special','patrol','third_party','revisit')"),
    ("assignment", "site_or_seal", "site_id IS NOT NULL OR sealed IS NOT NULL"),
    ("visit", "signature", "signature IS NULL OR octet_length(signature) = 32"),
    ("check_in", "kind", "kind IN ('in','out')"),
)
"""New rules of tables that were there before."""


PINNED = """
UPDATE result.composite AS made SET was_published = true
FROM office.round AS one WHERE made.evaluation_id = one.evaluation_id AND made.inputs_digest = one.published_digest
"""
PUBLISHED = """
UPDATE office.round AS one SET published_digest = made.inputs_digest
FROM office.audit AS act, result.composite AS made
WHERE act.act = 'round_published' AND (act.about ->> 'round')::integer = one.id
  AND made.evaluation_id = one.evaluation_id AND made.inputs_digest = act.about ->> 'inputs_digest'
"""
"""What rounds published before, as far as it is still kept; the rest show the newest, as they did."""


def upgrade() -> None:
    op.create_unique_constraint(op.f('uq_ledger_entry_seq_filed_by_decided_by'), 'ledger_entry', ['seq', 'filed_by', 'decided_by'], schema='field')
    op.create_table('blob',
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=True),
    sa.Column('refused', sa.Text(), nullable=True),
    sa.CheckConstraint('(media_type IS NULL) = (refused IS NOT NULL)', name=op.f('ck_blob_verdict')),
    sa.CheckConstraint('octet_length(sha256) = 32', name=op.f('ck_blob_sha256')),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_blob_staff_id_staff')),
    sa.PrimaryKeyConstraint('sha256', 'staff_id', name=op.f('pk_blob')),
    schema='field'
    )
    op.create_table('device',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('label', sa.Text(), server_default='', nullable=False),
    sa.Column('enrolled_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_device_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device')),
    sa.UniqueConstraint('public_key', name=op.f('uq_device_public_key')),
    schema='field'
    )
    op.create_index(op.f('ix_device_staff_id'), 'device', ['staff_id'], unique=False, schema='field')
    op.create_table('flag_review',
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Text(), nullable=False),
    sa.Column('flag', sa.Text(), nullable=False),
    sa.Column('verdict', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('reviewed_by', sa.Integer(), nullable=False),
    sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("subject IN ('check_in','photo','upload')", name=op.f('ck_flag_review_subject')),
    sa.CheckConstraint("verdict IN ('explained','doubtful')", name=op.f('ck_flag_review_verdict')),
    sa.ForeignKeyConstraint(['reviewed_by'], ['office.staff.id'], name=op.f('fk_flag_review_reviewed_by_staff')),
    sa.PrimaryKeyConstraint('subject', 'subject_id', 'flag', name=op.f('pk_flag_review')),
    schema='field'
    )
    op.create_table('inspector',
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('organisation', sa.Text(), server_default='', nullable=False),
    sa.Column('skills', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('lat', sa.Float(), nullable=True),
    sa.Column('lon', sa.Float(), nullable=True),
    sa.Column('datum', sa.Text(), server_default='WGS-84', nullable=False),
    sa.Column('most_km', sa.Integer(), nullable=True),
    sa.Column('changed_by', sa.Integer(), nullable=True),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("datum IN ('WGS-84','GCJ-02','BD-09')", name=op.f('ck_inspector_datum')),
    sa.CheckConstraint('(lat IS NULL) = (lon IS NULL)', name=op.f('ck_inspector_position')),
    sa.CheckConstraint('most_km IS NULL OR (most_km BETWEEN 1 AND 5000 AND lat IS NOT NULL)', name=op.f('ck_inspector_most_km')),
    sa.ForeignKeyConstraint(['changed_by'], ['office.staff.id'], name=op.f('fk_inspector_changed_by_staff')),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_inspector_staff_id_staff')),
    sa.PrimaryKeyConstraint('staff_id', name=op.f('pk_inspector')),
    schema='field'
    )
    op.create_table('recusal',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('declared_by', sa.Integer(), nullable=False),
    sa.Column('declared_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['declared_by'], ['office.staff.id'], name=op.f('fk_recusal_declared_by_staff')),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_recusal_staff_id_staff')),
    sa.ForeignKeyConstraint(['unit_id'], ['office.unit.id'], name=op.f('fk_recusal_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recusal')),
    schema='field'
    )
    op.create_index('uq_recusal_standing', 'recusal', ['staff_id', 'unit_id'], unique=True, schema='field', postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.create_table('checkpoint',
    sa.Column('size', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.Column('verifier_key', sa.Text(), nullable=False),
    sa.Column('occasion', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("occasion IN ('hourly','freeze','asked')", name=op.f('ck_checkpoint_occasion')),
    sa.CheckConstraint('octet_length(root) = 32', name=op.f('ck_checkpoint_root')),
    sa.CheckConstraint('size >= 0', name=op.f('ck_checkpoint_size')),
    sa.PrimaryKeyConstraint('size', name=op.f('pk_checkpoint')),
    schema='field'
    )
    op.create_table('frozen_ledger',
    sa.Column('round_id', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('root', sa.LargeBinary(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('octet_length(root) = 32', name=op.f('ck_frozen_ledger_root')),
    sa.CheckConstraint('size >= 0', name=op.f('ck_frozen_ledger_size')),
    sa.ForeignKeyConstraint(['round_id'], ['office.round.id'], name=op.f('fk_frozen_ledger_round_id_round')),
    sa.PrimaryKeyConstraint('round_id', name=op.f('pk_frozen_ledger')),
    schema='field'
    )
    op.create_table('inspection_item',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('evaluation_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('name_zh', sa.Text(), nullable=False),
    sa.Column('name_en', sa.Text(), nullable=False),
    sa.Column('key_item', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('component', sa.Text(), nullable=False),
    sa.Column('skill', sa.Text(), server_default='', nullable=False),
    sa.Column('rates', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('form_version', sa.Text(), nullable=True),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['evaluation_id'], ['office.evaluation.id'], name=op.f('fk_inspection_item_evaluation_id_evaluation')),
    sa.ForeignKeyConstraint(['form_version'], ['office.form_version.version'], name=op.f('fk_inspection_item_form_version_form_version')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inspection_item')),
    sa.UniqueConstraint('evaluation_id', 'code', name=op.f('uq_inspection_item_evaluation_id_code')),
    schema='field'
    )
    op.create_table('inspection_draw',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('evaluation_id', sa.Integer(), nullable=False),
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('announced', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=False),
    sa.Column('plan', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('plan_hash', sa.LargeBinary(), nullable=False),
    sa.Column('commitment', sa.LargeBinary(), nullable=False),
    sa.Column('sealed_secret', sa.LargeBinary(), nullable=False),
    sa.Column('randomness_source', sa.Text(), nullable=False),
    sa.Column('randomness_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('committed_by', sa.Integer(), nullable=False),
    sa.Column('committed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('randomness', sa.Text(), nullable=True),
    sa.Column('drawn_by', sa.Integer(), nullable=True),
    sa.Column('drawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('record_hash', sa.LargeBinary(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('record', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.CheckConstraint('(drawn_at IS NULL) = (randomness IS NULL)', name=op.f('ck_inspection_draw_drawn')),
    sa.CheckConstraint('committed_at < randomness_at', name=op.f('ck_inspection_draw_committed_before')),
    sa.CheckConstraint('drawn_by IS NULL OR drawn_by <> committed_by', name=op.f('ck_inspection_draw_second_person')),
    sa.CheckConstraint('last_day >= first_day', name=op.f('ck_inspection_draw_days')),
    sa.CheckConstraint('published_at IS NULL OR (drawn_at IS NOT NULL AND record IS NOT NULL)', name=op.f('ck_inspection_draw_published')),
    sa.ForeignKeyConstraint(['committed_by'], ['office.staff.id'], name=op.f('fk_inspection_draw_committed_by_staff')),
    sa.ForeignKeyConstraint(['drawn_by'], ['office.staff.id'], name=op.f('fk_inspection_draw_drawn_by_staff')),
    sa.ForeignKeyConstraint(['evaluation_id'], ['office.evaluation.id'], name=op.f('fk_inspection_draw_evaluation_id_evaluation')),
    sa.ForeignKeyConstraint(['item_id'], ['field.inspection_item.id'], name=op.f('fk_inspection_draw_item_id_inspection_item')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inspection_draw')),
    schema='field'
    )
    op.create_index(op.f('ix_inspection_draw_evaluation_id'), 'inspection_draw', ['evaluation_id'], unique=False, schema='field')
    op.create_table('crew',
    sa.Column('assignment_id', sa.Uuid(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('position', sa.SmallInteger(), nullable=False),
    sa.Column('placed_by', sa.Integer(), nullable=True),
    sa.Column('placed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('left_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('left_reason', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("left_at IS NULL OR left_reason <> ''", name=op.f('ck_crew_left_with_reason')),
    sa.ForeignKeyConstraint(['assignment_id'], ['field.assignment.id'], name=op.f('fk_crew_assignment_id_assignment')),
    sa.ForeignKeyConstraint(['placed_by'], ['office.staff.id'], name=op.f('fk_crew_placed_by_staff')),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_crew_staff_id_staff')),
    sa.PrimaryKeyConstraint('assignment_id', 'staff_id', name=op.f('pk_crew')),
    schema='field'
    )
    op.create_table('upload',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=False),
    sa.Column('device_id', sa.Uuid(), nullable=True),
    sa.Column('assignment_id', sa.Uuid(), nullable=False),
    sa.Column('visit_id', sa.Uuid(), nullable=True),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('blobs', postgresql.ARRAY(sa.LargeBinary()), nullable=False),
    sa.Column('status', sa.Text(), server_default='waiting', nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problems', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('flags', postgresql.ARRAY(sa.Text()), server_default='{}', nullable=False),
    sa.Column('chain_head', sa.LargeBinary(), nullable=True),
    sa.Column('clock_offset_ms', sa.Integer(), nullable=True),
    sa.Column('receipt', sa.Text(), nullable=True),
    sa.Column('brought_by', sa.Integer(), nullable=True),
    sa.CheckConstraint("(status = 'waiting') = (settled_at IS NULL)", name=op.f('ck_upload_settled')),
    sa.CheckConstraint("status IN ('waiting','settled','held')", name=op.f('ck_upload_status')),
    sa.ForeignKeyConstraint(['brought_by'], ['office.staff.id'], name=op.f('fk_upload_brought_by_staff')),
    sa.ForeignKeyConstraint(['device_id'], ['field.device.id'], name=op.f('fk_upload_device_id_device')),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_upload_staff_id_staff')),
    sa.ForeignKeyConstraint(['visit_id'], ['field.visit.id'], name=op.f('fk_upload_visit_id_visit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_upload')),
    schema='field'
    )
    op.create_index('ix_upload_blobs', 'upload', ['blobs'], unique=False, schema='field', postgresql_using='gin')
    op.create_index('ix_upload_open', 'upload', ['received_at'], unique=False, schema='field', postgresql_where=sa.text("status != 'settled'"))
    op.create_index(op.f('ix_upload_staff_id'), 'upload', ['staff_id'], unique=False, schema='field')
    op.create_table('checklist',
    sa.Column('upload_id', sa.Uuid(), nullable=False),
    sa.Column('visit_id', sa.Uuid(), nullable=False),
    sa.Column('form_version', sa.Text(), nullable=False),
    sa.Column('answers', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('faults', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('complete', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['form_version'], ['office.form_version.version'], name=op.f('fk_checklist_form_version_form_version')),
    sa.ForeignKeyConstraint(['upload_id'], ['field.upload.id'], name=op.f('fk_checklist_upload_id_upload')),
    sa.ForeignKeyConstraint(['visit_id'], ['field.visit.id'], name=op.f('fk_checklist_visit_id_visit')),
    sa.PrimaryKeyConstraint('upload_id', name=op.f('pk_checklist')),
    schema='field'
    )
    op.create_index(op.f('ix_checklist_visit_id'), 'checklist', ['visit_id'], unique=False, schema='field')
    op.create_table('shortfall',
    sa.Column('upload_id', sa.Uuid(), nullable=False),
    sa.Column('missing', postgresql.ARRAY(sa.LargeBinary()), nullable=False),
    sa.Column('taken_by', sa.Integer(), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.CheckConstraint('cardinality(missing) > 0', name=op.f('ck_shortfall_missing')),
    sa.CheckConstraint("note <> ''", name=op.f('ck_shortfall_note')),
    sa.ForeignKeyConstraint(['taken_by'], ['office.staff.id'], name=op.f('fk_shortfall_taken_by_staff')),
    sa.ForeignKeyConstraint(['upload_id'], ['field.upload.id'], name=op.f('fk_shortfall_upload_id_upload')),
    sa.PrimaryKeyConstraint('upload_id', name=op.f('pk_shortfall')),
    schema='field'
    )
    op.create_table('objection',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('entry_filed_by', sa.Integer(), nullable=False),
    sa.Column('entry_decided_by', sa.Integer(), nullable=False),
    sa.Column('grounds', sa.Text(), nullable=False),
    sa.Column('filed_by', sa.Integer(), nullable=False),
    sa.Column('filed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('explanation', sa.Text(), server_default='', nullable=False),
    sa.Column('explained_by', sa.Integer(), nullable=True),
    sa.Column('explained_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('status', sa.Text(), server_default='filed', nullable=False),
    sa.Column('decided_by', sa.Integer(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision_note', sa.Text(), server_default='', nullable=False),
    sa.Column('points', sa.Numeric(precision=10, scale=4), nullable=True),
    sa.Column('reversal_seq', sa.BigInteger(), nullable=True),
    sa.Column('replacement_seq', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("(status = 'reduced') = (replacement_seq IS NOT NULL)", name=op.f('ck_objection_replacement')),
    sa.CheckConstraint("(status IN ('upheld','reduced')) = (reversal_seq IS NOT NULL)", name=op.f('ck_objection_reversal')),
    sa.CheckConstraint("(status IN ('upheld','reduced','dismissed')) = (decided_by IS NOT NULL)", name=op.f('ck_objection_decided')),
    sa.CheckConstraint("decided_by IS NULL OR decision_note <> ''", name=op.f('ck_objection_decided_with_reason')),
    sa.CheckConstraint("status IN ('filed','explained','upheld','reduced','dismissed')", name=op.f('ck_objection_status')),
    sa.CheckConstraint('(decided_by IS NULL) = (decided_at IS NULL)', name=op.f('ck_objection_decided_at')),
    sa.CheckConstraint('(explained_by IS NULL) = (explained_at IS NULL)', name=op.f('ck_objection_explained')),
    sa.CheckConstraint('decided_by IS NULL OR decided_by NOT IN (filed_by, entry_filed_by, entry_decided_by, explained_by)', name=op.f('ck_objection_decided_by_another')),
    sa.CheckConstraint('decided_by IS NULL OR explained_by IS NOT NULL', name=op.f('ck_objection_explained_first')),
    sa.ForeignKeyConstraint(['decided_by'], ['office.staff.id'], name=op.f('fk_objection_decided_by_staff')),
    sa.ForeignKeyConstraint(['explained_by'], ['office.staff.id'], name=op.f('fk_objection_explained_by_staff')),
    sa.ForeignKeyConstraint(['filed_by'], ['office.staff.id'], name=op.f('fk_objection_filed_by_staff')),
    sa.ForeignKeyConstraint(['replacement_seq'], ['field.ledger_entry.seq'], name=op.f('fk_objection_replacement_seq_ledger_entry')),
    sa.ForeignKeyConstraint(['reversal_seq'], ['field.ledger_entry.seq'], name=op.f('fk_objection_reversal_seq_ledger_entry')),
    sa.ForeignKeyConstraint(['seq', 'entry_filed_by', 'entry_decided_by'], ['field.ledger_entry.seq', 'field.ledger_entry.filed_by', 'field.ledger_entry.decided_by'], name='fk_objection_entry'),
    sa.ForeignKeyConstraint(['unit_id'], ['office.unit.id'], name=op.f('fk_objection_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_objection')),
    sa.UniqueConstraint('seq', name=op.f('uq_objection_seq')),
    schema='field'
    )
    op.create_index(op.f('ix_objection_unit_id'), 'objection', ['unit_id'], unique=False, schema='field')
    op.create_table('rectification',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('evaluation_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('demand', sa.Text(), nullable=False),
    sa.Column('ordered_by', sa.Integer(), nullable=False),
    sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('status', sa.Text(), server_default='ordered', nullable=False),
    sa.Column('assignment_id', sa.Uuid(), nullable=True),
    sa.Column('escalated', sa.Integer(), server_default='0', nullable=False),
    sa.Column('closed_by', sa.Integer(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'closed') = (closed_by IS NOT NULL)", name=op.f('ck_rectification_closed')),
    sa.CheckConstraint("status IN ('ordered','proven','returned','closed')", name=op.f('ck_rectification_status')),
    sa.CheckConstraint('(closed_by IS NULL) = (closed_at IS NULL)', name=op.f('ck_rectification_closed_at')),
    sa.ForeignKeyConstraint(['assignment_id'], ['field.assignment.id'], name=op.f('fk_rectification_assignment_id_assignment')),
    sa.ForeignKeyConstraint(['closed_by'], ['office.staff.id'], name=op.f('fk_rectification_closed_by_staff')),
    sa.ForeignKeyConstraint(['evaluation_id'], ['office.evaluation.id'], name=op.f('fk_rectification_evaluation_id_evaluation')),
    sa.ForeignKeyConstraint(['ordered_by'], ['office.staff.id'], name=op.f('fk_rectification_ordered_by_staff')),
    sa.ForeignKeyConstraint(['seq'], ['field.ledger_entry.seq'], name=op.f('fk_rectification_seq_ledger_entry')),
    sa.ForeignKeyConstraint(['unit_id'], ['office.unit.id'], name=op.f('fk_rectification_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rectification')),
    sa.UniqueConstraint('seq', name=op.f('uq_rectification_seq')),
    schema='field'
    )
    op.create_index(op.f('ix_rectification_evaluation_id'), 'rectification', ['evaluation_id'], unique=False, schema='field')
    op.create_index(op.f('ix_rectification_unit_id'), 'rectification', ['unit_id'], unique=False, schema='field')
    op.create_table('rectification_step',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('rectification_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.CheckConstraint("kind IN ('ordered','proven','returned','extended','revisit','closed','reminded','urged','escalated')", name=op.f('ck_rectification_step_kind')),
    sa.ForeignKeyConstraint(['rectification_id'], ['field.rectification.id'], name=op.f('fk_rectification_step_rectification_id_rectification')),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_rectification_step_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_rectification_step')),
    schema='field'
    )
    op.create_index(op.f('ix_rectification_step_rectification_id'), 'rectification_step', ['rectification_id'], unique=False, schema='field')
    op.create_table('slip',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('evaluation_id', sa.Integer(), nullable=False),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=True),
    sa.Column('rectification_id', sa.Integer(), nullable=True),
    sa.Column('about', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('issued_by', sa.Integer(), nullable=True),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('read_by', sa.Integer(), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('deduction','decision','rectification','reminder','urging')", name=op.f('ck_slip_kind')),
    sa.ForeignKeyConstraint(['evaluation_id'], ['office.evaluation.id'], name=op.f('fk_slip_evaluation_id_evaluation')),
    sa.ForeignKeyConstraint(['issued_by'], ['office.staff.id'], name=op.f('fk_slip_issued_by_staff')),
    sa.ForeignKeyConstraint(['read_by'], ['office.staff.id'], name=op.f('fk_slip_read_by_staff')),
    sa.ForeignKeyConstraint(['rectification_id'], ['field.rectification.id'], name=op.f('fk_slip_rectification_id_rectification')),
    sa.ForeignKeyConstraint(['seq'], ['field.ledger_entry.seq'], name=op.f('fk_slip_seq_ledger_entry')),
    sa.ForeignKeyConstraint(['unit_id'], ['office.unit.id'], name=op.f('fk_slip_unit_id_unit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slip')),
    sa.UniqueConstraint('evaluation_id', 'kind', 'number', name=op.f('uq_slip_evaluation_id_kind_number')),
    sa.UniqueConstraint('key', name=op.f('uq_slip_key')),
    schema='field'
    )
    op.create_index(op.f('ix_slip_unit_id'), 'slip', ['unit_id'], unique=False, schema='field')
    op.create_table('paper',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('objection_id', sa.Integer(), nullable=True),
    sa.Column('step_id', sa.Integer(), nullable=True),
    sa.Column('sha256', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('media_type', sa.Text(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('added_by', sa.Integer(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("media_type IN ('image/jpeg','image/png','application/pdf')", name=op.f('ck_paper_media_type')),
    sa.CheckConstraint('num_nonnulls(objection_id, step_id) = 1', name=op.f('ck_paper_belongs')),
    sa.CheckConstraint('octet_length(sha256) = 32', name=op.f('ck_paper_sha256')),
    sa.ForeignKeyConstraint(['added_by'], ['office.staff.id'], name=op.f('fk_paper_added_by_staff')),
    sa.ForeignKeyConstraint(['objection_id'], ['field.objection.id'], name=op.f('fk_paper_objection_id_objection')),
    sa.ForeignKeyConstraint(['step_id'], ['field.rectification_step.id'], name=op.f('fk_paper_step_id_rectification_step')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_paper')),
    schema='field'
    )
    op.create_index(op.f('ix_paper_objection_id'), 'paper', ['objection_id'], unique=False, schema='field')
    op.create_index(op.f('ix_paper_step_id'), 'paper', ['step_id'], unique=False, schema='field')
    op.add_column('assignment', sa.Column('kind', sa.Text(), server_default='special', nullable=False), schema='field')
    op.add_column('assignment', sa.Column('item_id', sa.Integer(), nullable=True), schema='field')
    op.add_column('assignment', sa.Column('draw_id', sa.Integer(), nullable=True), schema='field')
    op.add_column('assignment', sa.Column('sealed', sa.LargeBinary(), nullable=True), schema='field')
    op.add_column('assignment', sa.Column('made_by', sa.Integer(), nullable=True), schema='field')
    op.add_column('assignment', sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False), schema='field')
    op.add_column('assignment', sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True), schema='field')
    op.add_column('assignment', sa.Column('withdrawn_reason', sa.Text(), server_default='', nullable=False), schema='field')
    op.alter_column('assignment', 'site_id',
               existing_type=sa.INTEGER(),
               nullable=True,
               schema='field')
    op.create_index(op.f('ix_assignment_draw_id'), 'assignment', ['draw_id'], unique=False, schema='field')
    op.create_foreign_key(op.f('fk_assignment_draw_id_inspection_draw'), 'assignment', 'inspection_draw', ['draw_id'], ['id'], source_schema='field', referent_schema='field')
    op.create_foreign_key(op.f('fk_assignment_made_by_staff'), 'assignment', 'staff', ['made_by'], ['id'], source_schema='field', referent_schema='office')
    op.create_foreign_key(op.f('fk_assignment_item_id_inspection_item'), 'assignment', 'inspection_item', ['item_id'], ['id'], source_schema='field', referent_schema='field')
    op.add_column('check_in', sa.Column('kind', sa.Text(), server_default='in', nullable=False), schema='field')
    op.add_column('check_in', sa.Column('staff_id', sa.Integer(), nullable=True), schema='field')
    op.create_foreign_key(op.f('fk_check_in_staff_id_staff'), 'check_in', 'staff', ['staff_id'], ['id'], source_schema='field', referent_schema='office')
    op.add_column('ledger_entry', sa.Column('evidence_root', sa.LargeBinary(), nullable=True), schema='field')
    op.add_column('photo', sa.Column('likeness', sa.BigInteger(), nullable=True), schema='field')
    op.add_column('photo', sa.Column('capture', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True), schema='field')
    op.add_column('photo', sa.Column('receipt', sa.Text(), nullable=True), schema='field')
    op.add_column('photo', sa.Column('blurs', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True), schema='field')
    op.add_column('photo', sa.Column('blurred_by', sa.Integer(), nullable=True), schema='field')
    op.add_column('photo', sa.Column('blurred_at', sa.DateTime(timezone=True), nullable=True), schema='field')
    op.create_foreign_key(op.f('fk_photo_blurred_by_staff'), 'photo', 'staff', ['blurred_by'], ['id'], source_schema='field', referent_schema='office')
    op.add_column('round', sa.Column('published_digest', sa.Text(), nullable=True), schema='office')
    op.add_column('round', sa.Column('corrected_by', sa.Integer(), nullable=True), schema='office')
    op.add_column('round', sa.Column('corrected_at', sa.DateTime(timezone=True), nullable=True), schema='office')
    op.create_check_constraint(op.f('ck_round_corrected'), 'round', '(corrected_by IS NULL) = (corrected_at IS NULL) AND (corrected_by IS NULL OR published_by IS NOT NULL)', schema='office')
    op.create_foreign_key(op.f('fk_round_corrected_by_staff'), 'round', 'staff', ['corrected_by'], ['id'], source_schema='office', referent_schema='office')
    op.create_foreign_key('fk_round_published_composite', 'round', 'composite', ['evaluation_id', 'published_digest'], ['evaluation_id', 'inputs_digest'], source_schema='office', referent_schema='result')
    op.add_column('composite', sa.Column('was_published', sa.Boolean(), server_default='false', nullable=False), schema='result')
    op.execute(PUBLISHED)
    op.execute(PINNED)
    op.add_column('site', sa.Column('code', sa.Text(), server_default='', nullable=False), schema='field')
    op.add_column('site', sa.Column('fence', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True), schema='field')
    op.add_column('site', sa.Column('risk', sa.Text(), server_default='B', nullable=False), schema='field')
    op.add_column('site', sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True), schema='field')
    op.create_index('uq_site_code', 'site', ['unit_id', 'code'], unique=True, schema='field', postgresql_where=sa.text("code != ''"))
    op.add_column('visit', sa.Column('signature', sa.LargeBinary(), nullable=True), schema='field')
    op.add_column('visit', sa.Column('signed_by', sa.Text(), server_default='', nullable=False), schema='field')
    for table, name, rule in CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, rule, schema="field")
    for table in ADDED_ONLY:
        op.execute(f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                   "FOR EACH STATEMENT EXECUTE FUNCTION field.refuse_change()")
    for guard in (ledger_guard.THIRD_PERSON, decided_once.GUARD, objections.GUARD, rectifications.GUARD, slips.GUARD):
        op.execute(guard)


def downgrade() -> None:
    for name in (*ledger_guard.FUNCTIONS, *decided_once.FUNCTIONS):
        op.execute(f"DROP FUNCTION field.{name}() CASCADE")  # and the triggers that call it
    for table in ADDED_ONLY:
        op.execute(f"DROP TRIGGER only_grows ON {table}")
    for table, name, _ in CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table, schema="field")
    op.drop_column('visit', 'signed_by', schema='field')
    op.drop_column('visit', 'signature', schema='field')
    op.drop_index('uq_site_code', table_name='site', schema='field', postgresql_where=sa.text("code != ''"))
    op.drop_column('site', 'withdrawn_at', schema='field')
    op.drop_column('site', 'risk', schema='field')
    op.drop_column('site', 'fence', schema='field')
    op.drop_column('site', 'code', schema='field')
    op.drop_column('composite', 'was_published', schema='result')
    for column in ('published_digest', 'corrected_by', 'corrected_at'):
        op.drop_column('round', column, schema='office')
    op.drop_constraint(op.f('fk_photo_blurred_by_staff'), 'photo', schema='field', type_='foreignkey')
    op.drop_column('photo', 'blurred_at', schema='field')
    op.drop_column('photo', 'blurred_by', schema='field')
    op.drop_column('photo', 'blurs', schema='field')
    op.drop_column('photo', 'receipt', schema='field')
    op.drop_column('photo', 'capture', schema='field')
    op.drop_column('photo', 'likeness', schema='field')
    op.drop_column('ledger_entry', 'evidence_root', schema='field')
    op.drop_constraint(op.f('fk_check_in_staff_id_staff'), 'check_in', schema='field', type_='foreignkey')
    op.drop_column('check_in', 'staff_id', schema='field')
    op.drop_column('check_in', 'kind', schema='field')
    op.drop_constraint(op.f('fk_assignment_item_id_inspection_item'), 'assignment', schema='field', type_='foreignkey')
    op.drop_constraint(op.f('fk_assignment_made_by_staff'), 'assignment', schema='field', type_='foreignkey')
    op.drop_constraint(op.f('fk_assignment_draw_id_inspection_draw'), 'assignment', schema='field', type_='foreignkey')
    op.drop_index(op.f('ix_assignment_draw_id'), table_name='assignment', schema='field')
    op.alter_column('assignment', 'site_id',
               existing_type=sa.INTEGER(),
               nullable=False,
               schema='field')
    op.drop_column('assignment', 'withdrawn_reason', schema='field')
    op.drop_column('assignment', 'withdrawn_at', schema='field')
    op.drop_column('assignment', 'made_at', schema='field')
    op.drop_column('assignment', 'made_by', schema='field')
    op.drop_column('assignment', 'sealed', schema='field')
    op.drop_column('assignment', 'draw_id', schema='field')
    op.drop_column('assignment', 'item_id', schema='field')
    op.drop_column('assignment', 'kind', schema='field')
    op.drop_index(op.f('ix_paper_step_id'), table_name='paper', schema='field')
    op.drop_index(op.f('ix_paper_objection_id'), table_name='paper', schema='field')
    op.drop_table('paper', schema='field')
    op.drop_index(op.f('ix_slip_unit_id'), table_name='slip', schema='field')
    op.drop_table('slip', schema='field')
    op.drop_index(op.f('ix_rectification_step_rectification_id'), table_name='rectification_step', schema='field')
    op.drop_table('rectification_step', schema='field')
    op.drop_index(op.f('ix_rectification_unit_id'), table_name='rectification', schema='field')
    op.drop_index(op.f('ix_rectification_evaluation_id'), table_name='rectification', schema='field')
    op.drop_table('rectification', schema='field')
    op.drop_index(op.f('ix_objection_unit_id'), table_name='objection', schema='field')
    op.drop_table('objection', schema='field')
    op.drop_table('shortfall', schema='field')
    op.drop_index(op.f('ix_checklist_visit_id'), table_name='checklist', schema='field')
    op.drop_table('checklist', schema='field')
    op.drop_index(op.f('ix_upload_staff_id'), table_name='upload', schema='field')
    op.drop_index('ix_upload_blobs', table_name='upload', schema='field', postgresql_using='gin')
    op.drop_index('ix_upload_open', table_name='upload', schema='field', postgresql_where=sa.text("status != 'settled'"))
    op.drop_table('upload', schema='field')
    op.drop_table('crew', schema='field')
    op.drop_index(op.f('ix_inspection_draw_evaluation_id'), table_name='inspection_draw', schema='field')
    op.drop_table('inspection_draw', schema='field')
    op.drop_table('inspection_item', schema='field')
    op.drop_table('frozen_ledger', schema='field')
    op.drop_table('checkpoint', schema='field')
    op.drop_index('uq_recusal_standing', table_name='recusal', schema='field', postgresql_where=sa.text('withdrawn_at IS NULL'))
    op.drop_table('recusal', schema='field')
    op.drop_table('inspector', schema='field')
    op.drop_table('flag_review', schema='field')
    op.drop_index(op.f('ix_device_staff_id'), table_name='device', schema='field')
    op.drop_table('device', schema='field')
    op.drop_table('blob', schema='field')
    op.drop_constraint(op.f('uq_ledger_entry_seq_filed_by_decided_by'), 'ledger_entry', schema='field', type_='unique')
    for name in ("keep_objection", "keep_rectification", "keep_slip"):
        op.execute(f"DROP FUNCTION field.{name}()")
