import { encode } from "uqr";
import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { readInvitation, useInvitation } from "../accounts/invitations.ts";
import {
  Email,
  enterAsGuest,
  LinkSecret,
  mailVerification,
  makeRecoveryCodes,
  requestReset,
  resetPassword,
  SignIn,
  SignUp,
  signIn,
  signUp,
  spendCode,
  verifyEmail,
} from "../accounts/signIn.ts";
import { countAttempt, guessing } from "../auth/limits.ts";
import { hashPassword, isPassword, requirePassword } from "../auth/password.ts";
import { type Context, person, publicProcedure, router } from "../auth/procedure.ts";
import { seal, unseal } from "../auth/secrets.ts";
import type { Session } from "../auth/session.ts";
import { makeTotpSecret, totpAddress } from "../auth/totp.ts";
import { makeOrganization } from "../auth/workspace.ts";
import { AppError, notFound } from "../errors.ts";
import { providersOf } from "../http/oauth.ts";
import { Id, Name } from "../input.ts";

const Password = z.string().max(1_000);
type Person = Context & { who: Session; userId: string };

/** Oneself: coming in, going out, and what belongs to a person rather than to an organization. */
export const account = router({
  /** What a sign-in page must know. */
  doors: publicProcedure("A sign-in page is seen before one is signed in; it names nobody.").query(async ({ ctx }) => {
    const who = await ctx.session().catch(() => null);
    const hasEmail = who !== null && (await ctx.system.user.count({ where: { id: who.user.id, email: { not: null } } })) > 0;
    return {
      signedIn: who !== null,
      /** Signed in, and without an account so far: signing up keeps what there is. */
      claimable: who !== null && !hasEmail,
      signUp: ctx.config.SIGN_UP,
      guests: ctx.config.AUTH === "required" && ctx.config.GUESTS === "on",
      mail: ctx.mailer !== null,
      providers: providersOf(ctx.config),
    };
  }),

  signIn: publicProcedure(say("Signing in is how one stops being nobody."))
    .input(SignIn)
    .mutation(({ ctx, input }) => signIn(ctx, input)),

  signUp: publicProcedure("An account is made before one has one; SIGN_UP decides who may.")
    .input(SignUp)
    .mutation(({ ctx, input }) => signUp(ctx, input)),

  guest: publicProcedure("A guest has no account; GUESTS decides whether there are any.").mutation(({ ctx }) => enterAsGuest(ctx)),

  requestReset: publicProcedure(say("Who forgot a password cannot sign in."))
    .input(z.strictObject({ email: Email }))
    .mutation(({ ctx, input }) => requestReset(ctx, input.email)),

  /** Of a link that was mailed: a new password, or that the address is one's own. */
  useLink: publicProcedure(say("The link's secret says who it is for."))
    .input(
      z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("reset"), secret: LinkSecret, password: Password }),
        z.strictObject({ kind: z.literal("verify"), secret: LinkSecret }),
      ]),
    )
    .mutation(({ ctx, input }) => (input.kind === "reset" ? resetPassword(ctx, input) : verifyEmail(ctx, input.secret))),

  invitation: publicProcedure(say("Whoever holds an invitation may read it."))
    .input(z.strictObject({ secret: LinkSecret }))
    .query(({ ctx, input }) => readInvitation(ctx.system, input.secret)),

  me: person().query(({ ctx }) => readMe(ctx)),

  rename: person()
    .input(z.strictObject({ name: Name }))
    .mutation(async ({ ctx: { system, userId }, input: { name } }) => {
      await system.user.update({ where: { id: userId }, data: { name } });
    }),

  /** Signs one out everywhere else. */
  changePassword: person()
    .input(z.strictObject({ current: Password, password: Password }))
    .mutation(({ ctx, input }) => changePassword(ctx, input)),

  sendVerification: person().mutation(async ({ ctx }) => {
    const { email } = await ctx.system.user.findUniqueOrThrow({ where: { id: ctx.userId }, select: { email: true } });
    if (email === null || ctx.mailer === null) throw new AppError("MAIL_FAILED", say("This installation sends no mail."));
    await countAttempt(ctx.system, [{ key: `verify ${ctx.userId}`, most: 3, windowMs: 3_600_000 }]);
    await mailVerification(ctx, { userId: ctx.userId, email });
  }),

  signOut: person().mutation(({ ctx }) => ctx.door.close()),

  endSession: person()
    .input(z.strictObject({ sessionId: Id }))
    .mutation(async ({ ctx: { system, userId }, input: { sessionId } }) => {
      const { count } = await system.session.deleteMany({ where: { id: sessionId, userId } });
      if (count === 0) throw notFound("session");
    }),

  endOtherSessions: person().mutation(async ({ ctx: { system, userId, who } }) => {
    const { count } = await system.session.deleteMany({ where: { userId, id: { not: who.id } } });
    return { count };
  }),

  /** A new secret and its QR code. Nothing is asked for at sign-in until a code of it was typed. */
  beginTwoFactor: person().mutation(({ ctx }) => beginTwoFactor(ctx)),

  confirmTwoFactor: person()
    .input(z.strictObject({ code: z.string().trim().max(40) }))
    .mutation(({ ctx, input }) => confirmTwoFactor(ctx, input.code)),

  endTwoFactor: person()
    .input(z.strictObject({ password: Password, code: z.string().trim().max(40) }))
    .mutation(({ ctx, input }) => endTwoFactor(ctx, input)),

  acceptInvitation: person()
    .input(z.strictObject({ secret: LinkSecret }))
    .mutation(async ({ ctx: { system, userId, who }, input: { secret } }) => {
      await system.$transaction(async (tx) => {
        const { email } = await tx.user.findUniqueOrThrow({ where: { id: userId }, select: { email: true } });
        const currentOrgId = await useInvitation(tx, { secret, userId, email });
        await tx.session.update({ where: { id: who.id }, data: { currentOrgId, rotate: true } });
      });
    }),

  /** Looks at another of one's organizations from now on. */
  enter: person()
    .input(z.strictObject({ orgId: Id }))
    .mutation(async ({ ctx: { system, userId, who }, input: { orgId } }) => {
      const { count } = await system.session.updateMany({ where: { id: who.id, user: { memberships: { some: { orgId, userId } } } }, data: { currentOrgId: orgId } });
      if (count === 0) throw notFound("organization");
    }),

  createOrganization: person()
    .input(z.strictObject({ name: Name }))
    .mutation(async ({ ctx: { system, userId, who }, input: { name } }) => {
      if ((await system.membership.count({ where: { userId, role: "owner" } })) >= 20) throw new AppError("RATE_LIMITED", say("You own 20 organizations, as many as one may."));
      return system.$transaction(async (tx) => {
        const orgId = await makeOrganization(tx, userId, name);
        await tx.session.update({ where: { id: who.id }, data: { currentOrgId: orgId } });
        return { orgId };
      });
    }),
});

async function readMe({ system, userId, who, config, mailer }: Person) {
  const user = await system.user.findUniqueOrThrow({
    where: { id: userId },
    select: {
      name: true,
      email: true,
      emailVerifiedAt: true,
      passwordHash: true,
      totpSince: true,
      isOperator: true,
      _count: { select: { recoveryCodes: true } },
      identities: { select: { provider: true } },
      memberships: { select: { role: true, org: { select: { id: true, name: true } } }, orderBy: { createdAt: "asc" } },
      sessions: {
        where: { expiresAt: { gt: new Date() } },
        select: { id: true, how: true, userAgent: true, createdAt: true, seenAt: true },
        orderBy: { seenAt: "desc" },
        take: 50,
      },
    },
  });
  return {
    name: user.name,
    email: user.email,
    verified: user.emailVerifiedAt !== null,
    hasPassword: user.passwordHash !== null,
    twoFactorSince: user.totpSince?.toISOString() ?? null,
    recoveryCodes: user._count.recoveryCodes,
    isOperator: user.isOperator,
    providers: user.identities.map(({ provider }) => provider),
    organizations: user.memberships.map(({ role, org }) => ({ ...org, role, isCurrent: org.id === who.org.id })),
    sessions: user.sessions.map(({ createdAt, seenAt, ...session }) => ({
      ...session,
      isThis: session.id === who.id,
      createdAt: createdAt.toISOString(),
      seenAt: seenAt.toISOString(),
    })),
    mail: mailer !== null,
    auth: config.AUTH,
  };
}

/** Asks for the password once more before something about signing in changes. @throws AppError SIGN_IN_WRONG, RATE_LIMITED */
async function requireOwnPassword({ system, userId, address }: Person, password: string): Promise<{ email: string; name: string }> {
  const limits = guessing("password", userId, address);
  await countAttempt(system, limits);
  const user = await system.user.findUniqueOrThrow({ where: { id: userId }, select: { passwordHash: true, email: true, name: true } });
  if (user.email === null) throw new AppError("FORBIDDEN", say("Make an account first."));
  if (!(await isPassword(user.passwordHash, password))) throw new AppError("SIGN_IN_WRONG", say("This is not your present password."), { details: { field: "current" } });
  return { email: user.email, name: user.name };
}

async function changePassword(ctx: Person, { current, password }: { current: string; password: string }): Promise<void> {
  const { email, name } = await requireOwnPassword(ctx, current);
  requirePassword(password, [email, name, email.split("@")[0] ?? ""]);
  const passwordHash = await hashPassword(password);
  await ctx.system.$transaction([
    ctx.system.user.update({ where: { id: ctx.userId }, data: { passwordHash } }),
    ctx.system.mailToken.deleteMany({ where: { userId: ctx.userId, kind: "reset" } }),
    ctx.system.session.deleteMany({ where: { userId: ctx.userId, id: { not: ctx.who.id } } }),
    ctx.system.session.updateMany({ where: { id: ctx.who.id }, data: { rotate: true } }),
  ]);
}

async function beginTwoFactor({ system, config, userId }: Person) {
  const { email, totpSince } = await system.user.findUniqueOrThrow({ where: { id: userId }, select: { email: true, totpSince: true } });
  if (email === null) throw new AppError("FORBIDDEN", say("Make an account first: a second factor needs a first one."));
  if (totpSince !== null) throw new AppError("IN_USE", say("Your account has a second factor: end it before you set up another."));
  const secret = makeTotpSecret();
  await system.user.update({ where: { id: userId }, data: { totpSecret: seal(config, secret), totpStep: null } });
  const { data, size } = encode(totpAddress(secret, email), { border: 1 });
  return { secret, qr: { size, rows: data.map((row) => row.map((dark) => (dark ? "1" : "0")).join("")) } };
}

async function confirmTwoFactor({ system, config, userId, who, address }: Person, code: string): Promise<{ recoveryCodes: string[] }> {
  await countAttempt(system, guessing("two-factor", userId, address));
  const { totpSecret, totpSince } = await system.user.findUniqueOrThrow({ where: { id: userId }, select: { totpSecret: true, totpSince: true } });
  if (totpSecret === null || totpSince !== null) throw new AppError("IN_USE", say("There is no second factor to confirm: begin anew."));
  if (!(await spendCode(system, userId, unseal(config, totpSecret), code)))
    throw new AppError("SIGN_IN_WRONG", say("This code is wrong: type the six digits that your app shows now."));
  return system.$transaction(async (tx) => {
    await tx.user.update({ where: { id: userId }, data: { totpSince: new Date() } });
    await tx.session.deleteMany({ where: { userId, id: { not: who.id } } });
    await tx.session.updateMany({ where: { id: who.id }, data: { rotate: true } });
    return { recoveryCodes: await makeRecoveryCodes(tx, userId) };
  });
}

async function endTwoFactor(ctx: Person, { password, code }: { password: string; code: string }): Promise<void> {
  await requireOwnPassword(ctx, password);
  const { totpSecret } = await ctx.system.user.findUniqueOrThrow({ where: { id: ctx.userId }, select: { totpSecret: true } });
  if (totpSecret === null) return;
  if (!(await spendCode(ctx.system, ctx.userId, unseal(ctx.config, totpSecret), code))) throw new AppError("SIGN_IN_WRONG", say("This code is wrong, or was used already."));
  await ctx.system.$transaction([
    ctx.system.user.update({ where: { id: ctx.userId }, data: { totpSecret: null, totpSince: null, totpStep: null } }),
    ctx.system.recoveryCode.deleteMany({ where: { userId: ctx.userId } }),
  ]);
}
