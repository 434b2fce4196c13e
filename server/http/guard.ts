import type { IncomingMessage, ServerResponse } from "node:http";
import { say } from "../../core/language/say.ts";
import type { Config } from "../config.ts";
import { isUploadPart, UPLOAD_PATH } from "./uploads.ts";

/** Why a request is turned away before anybody looks at it. */
export type Refused = { status: 400 | 403 | 404 | 405 | 415 | 421; code: string; message: string };

const localNames = ["localhost", "127.0.0.1", "[::1]"];

/** The names under which this server may be addressed, without port. Any other is a page of somebody else's that was pointed here (DNS rebinding). */
export function allowedHosts(config: Config): Set<string> {
  const names = [...localNames, ...config.ALLOWED_HOSTS];
  if (config.PUBLIC_URL) names.push(new URL(config.PUBLIC_URL).hostname.toLowerCase());
  if (!["0.0.0.0", "::"].includes(config.HOST)) names.push(config.HOST.includes(":") && !config.HOST.startsWith("[") ? `[${config.HOST}]` : config.HOST.toLowerCase());
  return new Set(names);
}

function hostOf(header: string | undefined): string | null {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/i.exec(header ?? "");
  return match?.[1]?.toLowerCase() ?? null;
}

/**
 * Decides from the head of a request whether it may go on. What changes anything must come from our own pages: its Origin is
 * this host, and its body is JSON, or the bytes of a file, which no form of another site can send.
 */
export function refuse(req: IncomingMessage, hosts: ReadonlySet<string>): Refused | null {
  const host = hostOf(req.headers.host);
  if (host === null || !hosts.has(host))
    return {
      status: 421,
      code: "HOST_REFUSED",
      message: say("This server does not answer under that name: add it to ALLOWED_HOSTS or PUBLIC_URL."),
    };
  const method = req.method ?? "";
  const url = req.url ?? "";
  const isPart = isUploadPart(url);
  if (!["GET", "HEAD", "POST"].includes(method) && !(isPart && ["PATCH", "DELETE"].includes(method)))
    return { status: 405, code: "METHOD_REFUSED", message: say("GET, HEAD and POST are answered.") };
  // The product has no server actions; a request for one is a probe.
  if ("next-action" in req.headers) return { status: 404, code: "NOT_FOUND", message: say("There is nothing here.") };
  if (req.headers["x-middleware-subrequest"] !== undefined || req.headers["next-resume"] !== undefined)
    return { status: 404, code: "NOT_FOUND", message: say("There is nothing here.") };
  if (!url.startsWith("/") || url.startsWith("//")) return { status: 400, code: "INPUT_SHAPE", message: say("The address of the request is not a path.") };

  // Addresses are kept in logs and histories, where a secret must not be.
  if (/tl_[0-9A-Za-z]{49}/.test(url))
    return {
      status: 400,
      code: "INPUT_SHAPE",
      message: say("An API token belongs into the Authorization header, never into an address: revoke this one, it may have been logged."),
    };

  const site = req.headers["sec-fetch-site"];
  const isApi = url.startsWith("/api/");
  const isChange = method !== "GET" && method !== "HEAD";
  if ((isChange || isApi) && site !== undefined && site !== "same-origin" && site !== "none")
    return { status: 403, code: "ORIGIN_REFUSED", message: say("Requests from other sites are refused.") };
  if (isChange) {
    const { origin } = req.headers;
    // A client that is no browser sends no Origin and carries no cookie of a person's browser.
    if (origin !== undefined && !isOwnOrigin(origin, req.headers.host ?? ""))
      return { status: 403, code: "ORIGIN_REFUSED", message: say("Requests from other sites are refused.") };
    // Neither type can be sent by a form of another site; a script there must ask first, and nobody answers.
    const [form, type] = isPart
      ? [/^application\/offset\+octet-stream$/i, "application/offset+octet-stream"]
      : url === UPLOAD_PATH
        ? [/^application\/octet-stream$/i, "application/octet-stream"]
        : [/^application\/json(\s*;|$)/i, "application/json"];
    if (isApi && method !== "DELETE" && !form.test(req.headers["content-type"] ?? ""))
      return { status: 415, code: "TYPE_REFUSED", message: say("The body must be {type}.", { type }) };
  }
  return null;
}

function isOwnOrigin(origin: string, host: string): boolean {
  try {
    const { protocol, host: from } = new URL(origin);
    return /^https?:$/.test(protocol) && from.toLowerCase() === host.toLowerCase().replace(protocol === "https:" ? /:443$/ : /:80$/, "");
  } catch {
    return false;
  }
}

/** Headers of every answer, the pages' included. `nonce` marks the scripts that we wrote. */
export function contentSecurityPolicy(nonce: string, isDevelopment: boolean): string {
  return [
    "default-src 'self'",
    // ONNX Runtime compiles WebAssembly in the page; development's hot reloading evaluates text.
    `script-src 'self' 'nonce-${nonce}' 'wasm-unsafe-eval'${isDevelopment ? " 'unsafe-eval'" : ""}`,
    // Charts and the canvas place their parts with style attributes.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self'${isDevelopment ? " ws:" : ""}`,
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

export function setSecurityHeaders(res: ServerResponse, policy: string, requestId: string): void {
  res.setHeader("Content-Security-Policy", policy);
  res.setHeader("X-Content-Type-Options", "nosniff");
  res.setHeader("X-Frame-Options", "DENY");
  res.setHeader("Referrer-Policy", "same-origin");
  res.setHeader("Cross-Origin-Opener-Policy", "same-origin");
  res.setHeader("Cross-Origin-Resource-Policy", "same-origin");
  res.setHeader("Permissions-Policy", "camera=(self), microphone=(), geolocation=()");
  res.setHeader("X-Request-Id", requestId);
}
