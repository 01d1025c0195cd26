"""What the database itself demands of a reversal, beside the two people that CHECKs demand of every entry."""

THIRD_PERSON = """
CREATE OR REPLACE FUNCTION field.keep_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM field.ledger_entry AS one
             WHERE one.seq = NEW.reverses AND NEW.decided_by IN (one.filed_by, one.decided_by)) THEN
    RAISE EXCEPTION 'a third person grants the reversal of entry %', NEW.reverses
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER reversal_by_another BEFORE INSERT ON field.ledger_entry
  FOR EACH ROW WHEN (NEW.reverses IS NOT NULL) EXECUTE FUNCTION field.keep_reversal();
"""
"""Run by the fourth: whoever filed or confirmed an entry does not take it back."""
