-- The fence on metrics asks once a statement instead of once a chunk: a large batch has thousands, all of one run and one lease. It still holds the run until the transaction ends.
DROP TRIGGER run_fence ON "MetricChunk";
CREATE FUNCTION chunk_fence() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  "of" record;
  "current" integer;
BEGIN
  FOR "of" IN SELECT "runId", min("leaseToken") AS "token" FROM "written" GROUP BY "runId" LOOP
    SELECT "leaseToken" INTO "current" FROM "Run" WHERE "id" = "of"."runId" FOR NO KEY UPDATE;
    IF "of"."token" < "current" THEN
      RAISE EXCEPTION 'lease % of run % is over: the run is at lease %', "of"."token", "of"."runId", "current" USING ERRCODE = 'TL001';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER chunk_fence_insert AFTER INSERT ON "MetricChunk" REFERENCING NEW TABLE AS "written" FOR EACH STATEMENT EXECUTE FUNCTION chunk_fence();
CREATE TRIGGER chunk_fence_update AFTER UPDATE ON "MetricChunk" REFERENCING NEW TABLE AS "written" FOR EACH STATEMENT EXECUTE FUNCTION chunk_fence();
