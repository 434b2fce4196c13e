-- Weights that came with a model from elsewhere, or were loaded into it: its next runs start from them.
ALTER TABLE "Model" ADD COLUMN "startWeights" JSONB;

-- The file that a run starts from, as it stood when the run was started.
ALTER TABLE "Run" ADD COLUMN "startKey" TEXT;
