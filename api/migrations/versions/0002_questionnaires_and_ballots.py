"""questionnaires and the secret ballot: batches of codes, sealed boxes, notices, survey windows"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('box',
    sa.Column('receipt_hash', sa.LargeBinary(), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('stratum', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('receipt_hash', name=op.f('pk_box')),
    schema='ballot'
    )
    # Ciphertext does not compress: trying costs more than writing it.
    op.execute('ALTER TABLE ballot.box ALTER COLUMN sealed SET STORAGE EXTERNAL')
    op.create_table('draft_file',
    sa.Column('draft_id', sa.LargeBinary(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['draft_id'], ['ballot.draft.draft_id'], name=op.f('fk_draft_file_draft_id_draft'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('draft_id', 'name', name=op.f('pk_draft_file')),
    schema='ballot'
    )
    op.create_table('response_file',
    sa.Column('response_id', sa.Uuid(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['response_id'], ['ballot.response.id'], name=op.f('fk_response_file_response_id_response'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('response_id', 'name', name=op.f('pk_response_file')),
    schema='ballot'
    )
    op.create_table('campaign_key',
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('public_key', sa.LargeBinary(), nullable=False),
    sa.Column('custodians', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('tests', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('added_by', sa.Integer(), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('rehearsed_by', sa.Integer(), nullable=True),
    sa.Column('rehearsed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['added_by'], ['office.staff.id'], name=op.f('fk_campaign_key_added_by_staff')),
    sa.ForeignKeyConstraint(['rehearsed_by'], ['office.staff.id'], name=op.f('fk_campaign_key_rehearsed_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_campaign_key_survey_id_survey')),
    sa.PrimaryKeyConstraint('survey_id', name=op.f('pk_campaign_key')),
    schema='ballot'
    )
    op.create_table('closing',
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('boxes', sa.Integer(), nullable=False),
    sa.Column('counts', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('merkle_root', sa.Text(), nullable=False),
    sa.Column('box_root', sa.Text(), nullable=False),
    sa.Column('closed_by', sa.Integer(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('counted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('counted_by', sa.Integer(), nullable=True),
    sa.Column('result_digest', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['closed_by'], ['office.staff.id'], name=op.f('fk_closing_closed_by_staff')),
    sa.ForeignKeyConstraint(['counted_by'], ['office.staff.id'], name=op.f('fk_closing_counted_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_closing_survey_id_survey')),
    sa.PrimaryKeyConstraint('survey_id', name=op.f('pk_closing')),
    schema='ballot'
    )
    op.create_table('coercion_report',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('read_by', sa.Integer(), nullable=True),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['read_by'], ['office.staff.id'], name=op.f('fk_coercion_report_read_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_coercion_report_survey_id_survey')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_coercion_report')),
    schema='office'
    )
    op.create_index(op.f('ix_coercion_report_survey_id'), 'coercion_report', ['survey_id'], unique=False, schema='office')
    op.create_table('privacy_notice',
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('notice', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('published_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['published_by'], ['office.staff.id'], name=op.f('fk_privacy_notice_published_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_privacy_notice_survey_id_survey')),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_privacy_notice')),
    schema='office'
    )
    op.create_index(op.f('ix_privacy_notice_survey_id'), 'privacy_notice', ['survey_id'], unique=False, schema='office')
    op.create_table('code_batch',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('strata', postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
    sa.Column('sheets', sa.Integer(), nullable=False),
    sa.Column('made_by', sa.Integer(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('destroyed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_by', sa.Integer(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.CheckConstraint("kind IN ('printed','listed')", name=op.f('ck_code_batch_kind')),
    sa.CheckConstraint('(revoked_at IS NULL) = (reason IS NULL)', name=op.f('ck_code_batch_revoked_with_reason')),
    sa.ForeignKeyConstraint(['made_by'], ['office.staff.id'], name=op.f('fk_code_batch_made_by_staff')),
    sa.ForeignKeyConstraint(['revoked_by'], ['office.staff.id'], name=op.f('fk_code_batch_revoked_by_staff')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_code_batch_survey_id_survey')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_code_batch')),
    schema='roll'
    )
    op.create_index(op.f('ix_code_batch_survey_id'), 'code_batch', ['survey_id'], unique=False, schema='roll')
    op.create_table('case_code',
    sa.Column('mac', sa.LargeBinary(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_case_code_case_id_case')),
    sa.ForeignKeyConstraint(['mac'], ['roll.access_code.mac'], name=op.f('fk_case_code_mac_access_code')),
    sa.PrimaryKeyConstraint('mac', name=op.f('pk_case_code')),
    schema='roll'
    )
    op.create_index(op.f('ix_case_code_case_id'), 'case_code', ['case_id'], unique=False, schema='roll')
    op.create_table('contact',
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_contact_case_id_case')),
    sa.PrimaryKeyConstraint('case_id', name=op.f('pk_contact')),
    schema='roll'
    )
    op.create_table('message',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('survey_id', sa.Integer(), nullable=False),
    sa.Column('case_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('provider_id', sa.Text(), nullable=True),
    sa.Column('failed', sa.Text(), nullable=True),
    sa.CheckConstraint("channel IN ('sms','mail')", name=op.f('ck_message_channel')),
    sa.CheckConstraint("kind IN ('invitation','reminder')", name=op.f('ck_message_kind')),
    sa.ForeignKeyConstraint(['case_id'], ['roll.case.id'], name=op.f('fk_message_case_id_case')),
    sa.ForeignKeyConstraint(['survey_id'], ['office.survey.id'], name=op.f('fk_message_survey_id_survey')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_message')),
    schema='roll'
    )
    op.create_index(op.f('ix_message_survey_id'), 'message', ['survey_id'], unique=False, schema='roll')
    op.create_table('failed_code',
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('digits', sa.Boolean(), nullable=False),
    schema='roll',
    prefixes=['UNLOGGED'],
    )
    op.create_index('ix_failed_code_at', 'failed_code', ['at'], unique=False, schema='roll')
    op.add_column('round', sa.Column('made_by', sa.Integer(), nullable=True), schema='office')
    op.add_column('round', sa.Column('opened_by', sa.Integer(), nullable=True), schema='office')
    op.add_column('round', sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True), schema='office')
    op.create_foreign_key(op.f('fk_round_made_by_staff'), 'round', 'staff', ['made_by'], ['id'], source_schema='office', referent_schema='office')
    op.create_foreign_key(op.f('fk_round_opened_by_staff'), 'round', 'staff', ['opened_by'], ['id'], source_schema='office', referent_schema='office')
    op.create_check_constraint(op.f('ck_round_opening_stamped'), 'round', '(opened_by IS NULL) = (opened_at IS NULL)', schema='office')
    op.create_check_constraint(op.f('ck_round_second_person_opens'), 'round', 'opened_by IS NULL OR made_by IS NULL OR opened_by <> made_by', schema='office')
    # A draft of before does not say whose survey it is, so it could never be deleted at the close.
    op.execute('DELETE FROM ballot.draft')
    op.add_column('draft', sa.Column('survey_id', sa.Integer(), nullable=False), schema='ballot')
    op.create_index(op.f('ix_draft_survey_id'), 'draft', ['survey_id'], unique=False, schema='ballot')
    op.add_column('survey', sa.Column('name_zh', sa.Text(), server_default='', nullable=False), schema='office')
    op.add_column('survey', sa.Column('name_en', sa.Text(), server_default='', nullable=False), schema='office')
    op.add_column('survey', sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True), schema='office')
    op.add_column('survey', sa.Column('early_reason', sa.Text(), nullable=True), schema='office')
    op.add_column('survey', sa.Column('random_order', sa.Boolean(), server_default='true', nullable=False), schema='office')
    op.add_column('survey', sa.Column('units_per_respondent', sa.Integer(), nullable=True), schema='office')
    op.create_check_constraint(op.f('ck_survey_units_per_respondent'), 'survey', 'units_per_respondent > 0', schema='office')
    op.create_check_constraint(op.f('ck_survey_closed_with_reason'), 'survey', '(closed_at IS NULL) = (early_reason IS NULL)', schema='office')
    op.add_column('access_code', sa.Column('revoked', sa.Boolean(), server_default='false', nullable=False), schema='roll')
    op.add_column('access_code', sa.Column('batch_id', sa.Integer(), nullable=True), schema='roll')
    op.add_column('access_code', sa.Column('block', sa.Integer(), nullable=True), schema='roll')
    op.create_foreign_key(op.f('fk_access_code_batch_id_code_batch'), 'access_code', 'code_batch', ['batch_id'], ['id'], source_schema='roll', referent_schema='roll')


def downgrade() -> None:
    op.drop_constraint(op.f('ck_round_second_person_opens'), 'round', schema='office', type_='check')
    op.drop_constraint(op.f('ck_round_opening_stamped'), 'round', schema='office', type_='check')
    for name in ('opened_at', 'opened_by', 'made_by'):
        op.drop_column('round', name, schema='office')
    op.drop_table('failed_code', schema='roll')
    op.drop_constraint(op.f('fk_access_code_batch_id_code_batch'), 'access_code', schema='roll', type_='foreignkey')
    op.drop_column('access_code', 'block', schema='roll')
    op.drop_column('access_code', 'batch_id', schema='roll')
    op.drop_column('access_code', 'revoked', schema='roll')
    op.drop_constraint(op.f('ck_survey_closed_with_reason'), 'survey', schema='office', type_='check')
    op.drop_constraint(op.f('ck_survey_units_per_respondent'), 'survey', schema='office', type_='check')
    op.drop_column('survey', 'units_per_respondent', schema='office')
    op.drop_column('survey', 'random_order', schema='office')
    op.drop_column('survey', 'early_reason', schema='office')
    op.drop_column('survey', 'closed_at', schema='office')
    op.drop_column('survey', 'name_en', schema='office')
    op.drop_column('survey', 'name_zh', schema='office')
    op.drop_index(op.f('ix_draft_survey_id'), table_name='draft', schema='ballot')
    op.drop_column('draft', 'survey_id', schema='ballot')
    op.drop_index(op.f('ix_message_survey_id'), table_name='message', schema='roll')
    op.drop_table('message', schema='roll')
    op.drop_table('contact', schema='roll')
    op.drop_index(op.f('ix_case_code_case_id'), table_name='case_code', schema='roll')
    op.drop_table('case_code', schema='roll')
    op.drop_index(op.f('ix_code_batch_survey_id'), table_name='code_batch', schema='roll')
    op.drop_table('code_batch', schema='roll')
    op.drop_index(op.f('ix_privacy_notice_survey_id'), table_name='privacy_notice', schema='office')
    op.drop_table('privacy_notice', schema='office')
    op.drop_index(op.f('ix_coercion_report_survey_id'), table_name='coercion_report', schema='office')
    op.drop_table('coercion_report', schema='office')
    op.drop_table('closing', schema='ballot')
    op.drop_table('campaign_key', schema='ballot')
    op.drop_table('response_file', schema='ballot')
    op.drop_table('draft_file', schema='ballot')
    op.drop_table('box', schema='ballot')
