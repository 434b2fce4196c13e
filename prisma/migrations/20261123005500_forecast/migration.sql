-- What was foretold of a run when it was started (core/training/probe.ts, Forecast), and the most that its tensors took.
ALTER TABLE "Run" ADD COLUMN "forecast" JSONB, ADD COLUMN "peakBytes" BIGINT;
