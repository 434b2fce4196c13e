-- Whether the wish to end a run is one to end it finished, with what was best.
ALTER TABLE "Run" ADD COLUMN "keepBest" BOOLEAN NOT NULL DEFAULT false;

-- What befell a run on the way, by step: its curves show it.
ALTER TABLE "Run" ADD COLUMN "marks" JSONB NOT NULL DEFAULT '[]';
