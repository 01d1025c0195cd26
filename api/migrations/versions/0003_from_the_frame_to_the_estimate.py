"""from the frame to the estimate: imports, plans, case files, attempts, quotas, back-checks, flags, weights"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

ADDED_ONLY = ("roll.plan", "roll.draw_refusal", "roll.contact_attempt", "result.weighting", "result.weight")
"""What happened is added and never changed, by nobody."""
REFUSE_CHANGE = """
CREATE FUNCTION roll.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.create_table('fieldwork_plan',
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('modes', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('script_zh', sa.Text(), nullable=False),
    sa.Column('script_en', sa.Text(), server_default='', nullable=False),
    sa.Column('calls_from', sa.Integer(), nullable=False),
    sa.Column('calls_until', sa.Integer(), nullable=False),
    sa.Column('spacing_minutes', sa.Integer(), nullable=False),
    sa.Column('cooling_days', sa.Integer(), nullable=False),
    sa.Column('most_calls', sa.Integer(), nullable=False),
    sa.Column('most_visits', sa.Integer(), nullable=False),
    sa.Column('hold_minutes', sa.Integer(), nullable=False),
    sa.Column('backcheck_percent', sa.Integer(), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('changed_by', sa.Integer(), nullable=True),
    sa.CheckConstraint('backcheck_percent BETWEEN 0 AND 100', name=op.f('ck_fieldwork_plan_backcheck_percent')),
    sa.CheckConstraint('calls_from BETWEEN 0 AND 1439 AND calls_until BETWEEN calls_from + 1 AND 1440', name=op.f('ck_fieldwork_plan_hours')),
    sa.ForeignKeyConstraint(['changed_by'], ['office.staff.id'], name=op.f('fk_fieldwork_plan_changed_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_fieldwork_plan_survey_id_survey')),
    sa.PrimaryKeyConstraint('survey_id', name=op.f('pk_fieldwork_plan')),
    schema='office'
    )
    op.create_table('margin',
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('group_code', sa.Text(), nullable=False),
    sa.Column('trait', sa.Text(), nullable=False),
    sa.Column('level', sa.Text(), nullable=False),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.CheckConstraint('total > 0', name=op.f('ck_margin_total')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_margin_survey_id_survey')),
    sa.PrimaryKeyConstraint('survey_id', 'group_code', 'trait', 'level', name=op.f('pk_margin')),
    schema='office'
    )
    op.create_table('covariance',
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('group_code', sa.Text(), nullable=False),
    sa.Column('units', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('matrix', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('tally_version', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_covariance_survey_id_survey')),
    sa.PrimaryKeyConstraint('survey_id', 'group_code', name=op.f('pk_covariance')),
    schema='result'
    )
    op.create_table('quality_flag',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject_kind', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('facts', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('judgement', sa.Text(), nullable=True),
    sa.Column('judged_by', sa.Integer(), nullable=True),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("subject_kind IN ('response','case','attempt','interviewer')", name=op.f('ck_quality_flag_subject_kind')),
    sa.ForeignKeyConstraint(['judged_by'], ['office.staff.id'], name=op.f('fk_quality_flag_judged_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_quality_flag_survey_id_survey')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quality_flag')),
    sa.UniqueConstraint('survey_id', 'kind', 'subject_kind', 'subject', name=op.f('uq_quality_flag_survey_id_kind_subject_kind_subject')),
    schema='result'
    )
    op.create_index(op.f('ix_quality_flag_survey_id'), 'quality_flag', ['survey_id'], unique=False, schema='result')
    op.create_table('weighting',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('rules', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('report', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['made_by'], ['office.staff.id'], name=op.f('fk_weighting_made_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_weighting_survey_id_survey')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_weighting')),
    schema='result'
    )
    op.create_index(op.f('ix_weighting_survey_id'), 'weighting', ['survey_id'], unique=False, schema='result')
    op.create_table('quota_cell',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('name_zh', sa.Text(), nullable=False),
    sa.Column('name_en', sa.Text(), nullable=False),
    sa.Column('traits', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('places', sa.Integer(), nullable=False),
    sa.Column('taken', sa.Integer(), server_default='0', nullable=False),
    sa.Column('priority', sa.Integer(), server_default='0', nullable=False),
    sa.Column('closing', sa.Text(), server_default='soft', nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.Integer(), nullable=True),
    sa.CheckConstraint("closing IN ('soft','hard')", name=op.f('ck_quota_cell_closing')),
    sa.CheckConstraint('taken BETWEEN 0 AND places', name=op.f('ck_quota_cell_never_overshot')),
    sa.ForeignKeyConstraint(['closed_by'], ['office.staff.id'], name=op.f('fk_quota_cell_closed_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_quota_cell_survey_id_survey')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quota_cell')),
    schema='roll'
    )
    op.create_index(op.f('ix_quota_cell_survey_id'), 'quota_cell', ['survey_id'], unique=False, schema='roll')
    op.create_table('weight',
    sa.Column('weighting_id', sa.Integer(), nullable=False),
    sa.Column('stratum', sa.Text(), nullable=False),
    sa.Column('wcell', sa.Text(), nullable=False),
    sa.Column('outcomes', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('merged_into', sa.Text(), nullable=True),
    sa.Column('base', sa.Float(), nullable=False),
    sa.Column('eligibility', sa.Float(), nullable=False),
    sa.Column('nonresponse', sa.Float(), nullable=False),
    sa.Column('raked', sa.Float(), nullable=False),
    sa.Column('final', sa.Float(), nullable=False),
    sa.ForeignKeyConstraint(['weighting_id'], ['result.weighting.id'], name=op.f('fk_weight_weighting_id_weighting')),
    sa.PrimaryKeyConstraint('weighting_id', 'stratum', 'wcell', name=op.f('pk_weight')),
    schema='result'
    )
    op.create_table('draw_refusal',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('frame_id', sa.Integer(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('randomness', sa.Text(), nullable=False),
    sa.Column('tried_by', sa.Integer(), nullable=True),
    sa.Column('tried_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['frame_id'], ['roll.frame.id'], name=op.f('fk_draw_refusal_frame_id_frame')),
    sa.ForeignKeyConstraint(['tried_by'], ['office.staff.id'], name=op.f('fk_draw_refusal_tried_by_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_draw_refusal')),
    schema='roll'
    )
    op.create_index(op.f('ix_draw_refusal_frame_id'), 'draw_refusal', ['frame_id'], unique=False, schema='roll')
    op.create_table('frame_import',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('file_name', sa.Text(), nullable=False),
    sa.Column('encoding', sa.Text(), nullable=True),
    sa.Column('columns', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('lines_total', sa.Integer(), nullable=True),
    sa.Column('lines_read', sa.Integer(), server_default='0', nullable=False),
    sa.Column('status', sa.Text(), server_default='mapping', nullable=False),
    sa.Column('faults', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('frame_id', sa.Integer(), nullable=True),
    sa.Column('started_by', sa.Integer(), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'loaded') = (frame_id IS NOT NULL)", name=op.f('ck_frame_import_loaded')),
    sa.CheckConstraint("status IN ('mapping','reading','refused','loaded','abandoned')", name=op.f('ck_frame_import_status')),
    sa.ForeignKeyConstraint(['frame_id'], ['roll.frame.id'], name=op.f('fk_frame_import_frame_id_frame')),
    sa.ForeignKeyConstraint(['started_by'], ['office.staff.id'], name=op.f('fk_frame_import_started_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_frame_import_survey_id_survey')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_frame_import')),
    schema='roll'
    )
    op.create_index(op.f('ix_frame_import_survey_id'), 'frame_import', ['survey_id'], unique=False, schema='roll')
    op.create_table('plan',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('frame_id', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('randomness_source', sa.Text(), nullable=False),
    sa.Column('known_from', sa.DateTime(timezone=True), nullable=False),
    sa.Column('committed_by', sa.Integer(), nullable=True),
    sa.Column('committed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['committed_by'], ['office.staff.id'], name=op.f('fk_plan_committed_by_staff')),
    sa.ForeignKeyConstraint(['frame_id'], ['roll.frame.id'], name=op.f('fk_plan_frame_id_frame')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_plan')),
    schema='roll'
    )
    op.create_index(op.f('ix_plan_frame_id'), 'plan', ['frame_id'], unique=False, schema='roll')
    op.create_table('frame_line',
    sa.Column('import_id', sa.Integer(), nullable=False),
    sa.Column('row', sa.Integer(), nullable=False),
    sa.Column('stratum', sa.Text(), nullable=False),
    sa.Column('member', sa.Text(), nullable=False),
    sa.Column('psu', sa.Text(), nullable=True),
    sa.Column('size', sa.Numeric(), nullable=True),
    sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=True),
    sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=True),
    sa.Column('sort', sa.Text(), nullable=True),
    sa.Column('traits', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('contact', sa.LargeBinary(), nullable=True),
    sa.ForeignKeyConstraint(['import_id'], ['roll.frame_import.id'], name=op.f('fk_frame_line_import_id_frame_import')),
    sa.PrimaryKeyConstraint('import_id', 'row', name=op.f('pk_frame_line')),
    schema='roll'
    )
    op.create_table('appointment',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('begins_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('for_staff', sa.Integer(), nullable=True),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('ends_at > begins_at', name=op.f('ck_appointment_order')),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_appointment_case_id_case')),
    sa.ForeignKeyConstraint(['for_staff'], ['office.staff.id'], name=op.f('fk_appointment_for_staff_staff')),
    sa.ForeignKeyConstraint(['made_by'], ['office.staff.id'], name=op.f('fk_appointment_made_by_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_appointment')),
    schema='roll'
    )
    op.create_index(op.f('ix_appointment_case_id'), 'appointment', ['case_id'], unique=False, schema='roll')
    op.create_table('backcheck',
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('checks', sa.Integer(), nullable=False),
    sa.Column('interviewer', sa.Integer(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('said', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    sa.Column('verdict', sa.Text(), nullable=True),
    sa.Column('judged_by', sa.Integer(), nullable=True),
    sa.Column('judged_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("reason IN ('random','flag')", name=op.f('ck_backcheck_reason')),
    sa.CheckConstraint("verdict IN ('confirmed','doubtful','false','not_reached')", name=op.f('ck_backcheck_verdict')),
    sa.CheckConstraint('judged_by IS DISTINCT FROM interviewer', name=op.f('ck_backcheck_second_person')),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_backcheck_case_id_case')),
    sa.ForeignKeyConstraint(['checks'], ['roll.case.id'], name=op.f('fk_backcheck_checks_case')),
    sa.ForeignKeyConstraint(['interviewer'], ['office.staff.id'], name=op.f('fk_backcheck_interviewer_staff')),
    sa.ForeignKeyConstraint(['judged_by'], ['office.staff.id'], name=op.f('fk_backcheck_judged_by_staff')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_backcheck')),
    sa.UniqueConstraint('checks', name=op.f('uq_backcheck_checks')),
    schema='roll'
    )
    op.create_table('case_file',
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('refusals', sa.Integer(), server_default='0', nullable=False),
    sa.Column('last_staff', sa.Integer(), nullable=True),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('priority', sa.Integer(), server_default='0', nullable=False),
    sa.Column('held_by', sa.Integer(), nullable=True),
    sa.Column('held_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('interview', sa.LargeBinary(), nullable=True),
    sa.CheckConstraint("stage IN ('web','phone','visit','done')", name=op.f('ck_case_file_stage')),
    sa.CheckConstraint('(held_by IS NULL) = (held_until IS NULL)', name=op.f('ck_case_file_held')),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_case_file_case_id_case')),
    sa.ForeignKeyConstraint(['held_by'], ['office.staff.id'], name=op.f('fk_case_file_held_by_staff')),
    sa.ForeignKeyConstraint(['last_staff'], ['office.staff.id'], name=op.f('fk_case_file_last_staff_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_case_file_survey_id_survey')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_case_file')),
    schema='roll',
    postgresql_with={'fillfactor': '80'}
    )
    op.create_index('ix_case_file_next', 'case_file', ['survey_id', 'stage', 'not_before'], unique=False, schema='roll')
    op.create_table('contact_attempt',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('mode', sa.Text(), nullable=False),
    sa.Column('staff_id', sa.Integer(), nullable=True),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('note', sa.Text(), server_default='', nullable=False),
    sa.Column('latitude', sa.Float(), nullable=True),
    sa.Column('longitude', sa.Float(), nullable=True),
    sa.Column('accuracy', sa.Float(), nullable=True),
    sa.CheckConstraint("mode IN ('web','phone','visit')", name=op.f('ck_contact_attempt_mode')),
    sa.CheckConstraint('ended_at >= began_at', name=op.f('ck_contact_attempt_order')),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_contact_attempt_case_id_case')),
    sa.ForeignKeyConstraint(['staff_id'], ['office.staff.id'], name=op.f('fk_contact_attempt_staff_id_staff')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact_attempt')),
    sa.UniqueConstraint('key', name=op.f('uq_contact_attempt_key')),
    schema='roll'
    )
    op.create_index(op.f('ix_contact_attempt_case_id'), 'contact_attempt', ['case_id'], unique=False, schema='roll')
    op.create_table('quota_place',
    sa.Column('cell_id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('taken_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_quota_place_case_id_case')),
    sa.ForeignKeyConstraint(['cell_id'], ['roll.quota_cell.id'], name=op.f('fk_quota_place_cell_id_quota_cell')),
    sa.PrimaryKeyConstraint('cell_id', 'case_id', name=op.f('pk_quota_place')),
    schema='roll'
    )
    op.add_column('response', sa.Column('interviewer', sa.Integer(), nullable=True), schema='ballot')
    op.add_column('access_code', sa.Column('blocks', sa.Integer(), nullable=True), schema='roll')
    op.add_column('access_code', sa.Column('wcell', sa.Text(), nullable=True), schema='roll')
    op.add_column('access_code', sa.Column('mode', sa.Text(), server_default='web', nullable=False), schema='roll')
    op.add_column('access_code', sa.Column('interviewer', sa.Integer(), nullable=True), schema='roll')
    op.create_foreign_key(op.f('fk_access_code_interviewer_staff'), 'access_code', 'staff', ['interviewer'], ['id'], source_schema='roll', referent_schema='office')
    op.add_column('case', sa.Column('kind', sa.Text(), server_default='main', nullable=False), schema='roll')
    op.add_column('case', sa.Column('inclusion', sa.Float(), nullable=True), schema='roll')
    op.add_column('case', sa.Column('wcell', sa.Text(), nullable=True), schema='roll')
    op.add_column('case', sa.Column('predecessor_id', sa.Integer(), nullable=True), schema='roll')
    op.add_column('case', sa.Column('released_at', sa.DateTime(timezone=True), nullable=True), schema='roll')
    op.add_column('case', sa.Column('released_by', sa.Integer(), nullable=True), schema='roll')
    op.create_unique_constraint(op.f('uq_case_predecessor_id'), 'case', ['predecessor_id'], schema='roll')
    op.create_foreign_key(op.f('fk_case_released_by_staff'), 'case', 'staff', ['released_by'], ['id'], source_schema='roll', referent_schema='office')
    op.create_foreign_key(op.f('fk_case_predecessor_id_case'), 'case', 'case', ['predecessor_id'], ['id'], source_schema='roll', referent_schema='roll')
    op.add_column('draw', sa.Column('record', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True), schema='roll')
    op.add_column('draw', sa.Column('drawn_by', sa.Integer(), nullable=True), schema='roll')
    op.create_foreign_key(op.f('fk_draw_drawn_by_staff'), 'draw', 'staff', ['drawn_by'], ['id'], source_schema='roll', referent_schema='office')
    op.add_column('frame', sa.Column('file_name', sa.Text(), nullable=True), schema='roll')
    op.add_column('frame', sa.Column('loaded_by', sa.Integer(), nullable=True), schema='roll')
    op.create_foreign_key(op.f('fk_frame_loaded_by_staff'), 'frame', 'staff', ['loaded_by'], ['id'], source_schema='roll', referent_schema='office')
    op.add_column('frame_member', sa.Column('row', sa.Integer(), nullable=True), schema='roll')
    op.add_column('frame_member', sa.Column('psu', sa.Text(), nullable=True), schema='roll')
    op.add_column('frame_member', sa.Column('size', sa.Numeric(), nullable=True), schema='roll')
    op.add_column('frame_member', sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=True), schema='roll')
    op.add_column('frame_member', sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=True), schema='roll')
    op.add_column('frame_member', sa.Column('sort', sa.Text(), nullable=True), schema='roll')
    op.add_column('frame_member', sa.Column('traits', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True), schema='roll')
    op.add_column('frame_member', sa.Column('contact', sa.LargeBinary(), nullable=True), schema='roll')
    op.create_check_constraint(op.f("ck_case_kind"), "case", "kind IN ('main','reserve','backcheck')", schema="roll")
    op.create_check_constraint(op.f("ck_case_replaces"), "case", "(kind = 'reserve' AND released_at IS NOT NULL) = (predecessor_id IS NOT NULL)", schema="roll")
    op.create_check_constraint(op.f("ck_access_code_one_way_to_a_block"), "access_code", "block IS NULL OR blocks IS NULL", schema="roll")
    op.create_check_constraint(op.f("ck_access_code_mode"), "access_code", "mode IN ('web','phone','visit')", schema="roll")
    op.drop_constraint(op.f('ck_staff_role'), 'staff', schema='office')
    op.create_check_constraint(op.f("ck_staff_role"), "staff", "role IN ('office','inspector','interviewer','supervisor','bureau','unit')", schema="office")
    op.drop_constraint(op.f('ck_code_batch_kind'), 'code_batch', schema='roll')
    op.create_check_constraint(op.f("ck_code_batch_kind"), "code_batch", "kind IN ('printed','listed','interview')", schema="roll")
    op.execute(REFUSE_CHANGE)
    for table in ADDED_ONLY:
        op.execute(f"CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                   "FOR EACH STATEMENT EXECUTE FUNCTION roll.refuse_change()")


def downgrade() -> None:
    for table in ADDED_ONLY:
        op.execute(f"DROP TRIGGER only_grows ON {table}")
    op.execute("DROP FUNCTION roll.refuse_change()")
    op.drop_constraint(op.f('ck_case_kind'), 'case', schema='roll')
    op.drop_constraint(op.f('ck_case_replaces'), 'case', schema='roll')
    op.drop_constraint(op.f('ck_access_code_one_way_to_a_block'), 'access_code', schema='roll')
    op.drop_constraint(op.f('ck_access_code_mode'), 'access_code', schema='roll')
    op.drop_constraint(op.f('ck_staff_role'), 'staff', schema='office')
    op.create_check_constraint(op.f("ck_staff_role"), "staff", "role IN ('office','inspector','bureau','unit')", schema="office")
    op.drop_constraint(op.f('ck_code_batch_kind'), 'code_batch', schema='roll')
    op.create_check_constraint(op.f("ck_code_batch_kind"), "code_batch", "kind IN ('printed','listed')", schema="roll")
    op.drop_column('frame_member', 'contact', schema='roll')
    op.drop_column('frame_member', 'traits', schema='roll')
    op.drop_column('frame_member', 'sort', schema='roll')
    op.drop_column('frame_member', 'longitude', schema='roll')
    op.drop_column('frame_member', 'latitude', schema='roll')
    op.drop_column('frame_member', 'size', schema='roll')
    op.drop_column('frame_member', 'psu', schema='roll')
    op.drop_column('frame_member', 'row', schema='roll')
    op.drop_constraint(op.f('fk_frame_loaded_by_staff'), 'frame', schema='roll', type_='foreignkey')
    op.drop_column('frame', 'loaded_by', schema='roll')
    op.drop_column('frame', 'file_name', schema='roll')
    op.drop_constraint(op.f('fk_draw_drawn_by_staff'), 'draw', schema='roll', type_='foreignkey')
    op.drop_column('draw', 'drawn_by', schema='roll')
    op.drop_column('draw', 'record', schema='roll')
    op.drop_constraint(op.f('fk_case_predecessor_id_case'), 'case', schema='roll', type_='foreignkey')
    op.drop_constraint(op.f('fk_case_released_by_staff'), 'case', schema='roll', type_='foreignkey')
    op.drop_constraint(op.f('uq_case_predecessor_id'), 'case', schema='roll', type_='unique')
    op.drop_column('case', 'released_by', schema='roll')
    op.drop_column('case', 'released_at', schema='roll')
    op.drop_column('case', 'predecessor_id', schema='roll')
    op.drop_column('case', 'wcell', schema='roll')
    op.drop_column('case', 'inclusion', schema='roll')
    op.drop_column('case', 'kind', schema='roll')
    op.drop_constraint(op.f('fk_access_code_interviewer_staff'), 'access_code', schema='roll', type_='foreignkey')
    op.drop_column('access_code', 'interviewer', schema='roll')
    op.drop_column('access_code', 'mode', schema='roll')
    op.drop_column('access_code', 'wcell', schema='roll')
    op.drop_column('access_code', 'blocks', schema='roll')
    op.drop_column('response', 'interviewer', schema='ballot')
    op.drop_table('quota_place', schema='roll')
    op.drop_index(op.f('ix_contact_attempt_case_id'), table_name='contact_attempt', schema='roll')
    op.drop_table('contact_attempt', schema='roll')
    op.drop_index('ix_case_file_next', table_name='case_file', schema='roll')
    op.drop_table('case_file', schema='roll')
    op.drop_table('backcheck', schema='roll')
    op.drop_index(op.f('ix_appointment_case_id'), table_name='appointment', schema='roll')
    op.drop_table('appointment', schema='roll')
    op.drop_table('frame_line', schema='roll')
    op.drop_index(op.f('ix_plan_frame_id'), table_name='plan', schema='roll')
    op.drop_table('plan', schema='roll')
    op.drop_index(op.f('ix_frame_import_survey_id'), table_name='frame_import', schema='roll')
    op.drop_table('frame_import', schema='roll')
    op.drop_index(op.f('ix_draw_refusal_frame_id'), table_name='draw_refusal', schema='roll')
    op.drop_table('draw_refusal', schema='roll')
    op.drop_table('weight', schema='result')
    op.drop_index(op.f('ix_quota_cell_survey_id'), table_name='quota_cell', schema='roll')
    op.drop_table('quota_cell', schema='roll')
    op.drop_index(op.f('ix_weighting_survey_id'), table_name='weighting', schema='result')
    op.drop_table('weighting', schema='result')
    op.drop_index(op.f('ix_quality_flag_survey_id'), table_name='quality_flag', schema='result')
    op.drop_table('quality_flag', schema='result')
    op.drop_table('covariance', schema='result')
    op.drop_table('margin', schema='office')
    op.drop_table('fieldwork_plan', schema='office')
