import type { IncomingMessage, ServerResponse } from "node:http";
import type { Context } from "../auth/procedure.ts";
import { redeemLink } from "../auth/session.ts";

/** The path of the one-time link. Looking at it changes nothing (mail scanners and previews look at links); its button does. */
const link = /^\/sign-in\/([\w-]{43})$/;

/** Answers the page of the owner's link, with AUTH=required. False where the path is none of it. */
export async function answerSignIn(context: Context, req: IncomingMessage, res: ServerResponse, path: string): Promise<boolean> {
  const secret = link.exec(path)?.[1];
  if (secret === undefined || context.config.AUTH !== "required") return false;
  if (req.method !== "POST") {
    sendPage(res, 200, "Welcome", `<p>This link works once.</p><form method="post" action="/sign-in/${secret}"><button>Sign in as the owner</button></form>`);
    return true;
  }
  if (await redeemLink(context.db, context.door, secret)) {
    res.writeHead(303, { Location: "/" }).end();
    return true;
  }
  sendPage(res, 410, "This link is over", "<p>It was used, or is older than two days. A new one is printed by <code>npm start -- --owner-link</code>.</p>");
  return true;
}

function sendPage(res: ServerResponse, status: number, title: string, body: string): void {
  res.writeHead(status, { "Content-Type": "text/html; charset=utf-8" });
  res.end(`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Tensorloom</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:20vh auto;padding:0 1.5rem;color:#1a1b19;background:#fdfdfb}button{font:inherit;padding:.5rem 1rem;border:0;border-radius:.5rem;background:#1a1b19;color:#fff;cursor:pointer}@media(prefers-color-scheme:dark){body{color:#ededea;background:#1a1b19}button{background:#ededea;color:#1a1b19}}</style>
<h1>${title}</h1>${body}</html>`);
}
