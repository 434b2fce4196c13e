import { existsSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { z } from "zod";

/** The folder that the product was checked out into. */
export const root = resolve(fileURLToPath(import.meta.url), "../..");

/** One setting as people read it: what README and `.env.example` print, and what the environment must satisfy. */
export type Setting<T = unknown> = {
  /** A sentence: what it decides. */
  doc: string;
  /** How the value is counted or written: `port`, `ms`, `bytes`, `path`, `URL`. */
  unit: string;
  /** The default as it would be typed, or "" where leaving it unset means something of its own. */
  default: string;
  read: z.ZodType<T>;
};

const text = z.string().trim();
const optional = text.transform((value) => value || null);
const whole = (low: number, high: number) => z.coerce.number<string>().int().min(low).max(high);
const list = text.transform((value) =>
  value
    .split(",")
    .map((item) => item.trim().toLowerCase())
    .filter(Boolean),
);

function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

/** Every setting there is. All of them are environment variables; a file named `.env` in the root gives values to those that are not set. */
export const settings = {
  PORT: setting({ doc: "Where the page is served.", unit: "port", default: "3000", read: whole(0, 65_535) }),
  HOST: setting({
    doc: "The address to listen on. Anything but this machine's own needs AUTH=required.",
    unit: "address",
    default: "127.0.0.1",
    read: text.min(1),
  }),
  PUBLIC_URL: setting({
    doc: "What people type to get here, where that is not http://HOST:PORT (behind a proxy). An https address makes cookies Secure.",
    unit: "URL",
    default: "",
    read: optional.pipe(z.url({ protocol: /^https?$/ }).nullable()),
  }),
  ALLOWED_HOSTS: setting({
    doc: "Further host names that requests may name, separated by commas; all others are refused.",
    unit: "names",
    default: "",
    read: list,
  }),
  UI_LANGUAGE: setting({
    doc: "The language of pages, mails and messages: `en`, or the name of a catalogue in core/language (docs/languages.md).",
    unit: "language code",
    default: "en",
    read: text.regex(/^[a-z]{2,3}(-[A-Za-z]{2,4})?$/),
  }),
  AUTH: setting({
    doc: "`local` signs every visitor of this machine into one workspace; `required` prints a one-time owner link at start instead.",
    unit: "local or required",
    default: "local",
    read: z.enum(["local", "required"]),
  }),
  SIGN_UP: setting({
    doc: "Who may make an account: `invited` only people with an invitation, `open` everybody who can reach the page, each with an organization of their own.",
    unit: "invited or open",
    default: "invited",
    read: z.enum(["invited", "open"]),
  }),
  GUESTS: setting({
    doc: "With AUTH=required, whether visitors may look around in a workspace of their own before they make an account.",
    unit: "off or on",
    default: "off",
    read: z.enum(["off", "on"]),
  }),
  HUB: setting({
    doc: "Whether weights of pretrained networks may be fetched from huggingface.co when a person asks for them; `off` speaks to nobody.",
    unit: "on or off",
    default: "on",
    read: z.enum(["on", "off"]),
  }),
  SECRET: setting({
    doc: "Seals what must be read again (second factors). At least 32 characters; unset, one is made and kept in DATA_DIR/secret. Several web processes need the same.",
    unit: "text",
    default: "",
    read: text.refine((value) => value === "" || value.length >= 32, "at least 32 characters").transform((value) => value || null),
  }),
  TRUSTED_PROXIES: setting({
    doc: "Addresses of proxies in front whose X-Forwarded-For is believed, separated by commas.",
    unit: "addresses",
    default: "",
    read: list,
  }),
  SMTP_URL: setting({
    doc: "Where mail is handed over: smtp://name:password@host:587, or smtps:// for TLS from the start. Unset, nothing is mailed: invitations and new passwords go by link.",
    unit: "URL",
    default: "",
    read: optional.pipe(z.url({ protocol: /^smtps?$/ }).nullable()),
  }),
  MAIL_FROM: setting({
    doc: "The sender of mail.",
    unit: "address",
    default: "",
    read: optional,
  }),
  RUN_MAIL_AFTER_S: setting({
    doc: "With SMTP_URL: whoever started a run that took at least so long gets a mail when it ends. 0: none.",
    unit: "seconds",
    default: "120",
    read: whole(0, 1_000_000),
  }),
  GITHUB_CLIENT_ID: setting({ doc: "With the secret: people may sign in with GitHub. Callback: PUBLIC_URL/api/oauth/github/callback.", unit: "id", default: "", read: optional }),
  GITHUB_CLIENT_SECRET: setting({ doc: "The OAuth app's secret.", unit: "secret", default: "", read: optional }),
  GOOGLE_CLIENT_ID: setting({ doc: "With the secret: people may sign in with Google. Callback: PUBLIC_URL/api/oauth/google/callback.", unit: "id", default: "", read: optional }),
  GOOGLE_CLIENT_SECRET: setting({ doc: "The OAuth client's secret.", unit: "secret", default: "", read: optional }),
  OIDC_ISSUER: setting({
    doc: "With id and secret: people may sign in with this OpenID Connect provider. Callback: PUBLIC_URL/api/oauth/oidc/callback.",
    unit: "URL",
    default: "",
    read: optional.pipe(z.url({ protocol: /^https?$/ }).nullable()),
  }),
  OIDC_CLIENT_ID: setting({ doc: "The client's id there.", unit: "id", default: "", read: optional }),
  OIDC_CLIENT_SECRET: setting({ doc: "The client's secret there.", unit: "secret", default: "", read: optional }),
  OIDC_NAME: setting({ doc: "What the button says: Sign in with …", unit: "name", default: "single sign-on", read: text.max(40) }),
  DATA_DIR: setting({
    doc: "Where everything is kept: database, data sets, checkpoints, logs.",
    unit: "path",
    default: ".data",
    read: text.min(1).transform((path) => resolve(root, path)),
  }),
  DATABASE_URL: setting({
    doc: "A PostgreSQL 15 or newer to use instead of the embedded one.",
    unit: "URL",
    default: "",
    read: optional.pipe(z.url({ protocol: /^postgres(ql)?$/ }).nullable()),
  }),
  DATABASE_POOL: setting({
    doc: "How many database connections each process may hold.",
    unit: "connections",
    default: "10",
    read: whole(2, 200),
  }),
  S3_ENDPOINT: setting({
    doc: "Keeps files in a bucket instead of DATA_DIR, so that machines need share no disk: the S3 server's address, with S3_BUCKET and both keys. DATA_DIR then holds copies.",
    unit: "URL",
    default: "",
    read: optional.pipe(z.url({ protocol: /^https?$/ }).nullable()),
  }),
  S3_BUCKET: setting({ doc: "The bucket; it has to be there.", unit: "name", default: "", read: optional }),
  S3_REGION: setting({ doc: "The bucket's region, where the server asks for one.", unit: "name", default: "us-east-1", read: text.min(1) }),
  S3_ACCESS_KEY_ID: setting({ doc: "A key that may read, write, list and delete in the bucket.", unit: "id", default: "", read: optional }),
  S3_SECRET_ACCESS_KEY: setting({ doc: "The key's secret.", unit: "secret", default: "", read: optional }),
  LIBTORCH: setting({
    doc: "A libtorch, or the folder of a Python `torch`, to use instead of the one that set-up finds or installs.",
    unit: "path",
    default: "",
    read: optional,
  }),
  MAX_RUNS: setting({ doc: "How many runs an agent trains at the same time.", unit: "runs", default: "1", read: whole(1, 256) }),
  MAX_QUEUED_RUNS: setting({
    doc: "How many runs of one organization may wait in the queue.",
    unit: "runs",
    default: "20",
    read: whole(1, 10_000),
  }),
  MAX_RUNNING_RUNS: setting({
    doc: "How many runs of one organization may train at the same time; an operator can give an organization another number.",
    unit: "runs",
    default: "64",
    read: whole(1, 10_000),
  }),
  STORAGE_LIMIT_GB: setting({
    doc: "How much one organization may keep (data sets, checkpoints, exports); an operator can give an organization another limit.",
    unit: "GiB",
    default: "100",
    read: whole(1, 1_000_000),
  }),
  MEMORY_LIMIT_MB: setting({
    doc: "How much memory the tensors of one run may take on the CPU; a run that wants more is refused, or fails with the node that asked.",
    unit: "MiB",
    default: "2048",
    read: whole(16, 16_777_216),
  }),
  CHECKPOINT_EVERY_MS: setting({
    doc: "How much training a crash can cost at most.",
    unit: "ms",
    default: "30000",
    read: whole(100, 3_600_000),
  }),
  AGENT_NAME: setting({
    doc: "What this machine's agent is called; two agents on one database need two names. Unset, it is the machine's own name.",
    unit: "name",
    default: "",
    read: text
      .transform(
        (name) =>
          name ||
          hostname()
            .replace(/[^\w.-]/g, "-")
            .slice(0, 80),
      )
      .pipe(z.string().regex(/^[\w.-]{1,80}$/)),
  }),
  LEASE_MS: setting({
    doc: "How long a run belongs to a trainer that gives no sign of life. It renews three times in this time.",
    unit: "ms",
    default: "15000",
    read: whole(300, 600_000),
  }),
  STUCK_AFTER_MS: setting({
    doc: "How long a run may go without a step before it counts as stuck (twenty of its usual steps where they take longer).",
    unit: "ms",
    default: "60000",
    read: whole(1_000, 86_400_000),
  }),
  SPOOL_BYTES: setting({
    doc: "How much a trainer keeps in memory while the database is away; then it pauses.",
    unit: "bytes",
    default: "268435456",
    read: whole(65_536, 17_179_869_184),
  }),
  LOG_LEVEL: setting({
    doc: "How much is logged.",
    unit: "debug, info, warn or error",
    default: "info",
    read: z.enum(["debug", "info", "warn", "error"]),
  }),
} as const;

type Values = { [name in keyof typeof settings]: z.output<(typeof settings)[name]["read"]> };

/** What this process was told, checked. */
export type Config = Readonly<Values>;

/** Said before anything starts: a setting is wrong, and which. The message is all a person needs. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i;

/**
 * Reads the settings from an environment. Unset and empty mean the default.
 * @throws ConfigError that lists every wrong setting, with the value, what is accepted and what it is for.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { read, default: fallback, doc, unit }] of Object.entries(settings)) {
    const given = environment[name]?.trim() || fallback;
    const result = read.safeParse(given);
    if (result.success) values[name] = result.data;
    else problems.push(`${name}="${given}" is not a ${unit} (${result.error.issues.map((issue) => issue.message).join("; ")}). ${doc}`);
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"));
  const config = values as Config;
  if (config.AUTH === "local" && !loopback.test(config.HOST))
    throw new ConfigError(
      `AUTH=local lets anyone in who can reach the page, and HOST=${config.HOST} can be reached from other machines: set AUTH=required, or leave HOST at 127.0.0.1.`,
    );
  if (config.SMTP_URL !== null && config.MAIL_FROM === null)
    throw new ConfigError("SMTP_URL is set, and mail needs a sender: set MAIL_FROM, for example MAIL_FROM=loom@example.org.");
  const bucket = [config.S3_ENDPOINT, config.S3_BUCKET, config.S3_ACCESS_KEY_ID, config.S3_SECRET_ACCESS_KEY];
  if (bucket.some((part) => part !== null) && bucket.includes(null))
    throw new ConfigError("Keeping files in a bucket needs S3_ENDPOINT, S3_BUCKET, S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY: set all of them, or none.");
  for (const provider of ["GITHUB", "GOOGLE", "OIDC"] as const) {
    const parts = [config[`${provider}_CLIENT_ID`], config[`${provider}_CLIENT_SECRET`], ...(provider === "OIDC" ? [config.OIDC_ISSUER] : [])];
    if (parts.some((part) => part !== null) && (parts.includes(null) || config.PUBLIC_URL === null))
      throw new ConfigError(
        `Signing in with ${provider} needs ${provider === "OIDC" ? "OIDC_ISSUER, " : ""}${provider}_CLIENT_ID, ${provider}_CLIENT_SECRET and PUBLIC_URL: set all of them, or none.`,
      );
  }
  return config;
}

/** The environment with the gaps filled from `.env`, where there is one. */
export function readEnvironment(file = join(root, ".env")): Record<string, string | undefined> {
  if (!existsSync(file)) return process.env;
  return { ...parseEnv(readFileSync(file, "utf8")), ...process.env };
}

let current: Config | undefined;

/** This process's settings, read once. */
export function config(): Config {
  current ??= readConfig(readEnvironment());
  return current;
}
