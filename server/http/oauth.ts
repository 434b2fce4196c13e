import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { say } from "../../core/language/say.ts";
import type { Context } from "../auth/procedure.ts";
import { hashSecret, makeSecret, seal, unseal } from "../auth/secrets.ts";
import { makeOrganization } from "../auth/workspace.ts";
import type { Config } from "../config.ts";
import { AppError } from "../errors.ts";

/** Who else can say who somebody is: GitHub, Google, or any provider that speaks OpenID Connect. */
type ProviderId = "github" | "google" | "oidc";
type Provider = {
  title: string;
  clientId: string;
  clientSecret: string;
  scope: string;
  endpoints(): Promise<{ authorize: string; token: string; profile: string }>;
  /** What the provider says of the person, checked; the address only where the provider has checked it. */
  read(profile: unknown, get: (path: string) => Promise<unknown>): Promise<Profile>;
};
type Profile = { subject: string; name: string; email: string | null };

const Claims = z.looseObject({ sub: z.string().min(1).max(255), name: z.string().optional(), email: z.string().optional(), email_verified: z.boolean().optional() });
const readClaims = async (profile: unknown): Promise<Profile> => {
  const { sub, name, email, email_verified } = Claims.parse(profile);
  return { subject: sub, name: name ?? email ?? "New person", email: email_verified === true && email ? email.toLowerCase() : null };
};
const GitHubUser = z.looseObject({ id: z.int(), login: z.string(), name: z.string().nullish() });
const GitHubEmails = z.array(z.looseObject({ email: z.string(), primary: z.boolean(), verified: z.boolean() }));
const Discovery = z.looseObject({ issuer: z.string(), authorization_endpoint: z.url(), token_endpoint: z.url(), userinfo_endpoint: z.url() });

/** The providers that the settings name, each with id and secret. The addresses are ours or the administrator's: never a visitor's. */
function providers(config: Config): Partial<Record<ProviderId, Provider>> {
  const { GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET, GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_NAME } = config;
  return {
    ...(GITHUB_CLIENT_ID && GITHUB_CLIENT_SECRET
      ? {
          github: {
            title: "GitHub",
            clientId: GITHUB_CLIENT_ID,
            clientSecret: GITHUB_CLIENT_SECRET,
            scope: "read:user user:email",
            endpoints: async () => ({
              authorize: "https://github.com/login/oauth/authorize",
              token: "https://github.com/login/oauth/access_token",
              profile: "https://api.github.com/user",
            }),
            async read(profile, get) {
              const { id, login, name } = GitHubUser.parse(profile);
              const emails = GitHubEmails.parse(await get("https://api.github.com/user/emails"));
              const email = emails.find(({ primary, verified }) => primary && verified)?.email.toLowerCase() ?? null;
              return { subject: String(id), name: name || login, email };
            },
          } satisfies Provider,
        }
      : {}),
    ...(GOOGLE_CLIENT_ID && GOOGLE_CLIENT_SECRET
      ? {
          google: {
            title: "Google",
            clientId: GOOGLE_CLIENT_ID,
            clientSecret: GOOGLE_CLIENT_SECRET,
            scope: "openid email profile",
            endpoints: () => discover("https://accounts.google.com"),
            read: readClaims,
          },
        }
      : {}),
    ...(OIDC_ISSUER && OIDC_CLIENT_ID && OIDC_CLIENT_SECRET
      ? {
          oidc: {
            title: OIDC_NAME,
            clientId: OIDC_CLIENT_ID,
            clientSecret: OIDC_CLIENT_SECRET,
            scope: "openid email profile",
            endpoints: () => discover(OIDC_ISSUER),
            read: readClaims,
          },
        }
      : {}),
  };
}

/** What buttons a sign-in page has. */
export function providersOf(config: Config): { id: string; title: string }[] {
  return Object.entries(providers(config)).map(([id, { title }]) => ({ id, title }));
}

async function discover(issuer: string): Promise<{ authorize: string; token: string; profile: string }> {
  const base = issuer.replace(/\/$/, "");
  const found = Discovery.parse(await fetchJson(`${base}/.well-known/openid-configuration`, {}));
  if (found.issuer.replace(/\/$/, "") !== base) throw new AppError("SIGN_IN_WRONG", say("The provider calls itself by another name than OIDC_ISSUER: correct the setting."));
  return { authorize: found.authorization_endpoint, token: found.token_endpoint, profile: found.userinfo_endpoint };
}

class Refused extends Error {
  readonly status: number;
  constructor(host: string, status: number) {
    super(say("{host} answered {status}.", { host, status }));
    this.status = status;
  }
}

async function fetchJson(url: string, init: RequestInit): Promise<unknown> {
  const answer = await fetch(url, {
    ...init,
    redirect: "error",
    signal: AbortSignal.timeout(8_000),
    headers: { Accept: "application/json", "User-Agent": "Tensorloom", ...init.headers },
  });
  if (!answer.ok) throw new Refused(new URL(url).host, answer.status);
  const text = await answer.text();
  if (text.length > 1_000_000) throw new Error(`${new URL(url).host} answered with ${text.length} characters.`);
  return JSON.parse(text) as unknown;
}

const address = /^\/api\/oauth\/(github|google|oidc)\/(start|callback)$/;
const COOKIE = "tensorloom-oauth";
const State = z.strictObject({ state: z.string(), verifier: z.string(), provider: z.string(), until: z.number(), join: z.string().nullable() });

/** Answers the way to another provider and back. False where the path is none of it, or the provider is not set up. */
export async function answerOAuth(context: Context, req: IncomingMessage, res: ServerResponse): Promise<boolean> {
  const url = new URL(req.url ?? "/", "http://localhost");
  const [, id, step] = address.exec(url.pathname) ?? [];
  const provider = id === undefined ? undefined : providers(context.config)[id as ProviderId];
  if (!provider || req.method !== "GET") return false;
  try {
    if (step === "start") await begin(context, res, id as ProviderId, provider, url.searchParams.get("join"));
    else await finish(context, req, res, id as ProviderId, provider, url.searchParams);
  } catch (error) {
    const known = error instanceof AppError;
    if (!known) context.log.warn({ requestId: context.requestId, provider: id, error }, "Signing in by another provider failed.");
    const why = known ? error.message : say("{title} did not confirm who you are: try again.", { title: provider.title });
    res.writeHead(303, { Location: `/sign-in?problem=${encodeURIComponent(why)}` }).end();
  }
  return true;
}

const flags = (config: Config) => `Path=/api/oauth; HttpOnly; SameSite=Lax${config.PUBLIC_URL?.startsWith("https:") ? "; Secure" : ""}`;

async function begin({ config, origin }: Context, res: ServerResponse, id: ProviderId, provider: Provider, join: string | null): Promise<void> {
  const { authorize } = await provider.endpoints();
  const [state, verifier] = [makeSecret(), makeSecret()];
  const kept = seal(
    config,
    JSON.stringify({ state, verifier, provider: id, until: Date.now() + 600_000, join: join !== null && /^[\w-]{43}$/.test(join) ? join : null } satisfies z.infer<typeof State>),
  );
  const to = new URL(authorize);
  const query = {
    response_type: "code",
    client_id: provider.clientId,
    redirect_uri: `${origin}/api/oauth/${id}/callback`,
    scope: provider.scope,
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(query)) to.searchParams.set(name, value);
  res.writeHead(303, { Location: to.href, "Set-Cookie": `${COOKIE}=${encodeURIComponent(kept)}; Max-Age=600; ${flags(config)}` }).end();
}

async function finish(context: Context, req: IncomingMessage, res: ServerResponse, id: ProviderId, provider: Provider, query: URLSearchParams): Promise<void> {
  const { config, origin } = context;
  const over = () => new AppError("SIGN_IN_WRONG", say("This way in was begun elsewhere, or too long ago: try again."));
  const cookie = (req.headers.cookie ?? "").split("; ").find((part) => part.startsWith(`${COOKIE}=`));
  res.appendHeader("Set-Cookie", `${COOKIE}=; Max-Age=0; ${flags(config)}`);
  let kept: z.infer<typeof State>;
  try {
    kept = State.parse(JSON.parse(unseal(config, decodeURIComponent(cookie?.slice(COOKIE.length + 1) ?? ""))));
  } catch {
    throw over();
  }
  const code = query.get("code");
  if (kept.provider !== id || kept.until < Date.now() || query.get("state") !== kept.state || !code) throw over();
  const { token, profile } = await provider.endpoints();
  const { access_token } = await redeem(token, provider, {
    grant_type: "authorization_code",
    code,
    redirect_uri: `${origin}/api/oauth/${id}/callback`,
    code_verifier: kept.verifier,
  });
  const get = (url: string) => fetchJson(url, { headers: { Authorization: `Bearer ${access_token}` } });
  const userId = await findPerson(context, id, await provider.read(await get(profile), get), kept.join);
  await context.door.open(userId, id);
  res.writeHead(303, { Location: kept.join === null ? "/" : `/join/${kept.join}` }).end();
}

/**
 * Changes a code for a token. The secret goes in the form, which most providers take; one that knows us by HTTP Basic alone, as OpenID Connect has it
 * where nothing else was agreed, refuses that before it looks at the code, and is asked so.
 */
async function redeem(url: string, { clientId, clientSecret }: Provider, form: { [name: string]: string }): Promise<{ access_token: string }> {
  const ask = (headers: { [name: string]: string }, more: { [name: string]: string }) =>
    fetchJson(url, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams({ ...form, ...more }).toString(),
    });
  const encode = (text: string) => new URLSearchParams({ "": text }).toString().slice(1);
  const answer = await ask({}, { client_id: clientId, client_secret: clientSecret }).catch((error: unknown) => {
    if (!(error instanceof Refused) || (error.status !== 400 && error.status !== 401)) throw error;
    return ask({ Authorization: `Basic ${Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString("base64")}` }, {});
  });
  return z.looseObject({ access_token: z.string().min(1) }).parse(answer);
}

/**
 * The account of somebody at another provider. An account here with the same address is never joined to it by itself: whoever controls that address
 * there need not be who made the account here. Somebody new gets an account where sign-up is open, or an invitation to their checked address is in hand.
 */
async function findPerson({ system, config }: Context, provider: ProviderId, { subject, name, email }: Profile, join: string | null): Promise<string> {
  const known = await system.identity.findUnique({ where: { provider_subject: { provider, subject } }, select: { userId: true, user: { select: { disabledAt: true } } } });
  if (known?.user.disabledAt) throw new AppError("SIGN_IN_WRONG", say("This account was closed by those who look after this installation."));
  if (known) return known.userId;
  if (email === null) throw new AppError("SIGN_IN_WRONG", say("The provider has not confirmed your e-mail address: confirm it there first."));
  const invited = join === null ? 0 : await system.invitation.count({ where: { tokenHash: hashSecret(join), email, acceptedAt: null, expiresAt: { gt: new Date() } } });
  if (invited === 0 && config.SIGN_UP === "invited") throw new AppError("FORBIDDEN", say("Accounts are made by invitation here: ask somebody of the organization for a link."));
  return system.$transaction(async (tx) => {
    if ((await tx.user.count({ where: { email } })) > 0) throw new AppError("EMAIL_TAKEN", say("There is an account with this address: sign in with its password."));
    const { id } = await tx.user.create({
      data: { name: name.slice(0, 120), email, emailVerifiedAt: new Date(), identities: { create: { provider, subject } } },
      select: { id: true },
    });
    await makeOrganization(tx, id, `${name}'s team`.slice(0, 120));
    return id;
  });
}
