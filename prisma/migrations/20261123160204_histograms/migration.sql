-- How weights, gradients and activations were spread as epochs ended. A trainer writes a row an epoch behind its own update of the run, fenced as a checkpoint is.
CREATE TABLE "RunHistogram" (
    "orgId" UUID NOT NULL,
    "runId" UUID NOT NULL,
    "step" INTEGER NOT NULL,
    "epoch" INTEGER NOT NULL,
    "leaseToken" INTEGER NOT NULL,
    "histograms" JSONB NOT NULL,

    CONSTRAINT "RunHistogram_pkey" PRIMARY KEY ("runId","step")
);
CREATE INDEX "RunHistogram_orgId_runId_idx" ON "RunHistogram"("orgId", "runId");
ALTER TABLE "RunHistogram" ADD CONSTRAINT "RunHistogram_orgId_runId_fkey" FOREIGN KEY ("orgId", "runId") REFERENCES "Run"("orgId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
CREATE TRIGGER run_fence BEFORE INSERT ON "RunHistogram" FOR EACH ROW EXECUTE FUNCTION run_fence();

-- How the people of a project lay out the charts of its runs: order, size, and those that are put away.
ALTER TABLE "Project" ADD COLUMN "charts" JSONB;
