import { defineConfig } from "@playwright/test";
import { findChromium } from "./server/setup.mjs";

const port = Number(process.env.E2E_PORT ?? 3199);

export default defineConfig({
  testDir: "test/e2e",
  outputDir: "test-results",
  // One story at a time: each trains for real on the machine's cores.
  workers: 1,
  // On CI a story that failed is told once more; the report lists it as flaky.
  retries: process.env.CI ? 1 : 0,
  timeout: 300_000,
  expect: { timeout: 15_000 },
  reporter: [["list"], ["json", { outputFile: "test-results/playwright.json" }]],
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1440, height: 900 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: findChromium() ?? undefined,
      args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
    },
  },
  webServer: {
    command: "rm -rf .data/e2e && exec node server/start.ts",
    url: `http://127.0.0.1:${port}/readyz`,
    timeout: 60_000,
    gracefulShutdown: { signal: "SIGTERM", timeout: 20_000 },
    env: { PORT: String(port), DATA_DIR: ".data/e2e" },
  },
});
