-- Models as documents that several people edit at once, and versions with names.
ALTER TABLE "Model" ADD COLUMN "document" BYTEA, ADD COLUMN "documentRevision" INTEGER;
-- A Yjs update is dense already.
ALTER TABLE "Model" ALTER COLUMN "document" SET STORAGE EXTERNAL;

CREATE TABLE "NamedVersion" (
    "id" UUID NOT NULL,
    "orgId" UUID NOT NULL,
    "modelId" UUID NOT NULL,
    "versionId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "byName" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "NamedVersion_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "NamedVersion_orgId_modelId_idx" ON "NamedVersion"("orgId", "modelId");
ALTER TABLE "NamedVersion" ADD CONSTRAINT "NamedVersion_orgId_modelId_fkey" FOREIGN KEY ("orgId", "modelId") REFERENCES "Model"("orgId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "NamedVersion" ADD CONSTRAINT "NamedVersion_orgId_modelId_versionId_fkey" FOREIGN KEY ("orgId", "modelId", "versionId") REFERENCES "ModelVersion"("orgId", "modelId", "id") ON DELETE CASCADE ON UPDATE CASCADE;
CREATE TRIGGER org_stays BEFORE UPDATE ON "NamedVersion" FOR EACH ROW EXECUTE FUNCTION org_stays();
