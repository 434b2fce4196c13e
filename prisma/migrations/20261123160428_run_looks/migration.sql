-- Training steps that were looked at node by node.
CREATE TABLE "RunLook" (
  "orgId" UUID NOT NULL, "runId" UUID NOT NULL, "step" INTEGER NOT NULL, "leaseToken" INTEGER NOT NULL, "look" JSONB NOT NULL,
  CONSTRAINT "RunLook_pkey" PRIMARY KEY ("runId", "step"),
  CONSTRAINT "RunLook_orgId_runId_fkey" FOREIGN KEY ("orgId", "runId") REFERENCES "Run"("orgId", "id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TRIGGER run_fence BEFORE INSERT ON "RunLook" FOR EACH ROW EXECUTE FUNCTION run_fence();
CREATE TRIGGER frozen BEFORE UPDATE ON "RunLook" FOR EACH ROW EXECUTE FUNCTION refuse_change();
