-- The wish to pause a run, and the settings that were turned while it went: [{ "id", "at", "by", "turn", "step" }], core/training/knobs.ts.
ALTER TABLE "Run" ADD COLUMN "pauseRequestedAt" TIMESTAMPTZ, ADD COLUMN "knobs" JSONB NOT NULL DEFAULT '[]';
ALTER TABLE "Run" ADD CONSTRAINT "Run_paused_is_free" CHECK ("status" <> 'paused' OR ("leaseUntil" IS NULL AND "owner" IS NULL));

-- SHA-256 of the data set's manifest, which names every array by its own, as it was when the run was started.
ALTER TABLE "Run" ADD COLUMN "dataHash" TEXT;

-- Edges to and from a pause.
CREATE OR REPLACE FUNCTION run_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
      ('cancelled', 'queued'), ('failed', 'queued'),
      ('queued', 'paused'), ('running', 'paused'), ('paused', 'queued'), ('paused', 'cancelled'), ('paused', 'finished')
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
CREATE OR REPLACE FUNCTION run_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO "RunLog" ("orgId", "runId", "level", "message", "edge", "leaseToken")
  VALUES (
    NEW."orgId", NEW."id", CASE WHEN NEW."status" = 'failed' THEN 'error' ELSE 'info' END,
    CASE NEW."status"
      WHEN 'queued' THEN CASE WHEN TG_OP = 'INSERT' THEN 'Queued.' ELSE 'Queued again.' END
      WHEN 'running' THEN 'Started.'
      WHEN 'paused' THEN 'Paused.'
      WHEN 'finished' THEN 'Finished.'
      WHEN 'cancelled' THEN 'Cancelled.'
      ELSE coalesce(NEW."failure" ->> 'message', 'Failed.')
    END,
    CASE WHEN TG_OP = 'INSERT' THEN '>queued' ELSE OLD."status"::text || '>' || NEW."status"::text END,
    NEW."leaseToken"
  );
  RETURN NULL;
END $$;
