/** The browser for the tests: CHROMIUM, the system's, or Playwright's own. */
export function findChromium(): string | null;
