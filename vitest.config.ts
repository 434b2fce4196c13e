import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.{ts,tsx}"],
    exclude: ["test/e2e/**", "node_modules/**"],
    // One PostgreSQL for the whole run; each file that needs it gets a database of its own.
    globalSetup: ["test/server/postgres.ts"],
    // Real engines and databases: two at a time fill two cores.
    maxWorkers: 2,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Faults fall on real processes at real moments. On CI what fails is tried once more, and the report says so beside its name.
    retry: process.env.CI ? 1 : 0,
    pool: "forks",
    // As `patientThreads` of the agent has it: where two tests want the same core, spinning threads take twenty times as long.
    env: { GOMP_SPINCOUNT: "1000" },
  },
});
