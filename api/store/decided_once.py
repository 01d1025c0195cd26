"""What was decided stays decided: the database refuses to rewrite it, whoever asks and past every verb.

Objections, rectifications and slips have guards of their own beside their tables; entries, steps and papers only grow;
of what phones hand in most columns are nobody's to change (`api.store.roles`).
"""


def _other_than(columns: str) -> str:
    """The condition that an UPDATE changes a column that is none of these."""
    kept = f"- CAST('{{{columns}}}' AS text[])"
    return f"to_jsonb(NEW) {kept} IS DISTINCT FROM to_jsonb(OLD) {kept}"


def _changes(columns: str) -> str:
    """The condition that an UPDATE changes one of these columns."""
    new, old = (", ".join(f"{row}.{column}" for column in columns.split(",")) for row in ("NEW", "OLD"))
    return f"ROW({new}) IS DISTINCT FROM ROW({old})"


_DECIDED = f"""OLD.decided_by IS NOT NULL OR NEW.decided_by IS NULL OR NEW.decided_at IS NULL
  OR {_other_than("status,decided_by,decided_at,decision_note")}"""
"""What is changed of these is one whole decision, once."""

REFUSED: tuple[tuple[str, str], ...] = (
    ("field.finding", _DECIDED),
    ("field.reversal_request", _DECIDED),
    ("indicator.batch", _DECIDED),
    ("field.assignment", "OLD.withdrawn_at IS NOT NULL"),
    ("field.assignment", f"OLD.site_id IS NOT NULL AND {_changes('site_id')}"),
    ("field.crew", "OLD.left_at IS NOT NULL"),
    ("field.device", "OLD.ended_at IS NOT NULL"),
    # A visit may be taken in again. What it lacked may have come since; everything else that was told stays told.
    (
        "field.upload",
        """OLD.settled_at IS NOT NULL AND (
             NEW.settled_at IS NULL
             OR NOT NEW.flags @> array_remove(array_remove(OLD.flags, 'flag_photo_missing'), 'flag_checklist_missing')
             OR ('flag_photo_missing' = ANY (OLD.flags)
                 AND NOT NEW.flags && CAST('{flag_photo_missing,flag_photo_came_late}' AS text[]))
             OR NOT NEW.problems @> jsonb_path_query_array(OLD.problems, '$[*] ? (@.code == "upload_resolved")'))""",
    ),
    ("field.upload", f"OLD.visit_id IS NOT NULL AND {_changes('visit_id')}"),
    ("field.upload", f"OLD.receipt IS NOT NULL AND {_changes('receipt')}"),
    ("field.visit", f"OLD.signature IS NOT NULL AND {_changes('signature,signed_by')}"),
    (
        "field.visit",
        f"OLD.closed_at IS NOT NULL AND ({_changes('closed_at')} OR NOT starts_with(NEW.note, OLD.note))",
    ),
    (
        "field.photo",
        f"""OLD.verdict <> 'pending'
            AND {_changes("verdict,verdict_code,exif_lat,exif_lon,exif_taken,likeness,flags")}""",
    ),
    ("field.recusal", f"OLD.withdrawn_at IS NOT NULL OR {_other_than('withdrawn_at')}"),
    # A draw's plan is held to its hash, which its record publishes.
    ("field.inspection_draw", _other_than("plan,randomness,drawn_by,drawn_at,record_hash,published_at,record")),
    ("field.inspection_draw", f"OLD.drawn_at IS NOT NULL AND {_changes('randomness,drawn_by,drawn_at,record_hash')}"),
    ("field.inspection_draw", f"OLD.published_at IS NOT NULL AND {_changes('published_at,record')}"),
    (
        "office.round",
        "OLD.frozen_by IS NOT NULL AND (NEW.status NOT IN ('frozen', 'published', 'archived') OR "
        + _other_than("status,published_by,published_at,published_digest,corrected_by,corrected_at")
        + ")",
    ),
    (
        "office.round",
        "OLD.published_by IS NOT NULL AND (NEW.status NOT IN ('published', 'archived') OR "
        + _changes("published_by,published_at")
        + ")",
    ),
    # What was published is corrected by another person, and in no other way.
    (
        "office.round",
        f"""OLD.published_by IS NOT NULL AND {_changes("published_digest,corrected_by,corrected_at")}
            AND (NEW.published_digest <> OLD.published_digest
                 AND NEW.corrected_by <> coalesce(OLD.corrected_by, OLD.published_by)) IS NOT TRUE""",
    ),
    ("result.composite", f"OLD.was_published AND {_other_than('computed_at')}"),
)
"""(table, the condition on OLD and NEW under which an UPDATE is refused)."""

FUNCTIONS = ("keep_decided", "keep_review")
"""What `GUARD` makes in the schema `field`."""

GUARD = """
CREATE FUNCTION field.keep_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what was decided stays as it was: this % on % is refused', TG_OP, TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE FUNCTION field.keep_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
       SELECT FROM office.audit AS line
       WHERE line.act = 'flag_reviewed' AND line.staff_id = NEW.reviewed_by AND line.at = NEW.reviewed_at
         AND line.about @> to_jsonb(NEW) - CAST('{reviewed_by,reviewed_at}' AS text[])) THEN
    RAISE EXCEPTION 'what is made of a flag stands in the audit first'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER review_is_audited BEFORE INSERT OR UPDATE ON field.flag_review
  FOR EACH ROW EXECUTE FUNCTION field.keep_review();
CREATE TRIGGER published_stays AFTER DELETE ON result.composite
  FOR EACH ROW WHEN (OLD.was_published) EXECUTE FUNCTION field.keep_decided();
""" + "".join(
    f"CREATE TRIGGER decided_{number} BEFORE UPDATE ON {table}\n"
    f"  FOR EACH ROW WHEN ({refused}) EXECUTE FUNCTION field.keep_decided();\n"
    for number, (table, refused) in enumerate(REFUSED)
)
"""Run by the fourth migration. A later word on a flag replaces the one before, and the audit, which only grows, has
both."""
