import { initTRPC } from "@trpc/server";
import { describe, expect, test } from "vitest";
import { trailWords } from "../../../app/organization/trailWords.ts";
import { quiet } from "../../../server/accounts/trail.ts";
import { org, policyOf, publicProcedure, router } from "../../../server/auth/procedure.ts";
import type { Role } from "../../../server/auth/session.ts";
import { appRouter } from "../../../server/router.ts";
import { openTestDatabase } from "../postgres.ts";
import { describeWall } from "./wall.ts";

const { db } = await openTestDatabase();

const procedures = appRouter._def.procedures as unknown as Record<string, unknown>;

/** Who may call what: the whole of it. A new procedure is entered here on purpose. `, people` keeps API tokens out. */
type Expected = Role | `${Role}, people` | "public" | "person" | "operator";
const expected: Record<string, Expected> = {
  "account.doors": "public",
  "account.signIn": "public",
  "account.signUp": "public",
  "account.guest": "public",
  "account.requestReset": "public",
  "account.useLink": "public",
  "account.invitation": "public",
  "shares.open": "public",
  "account.me": "person",
  "account.rename": "person",
  "account.changePassword": "person",
  "account.sendVerification": "person",
  "account.signOut": "person",
  "account.endSession": "person",
  "account.endOtherSessions": "person",
  "account.beginTwoFactor": "person",
  "account.confirmTwoFactor": "person",
  "account.endTwoFactor": "person",
  "account.acceptInvitation": "person",
  "account.enter": "person",
  "account.createOrganization": "person",
  "organization.get": "viewer",
  "organization.rename": "admin, people",
  "organization.members": "viewer",
  "organization.setRole": "admin, people",
  "organization.remove": "admin, people",
  "organization.leave": "viewer, people",
  "organization.transfer": "owner, people",
  "organization.invitations": "admin, people",
  "organization.invite": "admin, people",
  "organization.revokeInvitation": "admin, people",
  "organization.tokens": "viewer, people",
  "organization.createToken": "viewer, people",
  "organization.revokeToken": "viewer, people",
  "organization.activity": "viewer",
  "organization.audit": "admin, people",
  "shares.list": "viewer",
  "shares.create": "member, people",
  "shares.revoke": "member, people",
  "shares.fork": "member",
  "operator.health": "operator",
  "operator.agents": "operator",
  "operator.drain": "operator",
  "operator.forgetAgent": "operator",
  "operator.users": "operator",
  "operator.setDisabled": "operator",
  "operator.resetLink": "operator",
  "operator.organizations": "operator",
  "operator.setQuota": "operator",
  "workspace.me": "viewer",
  "workspace.status": "viewer",
  "projects.list": "viewer",
  "projects.create": "member",
  "projects.rename": "member",
  "projects.saveCharts": "member",
  "projects.delete": "member",
  "models.create": "member",
  "models.get": "viewer",
  "models.record": "viewer",
  "models.save": "member",
  "models.watch": "viewer",
  "models.push": "member",
  "models.point": "viewer",
  "models.versions": "viewer",
  "models.version": "viewer",
  "models.nameVersion": "member",
  "models.forgetVersion": "member",
  "models.saveSettings": "member",
  "models.rename": "member",
  "models.duplicate": "member",
  "models.importOnnx": "member",
  "models.importPyTorch": "member",
  "models.importWeights": "member",
  "models.clearStartWeights": "member",
  "models.delete": "member",
  "datasets.list": "viewer",
  "datasets.get": "viewer",
  "datasets.samples": "viewer",
  "datasets.health": "viewer",
  "datasets.inspectTable": "member",
  "datasets.createTable": "member",
  "datasets.inspectText": "member",
  "datasets.createText": "member",
  "datasets.inspectPictures": "member",
  "datasets.createPictures": "member",
  "datasets.inspectArrays": "member",
  "datasets.createArrays": "member",
  "datasets.delete": "member",
  "preview.evaluate": "member",
  "runs.list": "viewer",
  "runs.count": "viewer",
  "runs.columns": "viewer",
  "runs.groups": "viewer",
  "runs.tags": "viewer",
  "runs.organize": "member",
  "runs.compare": "viewer",
  "runs.graph": "viewer",
  "runs.overlay": "viewer",
  "runs.endings": "viewer",
  "runs.setNotes": "member",
  "runs.get": "viewer",
  "runs.lineage": "viewer",
  "tuning.options": "viewer",
  "tuning.fetch": "member",
  "tuning.measure": "member",
  "tuning.start": "member",
  "tuning.opened": "viewer",
  "tuning.open": "member",
  "tuning.ownRuns": "viewer",
  "tuning.startFromRun": "member",
  "tuning.result": "viewer",
  "runs.start": "member",
  "runs.findLr": "member",
  "runs.measure": "member",
  "runs.findBatch": "member",
  "runs.shrink": "member",
  "runs.cancel": "member",
  "runs.pause": "member",
  "runs.turn": "member",
  "runs.stop": "member",
  "runs.resume": "member",
  "runs.fork": "member",
  "runs.repeat": "member",
  "runs.openCheckpoint": "member",
  "runs.delete": "member",
  "runs.metrics": "viewer",
  "runs.looks": "viewer",
  "runs.pulse": "viewer",
  "runs.trainer": "viewer",
  "runs.histograms": "viewer",
  "runs.study": "viewer",
  "runs.explain": "viewer",
  "runs.activations": "viewer",
  "runs.gradients": "viewer",
  "runs.log": "viewer",
  "runs.watch": "viewer",
  "runViews.list": "viewer",
  "runViews.save": "member",
  "runViews.delete": "member",
};

describe("a policy", () => {
  test("is on every procedure of the router, and is the one that this table says", () => {
    const found = Object.fromEntries(
      Object.entries(procedures).map(([name, procedure]) => {
        const policy = policyOf(procedure);
        return [name, policy?.kind === "org" ? `${policy.role}${policy.peopleOnly ? ", people" : ""}` : policy?.kind];
      }),
    );
    expect(found).toEqual(expected);
  });

  test("lets nobody in without a session but at eight doors, each for a reason", () => {
    const open = Object.values(procedures).flatMap((procedure) => {
      const policy = policyOf(procedure);
      return policy?.kind === "public" ? [policy.reason] : [];
    });
    expect(open.length).toBeLessThanOrEqual(8);
    for (const reason of open) expect(reason.length).toBeGreaterThan(20);
  });

  test("that lets something be changed has words for the trail, or is one that is not written down", () => {
    const changes = Object.entries(procedures).flatMap(([name, procedure]) =>
      policyOf(procedure)?.kind === "org" && (procedure as { _def: { type: string } })._def.type === "mutation" ? [name] : [],
    );
    // Joining is written down by the account's own code.
    expect([...changes, "organization.join"].sort()).toEqual([...Object.keys(trailWords), ...quiet].sort());
  });

  test("cannot be left out: such a procedure does not compile and does not start", () => {
    const ungated = initTRPC.create().procedure.query(() => "everybody");
    // @ts-expect-error -- it has no policy
    expect(() => router({ ungated })).toThrow("has no policy");
    const forged = initTRPC
      .meta<{ kind: "public"; reason: string }>()
      .create()
      .procedure.meta({ kind: "public", reason: "forged" })
      .query(() => "everybody");
    // @ts-expect-error -- its policy is none of ours
    expect(() => router({ forged })).toThrow("has no policy");
    const open = publicProcedure("says the time, which anybody may know").query(() => 1);
    expect(Object.keys(router({ gated: org("viewer").query(() => 1), open })._def.procedures)).toEqual(["gated", "open"]);
    expect(policyOf(open)).toMatchObject({ kind: "public", reason: expect.any(String) });
  });
});

describe("the wall between organizations", () => describeWall(db));
