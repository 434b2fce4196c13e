-- What the schema cannot say: the legal life of a run, the fence that keeps stale writers out, the audit, and the counter that streams watch.

-- Values that make no sense anywhere.
ALTER TABLE "Run"
  ADD CONSTRAINT "Run_counts" CHECK ("leaseToken" >= 0 AND "attempts" >= 0 AND "crashes" >= 0 AND "flushed" >= 0 AND "step" >= 0 AND "epoch" >= 0 AND "totalSteps" >= 0 AND "number" >= 1),
  ADD CONSTRAINT "Run_running_has_lease" CHECK ("status" <> 'running' OR ("leaseUntil" IS NOT NULL AND "leaseToken" >= 1)),
  ADD CONSTRAINT "Run_failed_has_reason" CHECK (("status" = 'failed') = ("failure" IS NOT NULL)),
  ADD CONSTRAINT "Run_ended_has_end" CHECK (("status" IN ('finished', 'cancelled', 'failed')) = ("endedAt" IS NOT NULL));
ALTER TABLE "Dataset"
  ADD CONSTRAINT "Dataset_ready_has_manifest" CHECK ("status" <> 'ready' OR "manifest" IS NOT NULL),
  ADD CONSTRAINT "Dataset_failed_has_reason" CHECK ("status" <> 'failed' OR "failure" IS NOT NULL),
  ADD CONSTRAINT "Dataset_size" CHECK ("sizeBytes" >= 0);
ALTER TABLE "Checkpoint" ADD CONSTRAINT "Checkpoint_file" CHECK ("sizeBytes" > 0 AND "sha256" ~ '^[0-9a-f]{64}$' AND "step" >= 0);
ALTER TABLE "Model" ADD CONSTRAINT "Model_revision" CHECK ("revision" >= 1);
ALTER TABLE "MetricChunk" ADD CONSTRAINT "MetricChunk_shape" CHECK (
  "level" BETWEEN 0 AND 8 AND "index" >= 0 AND "count" BETWEEN 1 AND 256 AND "firstStep" <= "lastStep"
  AND octet_length("steps") = "count" * CASE WHEN "level" = 0 THEN 4 ELSE 16 END
  AND octet_length("values") = "count" * CASE WHEN "level" = 0 THEN 8 ELSE 32 END
);
-- Points are already dense bytes: TOAST would spend time on compressing what it then stores as it was.
ALTER TABLE "MetricChunk" ALTER COLUMN "steps" SET STORAGE EXTERNAL, ALTER COLUMN "values" SET STORAGE EXTERNAL;
-- A run that trains changes ten times a second: leave room beside it, so that its indexes stay untouched.
ALTER TABLE "Run" SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE "MetricChunk" SET (fillfactor = 70);

-- A run lives along these edges only, and its lease token never falls.
CREATE FUNCTION run_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW."status" <> 'queued' THEN
      RAISE EXCEPTION 'a run begins queued, not %', NEW."status" USING ERRCODE = 'TL002';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW."leaseToken" < OLD."leaseToken" THEN
    RAISE EXCEPTION 'the lease token of run % may not fall from % to %', OLD."id", OLD."leaseToken", NEW."leaseToken" USING ERRCODE = 'TL001';
  END IF;
  IF NEW."status" <> OLD."status" THEN
    IF (OLD."status"::text, NEW."status"::text) NOT IN (
      ('queued', 'running'), ('queued', 'cancelled'), ('queued', 'failed'),
      ('running', 'queued'), ('running', 'finished'), ('running', 'cancelled'), ('running', 'failed'),
      ('cancelled', 'queued'), ('failed', 'queued')
    ) THEN
      RAISE EXCEPTION 'run % cannot go from % to %', OLD."id", OLD."status", NEW."status" USING ERRCODE = 'TL002';
    END IF;
    IF NEW."status" = 'running' AND NEW."leaseToken" <> OLD."leaseToken" + 1 THEN
      RAISE EXCEPTION 'a claim of run % must raise its lease token by one', OLD."id" USING ERRCODE = 'TL001';
    END IF;
  END IF;
  NEW."revision" := OLD."revision" + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER run_guard BEFORE INSERT OR UPDATE ON "Run" FOR EACH ROW EXECUTE FUNCTION run_guard();

-- Each change of state leaves a line, whoever made it.
CREATE FUNCTION run_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "RunLog" ("orgId", "runId", "level", "message", "edge", "leaseToken")
  VALUES (
    NEW."orgId", NEW."id", CASE WHEN NEW."status" = 'failed' THEN 'error' ELSE 'info' END,
    CASE NEW."status"
      WHEN 'queued' THEN CASE WHEN TG_OP = 'INSERT' THEN 'Queued.' ELSE 'Queued again.' END
      WHEN 'running' THEN 'Started.'
      WHEN 'finished' THEN 'Finished.'
      WHEN 'cancelled' THEN 'Cancelled.'
      ELSE coalesce(NEW."failure" ->> 'message', 'Failed.')
    END,
    CASE WHEN TG_OP = 'INSERT' THEN '>queued' ELSE OLD."status"::text || '>' || NEW."status"::text END,
    NEW."leaseToken"
  );
  RETURN NULL;
END $$;
CREATE TRIGGER run_audit_insert AFTER INSERT ON "Run" FOR EACH ROW EXECUTE FUNCTION run_audit();
CREATE TRIGGER run_audit_update AFTER UPDATE OF "status" ON "Run" FOR EACH ROW WHEN (OLD."status" IS DISTINCT FROM NEW."status") EXECUTE FUNCTION run_audit();

-- The fence: what a lease writes is refused once a later lease exists. Locks the run as an update does, since one follows.
CREATE FUNCTION run_fence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "current" integer;
BEGIN
  SELECT "leaseToken" INTO "current" FROM "Run" WHERE "id" = NEW."runId" FOR NO KEY UPDATE;
  IF NEW."leaseToken" < "current" THEN
    RAISE EXCEPTION 'lease % of run % is over: the run is at lease %', NEW."leaseToken", NEW."runId", "current" USING ERRCODE = 'TL001';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER run_fence BEFORE INSERT OR UPDATE OF "leaseToken" ON "MetricChunk" FOR EACH ROW EXECUTE FUNCTION run_fence();
CREATE TRIGGER run_fence BEFORE INSERT ON "Checkpoint" FOR EACH ROW EXECUTE FUNCTION run_fence();

-- A line takes its number once it holds the run: so the lines of a run are numbered in the order in which they become visible, and a reader who goes on from the last number misses none.
CREATE FUNCTION run_log_fence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "current" integer;
BEGIN
  SELECT "leaseToken" INTO "current" FROM "Run" WHERE "id" = NEW."runId" FOR NO KEY UPDATE;
  IF NEW."leaseToken" < "current" THEN
    RAISE EXCEPTION 'lease % of run % is over: the run is at lease %', NEW."leaseToken", NEW."runId", "current" USING ERRCODE = 'TL001';
  END IF;
  NEW."id" := nextval(pg_get_serial_sequence('"RunLog"', 'id'));
  RETURN NEW;
END $$;
CREATE TRIGGER run_fence BEFORE INSERT ON "RunLog" FOR EACH ROW EXECUTE FUNCTION run_log_fence();

-- What browsers watch is the run's revision; lines, checkpoints and artifacts count as changes of their run. (Metrics raise it themselves, once a batch.)
CREATE FUNCTION run_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE "Run" SET "revision" = "revision" WHERE "id" = coalesce(NEW."runId", OLD."runId");
  RETURN NULL;
END $$;
CREATE TRIGGER run_touch AFTER INSERT ON "RunLog" FOR EACH ROW EXECUTE FUNCTION run_touch();
CREATE TRIGGER run_touch AFTER INSERT OR UPDATE OR DELETE ON "Checkpoint" FOR EACH ROW EXECUTE FUNCTION run_touch();
CREATE TRIGGER run_touch AFTER INSERT OR UPDATE OR DELETE ON "Artifact" FOR EACH ROW EXECUTE FUNCTION run_touch();

-- A frozen graph stays as it was.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows never change', TG_TABLE_NAME USING ERRCODE = 'TL003';
END $$;
CREATE TRIGGER frozen BEFORE UPDATE ON "ModelVersion" FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER frozen BEFORE UPDATE ON "RunLog" FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- An organization's row never becomes another's.
CREATE FUNCTION org_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."orgId" <> OLD."orgId" THEN
    RAISE EXCEPTION '% rows stay in their organization', TG_TABLE_NAME USING ERRCODE = 'TL004';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER org_stays BEFORE UPDATE ON "Project" FOR EACH ROW EXECUTE FUNCTION org_stays();
CREATE TRIGGER org_stays BEFORE UPDATE ON "Model" FOR EACH ROW EXECUTE FUNCTION org_stays();
CREATE TRIGGER org_stays BEFORE UPDATE ON "Dataset" FOR EACH ROW EXECUTE FUNCTION org_stays();
CREATE TRIGGER org_stays BEFORE UPDATE ON "Run" FOR EACH ROW EXECUTE FUNCTION org_stays();
