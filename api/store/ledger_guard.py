"""What the database itself demands of a reversal, beside the two people that CHECKs demand of every entry."""

FUNCTIONS = ("keep_reversal", "keep_request")
"""What `THIRD_PERSON` makes in the schema `field`."""

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

CREATE FUNCTION field.keep_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.status <> 'asked' OR NEW.decided_at IS NOT NULL OR NEW.decision_note <> '' THEN
      RAISE EXCEPTION 'a request to reverse entry % begins undecided', NEW.seq
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM field.ledger_entry AS one
             WHERE one.seq = NEW.seq AND NEW.decided_by IN (one.filed_by, one.decided_by))
     OR EXISTS (SELECT FROM office.staff AS one WHERE one.id = NEW.decided_by AND one.role <> 'office') THEN
    RAISE EXCEPTION 'a third person of the office decides on the reversal of entry %', NEW.seq
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.status = 'granted' AND NOT EXISTS (
       SELECT FROM field.ledger_entry AS one WHERE one.reverses = NEW.seq
         AND one.filed_by = NEW.asked_by AND one.decided_by = NEW.decided_by) THEN
    RAISE EXCEPTION 'a granted reversal stands in the ledger: entry % is not reversed by these two', NEW.seq
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER request_by_another AFTER INSERT OR UPDATE ON field.reversal_request
  FOR EACH ROW EXECUTE FUNCTION field.keep_request();
"""
"""Run by the fourth: whoever filed or confirmed an entry does not take it back, nor decides whether it is."""
