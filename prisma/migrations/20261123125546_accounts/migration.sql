-- CreateEnum
CREATE TYPE "MailTokenKind" AS ENUM ('reset', 'verify');

-- CreateEnum
CREATE TYPE "TokenScope" AS ENUM ('read', 'write');

-- CreateEnum
CREATE TYPE "ShareKind" AS ENUM ('model', 'run', 'chart');

-- AlterTable
ALTER TABLE "Agent" ADD COLUMN     "draining" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "machine" JSONB;

-- AlterTable
ALTER TABLE "Membership" ADD COLUMN     "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "Organization" ADD COLUMN     "maxQueued" INTEGER,
ADD COLUMN     "maxRunning" INTEGER,
ADD COLUMN     "storageLimitBytes" BIGINT;

-- AlterTable
ALTER TABLE "Session" ADD COLUMN     "how" TEXT NOT NULL DEFAULT 'password',
ADD COLUMN     "currentOrgId" UUID,
ADD COLUMN     "previousHash" TEXT,
ADD COLUMN     "rotate" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "rotatedAt" TIMESTAMPTZ,
ADD COLUMN     "seenAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "userAgent" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "User" ADD COLUMN     "disabledAt" TIMESTAMPTZ,
ADD COLUMN     "email" TEXT,
ADD COLUMN     "emailVerifiedAt" TIMESTAMPTZ,
ADD COLUMN     "isOperator" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "passwordHash" TEXT,
ADD COLUMN     "totpSecret" TEXT,
ADD COLUMN     "totpSince" TIMESTAMPTZ,
ADD COLUMN     "totpStep" BIGINT;

-- CreateTable
CREATE TABLE "Identity" (
    "provider" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "userId" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Identity_pkey" PRIMARY KEY ("provider","subject")
);

-- CreateTable
CREATE TABLE "MailToken" (
    "id" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "kind" "MailTokenKind" NOT NULL,
    "email" TEXT NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "expiresAt" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "MailToken_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "RecoveryCode" (
    "userId" UUID NOT NULL,
    "codeHash" TEXT NOT NULL,

    CONSTRAINT "RecoveryCode_pkey" PRIMARY KEY ("userId","codeHash")
);

-- CreateTable
CREATE TABLE "Attempt" (
    "key" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "endsAt" TIMESTAMPTZ NOT NULL,

    CONSTRAINT "Attempt_pkey" PRIMARY KEY ("key")
);

-- CreateTable
CREATE TABLE "Invitation" (
    "id" UUID NOT NULL,
    "orgId" UUID NOT NULL,
    "email" TEXT NOT NULL,
    "role" "Role" NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "mailed" BOOLEAN NOT NULL DEFAULT false,
    "createdBy" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ NOT NULL,
    "acceptedAt" TIMESTAMPTZ,

    CONSTRAINT "Invitation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ApiToken" (
    "id" UUID NOT NULL,
    "orgId" UUID NOT NULL,
    "userId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "scope" "TokenScope" NOT NULL,
    "tokenHash" TEXT NOT NULL,
    "lastFour" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ,
    "lastUsedAt" TIMESTAMPTZ,

    CONSTRAINT "ApiToken_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "TrailEvent" (
    "id" BIGSERIAL NOT NULL,
    "orgId" UUID NOT NULL,
    "at" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "userId" UUID,
    "userName" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subjectId" UUID,
    "details" JSONB NOT NULL DEFAULT '{}',
    "byToken" BOOLEAN NOT NULL DEFAULT false,
    "requestId" TEXT NOT NULL,

    CONSTRAINT "TrailEvent_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ShareLink" (
    "id" UUID NOT NULL,
    "orgId" UUID NOT NULL,
    "kind" "ShareKind" NOT NULL,
    "modelId" UUID,
    "runId" UUID,
    "keys" TEXT[],
    "mayFork" BOOLEAN NOT NULL DEFAULT false,
    "tokenHash" TEXT NOT NULL,
    "createdBy" UUID NOT NULL,
    "createdAt" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expiresAt" TIMESTAMPTZ,

    CONSTRAINT "ShareLink_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Identity_userId_idx" ON "Identity"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "MailToken_tokenHash_key" ON "MailToken"("tokenHash");

-- CreateIndex
CREATE INDEX "MailToken_userId_idx" ON "MailToken"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "Invitation_tokenHash_key" ON "Invitation"("tokenHash");

-- CreateIndex
CREATE UNIQUE INDEX "Invitation_orgId_id_key" ON "Invitation"("orgId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "ApiToken_tokenHash_key" ON "ApiToken"("tokenHash");

-- CreateIndex
CREATE UNIQUE INDEX "ApiToken_orgId_id_key" ON "ApiToken"("orgId", "id");

-- CreateIndex
CREATE INDEX "TrailEvent_orgId_id_idx" ON "TrailEvent"("orgId", "id");

-- CreateIndex
CREATE UNIQUE INDEX "ShareLink_tokenHash_key" ON "ShareLink"("tokenHash");

-- CreateIndex
CREATE UNIQUE INDEX "ShareLink_orgId_id_key" ON "ShareLink"("orgId", "id");

-- CreateIndex
CREATE INDEX "Membership_userId_idx" ON "Membership"("userId");

-- CreateIndex
CREATE UNIQUE INDEX "Session_previousHash_key" ON "Session"("previousHash");

-- CreateIndex
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");

-- AddForeignKey
ALTER TABLE "Identity" ADD CONSTRAINT "Identity_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "MailToken" ADD CONSTRAINT "MailToken_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "RecoveryCode" ADD CONSTRAINT "RecoveryCode_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Invitation" ADD CONSTRAINT "Invitation_orgId_fkey" FOREIGN KEY ("orgId") REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiToken" ADD CONSTRAINT "ApiToken_orgId_fkey" FOREIGN KEY ("orgId") REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ApiToken" ADD CONSTRAINT "ApiToken_orgId_userId_fkey" FOREIGN KEY ("orgId", "userId") REFERENCES "Membership"("orgId", "userId") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "TrailEvent" ADD CONSTRAINT "TrailEvent_orgId_fkey" FOREIGN KEY ("orgId") REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ShareLink" ADD CONSTRAINT "ShareLink_orgId_fkey" FOREIGN KEY ("orgId") REFERENCES "Organization"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ShareLink" ADD CONSTRAINT "ShareLink_orgId_modelId_fkey" FOREIGN KEY ("orgId", "modelId") REFERENCES "Model"("orgId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ShareLink" ADD CONSTRAINT "ShareLink_orgId_runId_fkey" FOREIGN KEY ("orgId", "runId") REFERENCES "Run"("orgId", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The owner of the installation looks after it; sessions so far came from AUTH=local or from a link.
UPDATE "User" SET "isOperator" = true WHERE "id" = '01900000-0000-7000-8000-000000000002';
UPDATE "Session" SET "how" = CASE WHEN "linkId" IS NULL THEN 'local' ELSE 'link' END;

-- Every organization has a project that its models can stand in.
INSERT INTO "Project" ("id", "orgId", "name")
SELECT gen_random_uuid(), "id", 'My project' FROM "Organization" WHERE NOT EXISTS (SELECT 1 FROM "Project" WHERE "orgId" = "Organization"."id" AND "deletedAt" IS NULL);

-- What the schema cannot say.
ALTER TABLE "User" ADD CONSTRAINT "User_email" CHECK ("email" = lower("email") AND "email" LIKE '%_@_%');
ALTER TABLE "Organization" ADD CONSTRAINT "Organization_quotas" CHECK ("storageLimitBytes" >= 0 AND "maxRunning" >= 0 AND "maxQueued" >= 0);
ALTER TABLE "ShareLink" ADD CONSTRAINT "ShareLink_one_thing" CHECK (("kind" = 'model') = ("modelId" IS NOT NULL) AND ("kind" <> 'model') = ("runId" IS NOT NULL));

-- An organization always has an owner: whatever asks, the last one can be neither lowered nor removed, except with the organization itself.
CREATE FUNCTION keep_an_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('owners of ' || OLD."orgId", 0));
  IF OLD."role" = 'owner' AND (TG_OP = 'DELETE' OR NEW."role" <> 'owner')
    AND EXISTS (SELECT 1 FROM "Organization" WHERE "id" = OLD."orgId")
    AND NOT EXISTS (SELECT 1 FROM "Membership" WHERE "orgId" = OLD."orgId" AND "role" = 'owner' AND "userId" <> OLD."userId") THEN
    RAISE EXCEPTION 'the last owner of an organization stays' USING ERRCODE = 'TL003';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_an_owner BEFORE UPDATE OR DELETE ON "Membership" FOR EACH ROW EXECUTE FUNCTION keep_an_owner();
