import { randomBytes } from "node:crypto";
import { z } from "zod";
import { say } from "../../core/language/say.ts";
import { countAttempt, forgetAttempts, guessing } from "../auth/limits.ts";
import { hashPassword, isPassword, requirePassword } from "../auth/password.ts";
import type { Context } from "../auth/procedure.ts";
import { hashSecret, makeSecret, unseal } from "../auth/secrets.ts";
import { matchTotp } from "../auth/totp.ts";
import { makeOrganization } from "../auth/workspace.ts";
import type { Tx } from "../database/client.ts";
import { AppError } from "../errors.ts";
import { Name } from "../input.ts";
import { useInvitation } from "./invitations.ts";

/** An address, in the one form in which it is kept and compared. */
export const Email = z.string().trim().toLowerCase().max(200).pipe(z.email("This is not an e-mail address."));
/** A secret of a link: 256 bits, base64url. */
export const LinkSecret = z.string().regex(/^[\w-]{43}$/, "This link is not complete.");
const Password = z.string().max(1_000);

export const SignIn = z.strictObject({ email: Email, password: Password, /** Of the second factor: six digits, or a recovery code. */ code: z.string().trim().max(40).optional() });
export const SignUp = z.strictObject({ name: Name, email: Email, password: Password, invitation: LinkSecret.optional() });

const MAIL_LIFE_MS = { reset: 60 * 60_000, verify: 3 * 86_400_000 };

/**
 * Lets a person in by address, password and, where they have one, second factor.
 * @throws AppError SIGN_IN_WRONG, TWO_FACTOR_NEEDED, RATE_LIMITED
 */
export async function signIn({ system, config, door, address }: Context, { email, password, code }: z.infer<typeof SignIn>): Promise<void> {
  const limits = guessing("sign-in", email, address);
  await countAttempt(system, limits);
  const user = await system.user.findUnique({ where: { email }, select: { id: true, passwordHash: true, totpSecret: true, totpSince: true, disabledAt: true } });
  const known = await isPassword(user?.passwordHash ?? null, password);
  if (!user || !known) throw new AppError("SIGN_IN_WRONG", say("Address or password is wrong."));
  if (user.disabledAt) throw new AppError("SIGN_IN_WRONG", say("This account was closed by those who look after this installation."));
  if (user.totpSince !== null && user.totpSecret !== null) {
    if (!code) throw new AppError("TWO_FACTOR_NEEDED", say("Type the six digits of your authenticator app."));
    if (!(await spendCode(system, user.id, unseal(config, user.totpSecret), code)))
      throw new AppError("SIGN_IN_WRONG", say("This code is wrong, or was used already: wait for the next one."));
  }
  await forgetAttempts(system, limits);
  await door.open(user.id, "password");
}

/** Uses up a code of the second factor, or a recovery code. Each works once, however many ask at the same time. */
export async function spendCode(db: Tx, userId: string, secret: string, code: string): Promise<boolean> {
  const plain = code.replace(/[\s-]/g, "").toUpperCase();
  const step = matchTotp(secret, plain, Date.now());
  if (step !== null) {
    const { count } = await db.user.updateMany({ where: { id: userId, OR: [{ totpStep: null }, { totpStep: { lt: step } }] }, data: { totpStep: step } });
    return count > 0;
  }
  return (await db.recoveryCode.deleteMany({ where: { userId, codeHash: hashSecret(plain) } })).count > 0;
}

/** Ten codes for the day the phone is lost; shown once. */
export async function makeRecoveryCodes(tx: Tx, userId: string): Promise<string[]> {
  const codes = Array.from({ length: 10 }, () => randomBytes(8).toString("hex").toUpperCase());
  await tx.recoveryCode.deleteMany({ where: { userId } });
  await tx.recoveryCode.createMany({ data: codes.map((code) => ({ userId, codeHash: hashSecret(code) })) });
  return codes.map((code) => code.replace(/.{4}(?=.)/g, "$&-"));
}

/**
 * Makes an account. A guest, and whoever sits at this machine's workspace, keep what they have: it becomes theirs. With an invitation the person
 * joins that organization; without one, where sign-up is open, they get their own.
 * @throws AppError FORBIDDEN, EMAIL_TAKEN, PASSWORD_WEAK, LINK_OVER, RATE_LIMITED
 */
export async function signUp(context: Context, { name, email, password, invitation }: z.infer<typeof SignUp>): Promise<void> {
  const { system, config, door, address } = context;
  await countAttempt(system, guessing("sign-up", email, address));
  requirePassword(password, [name, email, email.split("@")[0] ?? ""]);
  const claimed = await findClaimable(context, invitation !== undefined);
  if (claimed === null && invitation === undefined && config.SIGN_UP === "invited")
    throw new AppError("FORBIDDEN", say("Accounts are made by invitation here: ask somebody of the organization for a link."));
  const passwordHash = await hashPassword(password);
  const { userId, currentOrgId } = await system.$transaction(async (tx) => {
    if ((await tx.user.count({ where: { email } })) > 0)
      throw new AppError("EMAIL_TAKEN", say("There is an account with this address: sign in instead."), { details: { field: "email" } });
    const data = { name, email, passwordHash };
    const userId = claimed ?? (await tx.user.create({ data, select: { id: true } })).id;
    if (claimed !== null) {
      // Of two browsers that claim the same workspace, one does.
      const { count } = await tx.user.updateMany({ where: { id: claimed, email: null }, data });
      if (count === 0) throw new AppError("EMAIL_TAKEN", say("An account was made of this workspace a moment ago: sign in with it."));
      await tx.session.deleteMany({ where: { userId: claimed } });
    }
    let currentOrgId: string | undefined;
    if (invitation !== undefined) currentOrgId = await useInvitation(tx, { secret: invitation, userId, email });
    else if (claimed === null) currentOrgId = await makeOrganization(tx, userId, `${name}'s team`.slice(0, 120));
    return { userId, currentOrgId };
  });
  await door.open(userId, "password", { currentOrgId });
  await mailVerification(context, { userId, email }).catch((error: unknown) => context.log.warn({ requestId: context.requestId, error }, "A verification could not be mailed."));
}

/** The person without an account who is asking, if there is one: a guest, or this machine's owner before they have made one. */
async function findClaimable({ session, system }: Context, isInvited: boolean): Promise<string | null> {
  const who = await session();
  if (who === null || who.scope !== null) return null;
  const found = await system.session.findUnique({ where: { id: who.id, user: { email: null, passwordHash: null } }, select: { how: true, userId: true } });
  // With an invitation in hand, whoever opens it at this machine's workspace is somebody else than its owner.
  return found && (!isInvited || found.how === "guest") ? found.userId : null;
}

/** Lets a visitor look around in a workspace of their own. @throws AppError FORBIDDEN, RATE_LIMITED */
export async function enterAsGuest({ system, config, door, address }: Context): Promise<void> {
  if (config.GUESTS === "off") throw new AppError("FORBIDDEN", say("Guests are not let in here: sign in, or ask for an invitation."));
  await countAttempt(system, [{ key: `guest ${address}`, most: 5, windowMs: 3_600_000 }]);
  const userId = await system.$transaction(async (tx) => {
    const { id } = await tx.user.create({ data: { name: "Guest" }, select: { id: true } });
    await makeOrganization(tx, id, "Guest workspace");
    return id;
  });
  await door.open(userId, "guest");
}

/** Mails a link that confirms the address, where mail is set up. */
export async function mailVerification({ system, mailer, origin }: Context, { userId, email }: { userId: string; email: string }): Promise<void> {
  if (mailer === null) return;
  const secret = await makeMailToken(system, { userId, email, kind: "verify" });
  await mailer.send({
    to: email,
    subject: "Confirm your address",
    text: say("Confirm that this address is yours:\n\n{origin}/verify/{secret}\n\nThe link works for three days. If you made no account, ignore this mail.\n", { origin, secret }),
  });
}

async function makeMailToken(db: Tx, { userId, email, kind }: { userId: string; email: string; kind: "reset" | "verify" }): Promise<string> {
  const secret = makeSecret();
  await db.mailToken.deleteMany({ where: { userId, kind } });
  await db.mailToken.create({ data: { userId, email, kind, tokenHash: hashSecret(secret), expiresAt: new Date(Date.now() + MAIL_LIFE_MS[kind]) } });
  return secret;
}

/** Mails a link for a new password. The answer is the same whether there is such an account. @throws AppError MAIL_FAILED, RATE_LIMITED */
export async function requestReset(context: Context, email: string): Promise<void> {
  const { system, mailer, address, origin, log, requestId } = context;
  if (mailer === null) throw new AppError("MAIL_FAILED", say("This installation sends no mail: ask those who look after it for a link."));
  await countAttempt(system, guessing("reset", email, address));
  const user = await system.user.findUnique({ where: { email, disabledAt: null }, select: { id: true } });
  if (!user) return;
  const secret = await makeMailToken(system, { userId: user.id, email, kind: "reset" });
  // Not waited for: how long a mail takes would tell whether there is an account.
  void mailer
    .send({
      to: email,
      subject: "A new password",
      text: say("Choose a new password:\n\n{origin}/reset/{secret}\n\nThe link works once, within an hour. If you did not ask for it, ignore this mail.\n", { origin, secret }),
    })
    .catch((error: unknown) => log.error({ requestId, error }, "A mail could not be sent."));
}

/** A link for a new password, handed over by an operator where there is no mail. Returns its secret; shown once. */
export async function makeResetLink(db: Tx, userId: string): Promise<string | null> {
  const user = await db.user.findUnique({ where: { id: userId }, select: { email: true } });
  return user?.email ? makeMailToken(db, { userId, email: user.email, kind: "reset" }) : null;
}

async function spendMailToken(tx: Tx, kind: "reset" | "verify", secret: string): Promise<{ userId: string; email: string }> {
  const tokenHash = hashSecret(secret);
  const found = await tx.mailToken.findUnique({ where: { tokenHash, kind, expiresAt: { gt: new Date() } }, select: { userId: true, email: true } });
  if (!found || (await tx.mailToken.deleteMany({ where: { tokenHash } })).count === 0)
    throw new AppError("LINK_OVER", say("This link was used already, or is too old: ask for a new one."));
  return found;
}

/** Sets a new password by link and signs the person out everywhere; a second factor stays. @throws AppError LINK_OVER, PASSWORD_WEAK, RATE_LIMITED */
export async function resetPassword({ system, address }: Context, { secret, password }: { secret: string; password: string }): Promise<void> {
  await countAttempt(
    system,
    guessing("link", "reset", address)
      .slice(0, 1)
      .map((limit) => ({ ...limit, most: 20 })),
  );
  requirePassword(password, []);
  const passwordHash = await hashPassword(password);
  await system.$transaction(async (tx) => {
    const { userId, email } = await spendMailToken(tx, "reset", secret);
    await tx.user.update({ where: { id: userId }, data: { passwordHash } });
    await tx.session.deleteMany({ where: { userId } });
    await tx.attempt.deleteMany({ where: { key: { startsWith: `sign-in ${email}` } } });
  });
}

/** @throws AppError LINK_OVER */
export async function verifyEmail({ system }: Context, secret: string): Promise<void> {
  await system.$transaction(async (tx) => {
    const { userId, email } = await spendMailToken(tx, "verify", secret);
    await tx.user.updateMany({ where: { id: userId, email }, data: { emailVerifiedAt: new Date() } });
  });
}
