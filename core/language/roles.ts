import { say } from "./say.ts";

const WORDS: { readonly [role: string]: string } = { viewer: say("viewer"), member: say("member"), admin: say("admin"), owner: say("owner") };

/** What a role in an organization is called. */
export function sayRole(role: string): string {
  return WORDS[role] ?? role;
}
