import type { Session } from "../auth/session.ts";

/** Who may open a page: anybody, for a reason that is written down; whoever is signed in; or those who look after the installation. */
type PagePolicy = { kind: "public"; reason: string } | { kind: "person" } | { kind: "operator" };

const person: PagePolicy = { kind: "person" };
const operator: PagePolicy = { kind: "operator" };
const anybody = (reason: string): PagePolicy => ({ kind: "public", reason });

/**
 * Every page there is, by its folder in `app/`, and who may open it. Pages hold no data, they ask the procedures for it; still a page that is not
 * in this list is not served, and a test compares the list with the folder.
 */
export const pages: Readonly<Record<string, PagePolicy>> = {
  "/": person,
  "/account": person,
  "/admin": operator,
  "/data": person,
  "/data/[datasetId]": person,
  "/finetune": person,
  "/finetune/[runId]": person,
  "/layers": person,
  "/layers/[type]": person,
  "/models/[modelId]": person,
  "/models/[modelId]/data": person,
  "/models/[modelId]/runs": person,
  "/models/[modelId]/ship": person,
  "/open": person,
  "/organization": person,
  "/runs": person,
  "/runs/[runId]": person,
  "/runs/compare": person,
  "/forgot": anybody("who has lost their password is not signed in"),
  "/icon.svg": anybody("the picture in the browser's tab is the same for everybody"),
  "/join/[secret]": anybody("who is invited may have no account yet"),
  "/reset/[secret]": anybody("who sets a new password by link is not signed in"),
  "/shared/[secret]": anybody("a share link is for whoever holds it"),
  "/sign-in": anybody("this is where one signs in"),
  "/sign-up": anybody("this is where one makes an account"),
  "/verify/[secret]": anybody("a mail is often read in another browser"),
};

const forms = Object.entries(pages).map(([path, policy]) => ({ policy, form: new RegExp(`^${path.replace(/\[\w+\]/g, "[\\w-]{1,64}").replaceAll(".", "\\.")}/?$`) }));

/** The policy of the page at a path; null where there is none. */
export function pagePolicyOf(path: string): PagePolicy | null {
  return forms.find(({ form }) => form.test(path))?.policy ?? null;
}

/** Whether somebody may open a page of this policy. */
export function mayOpen(policy: PagePolicy, session: Session | null): boolean {
  if (policy.kind === "public") return true;
  if (session === null) return false;
  return policy.kind === "person" || (session.isOperator && session.scope === null);
}
