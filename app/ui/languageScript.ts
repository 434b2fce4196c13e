/**
 * Gives the browser the language of this installation before any other script of the page runs; null for English, which needs no catalogue.
 * Inlined into the page by the layout.
 */
export function languageScript(): string | null {
  const language = globalThis.tensorloomLanguage;
  return language ? `globalThis.tensorloomLanguage=${JSON.stringify(language).replaceAll("<", "\\u003c")}` : null;
}
