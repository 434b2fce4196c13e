import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { z } from "zod";

/**
 * `npm test`: the static checks, then the tests, then the browser. Each stage runs even where an earlier one failed, so that one run
 * shows all that is wrong. Ends with one line that counts everything.
 */
const VitestReport = z.object({ numPassedTests: z.int(), numFailedTests: z.int(), numPendingTests: z.int(), numFailedTestSuites: z.int() });
const PlaywrightReport = z.object({ stats: z.object({ expected: z.int(), unexpected: z.int(), flaky: z.int(), skipped: z.int() }) });

type Counts = { passed: number; failed: number; skipped: number };

function run(title: string, command: string, args: string[]): Promise<boolean> {
  const started = Date.now();
  console.log(`\n── ${title}`);
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
    child.on("error", (error) => {
      console.error(error.message);
      done(false);
    });
    child.on("close", (code) => {
      console.log(`── ${title}: ${code === 0 ? "passed" : "FAILED"} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
      done(code === 0);
    });
  });
}

async function check(title: string, command: string, args: string[]): Promise<Counts> {
  const passed = await run(title, command, args);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

/** A suite that writes a JSON report; a suite that left none, or failed outside its tests, counts as one failure. */
async function suite(title: string, command: string, args: string[], report: string, count: (report: unknown) => Counts): Promise<Counts> {
  rmSync(report, { force: true });
  const passed = await run(title, command, args);
  const counts = existsSync(report) ? count(JSON.parse(readFileSync(report, "utf8"))) : { passed: 0, failed: 0, skipped: 0 };
  return passed || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** `npm run test:full` breaks things for longer and more often; what is set already stays. */
if (process.env.TENSORLOOM_TEST === "full") {
  const long = { FAULT_KILLS: "200", FAULT_CANCELS: "50", FAULT_OUTAGE_MS: "600000", FAULT_ROUNDS: "10", FAULT_DIP_MS: "5000" };
  for (const [name, value] of Object.entries(long)) process.env[name] ??= value;
}

mkdirSync("test-results", { recursive: true });
const only = process.argv[2];
const stages: [string, () => Promise<Counts>][] = [
  ["lint", () => check("Style and lint", "biome", ["check", "."])],
  ["types", () => check("Types", "tsc", ["--noEmit"])],
  ["rooms", () => check("Rooms: who imports whom", "depcruise", ["core", "native", "server", "app", "test"])],
  ["unused", () => check("Nothing unused", "knip", [])],
  [
    "unit",
    () =>
      suite("Tests", "vitest", ["run", "--reporter=default", "--reporter=json", "--outputFile.json=test-results/vitest.json"], "test-results/vitest.json", (report) => {
        const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = VitestReport.parse(report);
        return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites > 0 && numFailedTests === 0 ? 1 : 0), skipped: numPendingTests };
      }),
  ],
  [
    "browser",
    () =>
      suite("Browser", "playwright", ["test"], "test-results/playwright.json", (report) => {
        const { expected, unexpected, flaky, skipped } = PlaywrightReport.parse(report).stats;
        return { passed: expected + flaky, failed: unexpected, skipped };
      }),
  ],
];

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
for (const [name, stage] of stages) {
  if (only && only !== name) continue;
  const counts = await stage();
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
}
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(total.failed === 0 && total.passed > 0 ? 0 : 1);
