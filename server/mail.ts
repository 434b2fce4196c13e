import { createTransport } from "nodemailer";
import type { Config } from "./config.ts";

/** A mail as people get it: plain text, one link at most, and no picture that tells who opened it. */
export type Mail = { to: string; subject: string; text: string };

/** Hands mail over. Null where no SMTP is set: callers then show a link instead, or leave the mail out. */
export type Mailer = { send(mail: Mail): Promise<void>; close(): void };

const timeouts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 10_000 };

/** The mailer that the settings describe, or null without SMTP_URL. Connections are made when there is something to send. */
export function openMailer(config: Config): Mailer | null {
  const { SMTP_URL, MAIL_FROM } = config;
  if (SMTP_URL === null || MAIL_FROM === null) return null;
  const at = new URL(SMTP_URL);
  const secure = at.protocol === "smtps:";
  const transport = createTransport({
    pool: true,
    host: at.hostname,
    port: Number(at.port) || (secure ? 465 : 587),
    secure,
    ...(at.username ? { auth: { user: decodeURIComponent(at.username), pass: decodeURIComponent(at.password) } } : {}),
    // A mail is made of words that we wrote: nothing of it may name a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...timeouts,
  });
  // A connection that breaks while nobody sends: the next mail gets another.
  transport.on("error", () => {});
  return {
    async send({ to, subject, text }) {
      await transport.sendMail({ from: MAIL_FROM, to: { name: "", address: to }, subject: subject.replace(/[\r\n]+/g, " "), text });
    },
    close: () => transport.close(),
  };
}
