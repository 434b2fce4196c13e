-- When its creator was told by mail that the run ended, or when it was settled that nobody would be. What ended before is no news.
ALTER TABLE "Run" ADD COLUMN "mailedAt" TIMESTAMPTZ;
UPDATE "Run" SET "mailedAt" = clock_timestamp() WHERE "endedAt" IS NOT NULL;
CREATE INDEX "Run_to_mail" ON "Run" ("endedAt") WHERE "mailedAt" IS NULL AND "endedAt" IS NOT NULL;
