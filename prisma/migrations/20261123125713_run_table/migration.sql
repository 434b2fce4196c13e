-- What people say of a run, and whether it lies in the trash (`deletedAt`) or is kept from it (`locked`).
ALTER TABLE "Run" ADD COLUMN "tags" TEXT[] NOT NULL DEFAULT '{}', ADD COLUMN "notes" TEXT NOT NULL DEFAULT '', ADD COLUMN "locked" BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN "deletedAt" TIMESTAMPTZ, ADD COLUMN "figuresAt" TIMESTAMPTZ;
ALTER TABLE "Run" ADD CONSTRAINT "Run_locked_stays" CHECK (NOT ("locked" AND "deletedAt" IS NOT NULL)),
  ADD CONSTRAINT "Run_trash_has_ended" CHECK ("deletedAt" IS NULL OR "status" IN ('finished', 'cancelled', 'failed'));
CREATE INDEX "Run_table" ON "Run" ("orgId", "id") WHERE "deletedAt" IS NULL;
CREATE INDEX "Run_table_model" ON "Run" ("orgId", "modelId", "id") WHERE "deletedAt" IS NULL;
CREATE INDEX "Run_table_status" ON "Run" ("orgId", "status", "id") WHERE "deletedAt" IS NULL;
CREATE INDEX "Run_tags" ON "Run" USING gin ("tags") WHERE "deletedAt" IS NULL AND "tags" <> '{}';
CREATE INDEX "Run_trash" ON "Run" ("deletedAt") WHERE "deletedAt" IS NOT NULL;

-- A run's metrics as the table of runs sorts and filters by them: kept where they are written, so that a list never reads points.
CREATE TABLE "RunFigure" (
  "orgId" UUID NOT NULL, "runId" UUID NOT NULL, "key" TEXT NOT NULL,
  "last" DOUBLE PRECISION, "best" DOUBLE PRECISION, "min" DOUBLE PRECISION, "max" DOUBLE PRECISION,
  PRIMARY KEY ("runId", "key"),
  CONSTRAINT "RunFigure_orgId_runId_fkey" FOREIGN KEY ("orgId", "runId") REFERENCES "Run"("orgId", "id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "RunFigure_last" ON "RunFigure" ("orgId", "key", "last", "runId");
CREATE INDEX "RunFigure_best" ON "RunFigure" ("orgId", "key", "best", "runId");
CREATE INDEX "RunFigure_min" ON "RunFigure" ("orgId", "key", "min", "runId");
CREATE INDEX "RunFigure_max" ON "RunFigure" ("orgId", "key", "max", "runId");

-- Its settings one by one (`settings.lr`), and how far it is (`run.elapsedMs`): a number or a text each.
CREATE TABLE "RunFact" (
  "orgId" UUID NOT NULL, "runId" UUID NOT NULL, "key" TEXT NOT NULL, "number" DOUBLE PRECISION, "text" TEXT,
  PRIMARY KEY ("runId", "key"),
  CONSTRAINT "RunFact_orgId_runId_fkey" FOREIGN KEY ("orgId", "runId") REFERENCES "Run"("orgId", "id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "RunFact_value" ON "RunFact" ("orgId", "key", "number", "text", "runId");

-- The scalar settings of a run; those of a loss, an optimizer or a schedule by `optimizerParams.momentum`.
CREATE FUNCTION run_settings("settings" jsonb) RETURNS TABLE ("key" text, "number" double precision, "text" text) LANGUAGE sql IMMUTABLE AS $$
  SELECT 'settings.' || "flat"."key", CASE WHEN jsonb_typeof("flat"."value") = 'number' THEN ("flat"."value" #>> '{}')::double precision END,
    CASE WHEN jsonb_typeof("flat"."value") <> 'number' THEN left("flat"."value" #>> '{}', 200) END
  FROM (
    SELECT "each"."key", "each"."value" FROM jsonb_each("settings") AS "each"
    UNION ALL
    SELECT "each"."key" || '.' || "inner"."key", "inner"."value" FROM jsonb_each("settings") AS "each"
      CROSS JOIN LATERAL jsonb_each(CASE WHEN jsonb_typeof("each"."value") = 'object' THEN "each"."value" ELSE '{}'::jsonb END) AS "inner"
  ) AS "flat"
  WHERE jsonb_typeof("flat"."value") IN ('number', 'string', 'boolean') AND "flat"."key" <> 'datasetId'
$$;

-- A training changes its summary ten times a second; the table follows once a second, and at every change of state.
CREATE FUNCTION run_figures_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."status" <> OLD."status" OR (NEW."summary" IS DISTINCT FROM OLD."summary" AND (OLD."figuresAt" IS NULL OR clock_timestamp() > OLD."figuresAt" + interval '1 s')) THEN
    NEW."figuresAt" := clock_timestamp();
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER run_figures_due BEFORE UPDATE OF "summary", "status" ON "Run" FOR EACH ROW EXECUTE FUNCTION run_figures_due();

CREATE FUNCTION run_figures() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO "RunFact" ("orgId", "runId", "key", "number", "text") SELECT NEW."orgId", NEW."id", "key", "number", "text" FROM run_settings(NEW."settings");
    RETURN NULL;
  END IF;
  INSERT INTO "RunFact" ("orgId", "runId", "key", "number")
  VALUES (NEW."orgId", NEW."id", 'run.elapsedMs', NEW."elapsedMs"), (NEW."orgId", NEW."id", 'run.epoch', NEW."epoch"), (NEW."orgId", NEW."id", 'run.step', NEW."step")
  ON CONFLICT ("runId", "key") DO UPDATE SET "number" = EXCLUDED."number" WHERE "RunFact"."number" IS DISTINCT FROM EXCLUDED."number";
  INSERT INTO "RunFigure" ("orgId", "runId", "key", "last", "best", "min", "max")
  SELECT NEW."orgId", NEW."id", "each"."key", ("each"."value" ->> 'last')::double precision, ("each"."value" ->> 'best')::double precision,
    ("each"."value" ->> 'min')::double precision, ("each"."value" ->> 'max')::double precision
  FROM jsonb_each(NEW."summary") AS "each"
  ON CONFLICT ("runId", "key") DO UPDATE SET "last" = EXCLUDED."last", "best" = EXCLUDED."best", "min" = EXCLUDED."min", "max" = EXCLUDED."max"
  WHERE ("RunFigure"."last", "RunFigure"."best", "RunFigure"."min", "RunFigure"."max") IS DISTINCT FROM (EXCLUDED."last", EXCLUDED."best", EXCLUDED."min", EXCLUDED."max");
  DELETE FROM "RunFigure" WHERE "runId" = NEW."id" AND NOT (NEW."summary" ? "key");
  RETURN NULL;
END $$;
CREATE TRIGGER run_figures_insert AFTER INSERT ON "Run" FOR EACH ROW EXECUTE FUNCTION run_figures();
CREATE TRIGGER run_figures_update AFTER UPDATE OF "summary", "status" ON "Run" FOR EACH ROW WHEN (OLD."figuresAt" IS DISTINCT FROM NEW."figuresAt") EXECUTE FUNCTION run_figures();

-- Runs from before.
INSERT INTO "RunFact" ("orgId", "runId", "key", "number", "text") SELECT "Run"."orgId", "Run"."id", "of"."key", "of"."number", "of"."text" FROM "Run" CROSS JOIN LATERAL run_settings("settings") AS "of";
UPDATE "Run" SET "summary" = "summary" || '{}', "figuresAt" = clock_timestamp() WHERE "summary" <> '{}';

-- A table of runs as somebody left it, by a name.
CREATE TABLE "RunView" (
  "id" UUID PRIMARY KEY, "orgId" UUID NOT NULL REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE,
  "name" TEXT NOT NULL, "view" TEXT NOT NULL, "createdBy" UUID NOT NULL REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE, "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE UNIQUE INDEX "RunView_orgId_name_key" ON "RunView" ("orgId", "name");
