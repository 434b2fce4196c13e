import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { settings } from "../../server/config.ts";

/** `UPDATE_DOCS=1 npx vitest run test/server/settings.test.ts` writes what these tests compare. */
const update = process.env.UPDATE_DOCS === "1";

const rows = Object.entries(settings).map(([name, { doc, unit, default: fallback }]) => ({ name, doc, unit, fallback }));

test("README lists every setting with its default, unit and meaning", () => {
  const table = [
    "| setting | default | unit | what it decides |",
    "|---|---|---|---|",
    ...rows.map((r) => `| \`${r.name}\` | ${r.fallback ? `\`${r.fallback}\`` : ""} | ${r.unit} | ${r.doc} |`),
  ].join("\n");
  const readme = readFileSync("README.md", "utf8");
  const written = readme.replace(/(<!-- settings -->\n)[\s\S]*(<!-- \/settings -->)/, `$1${table}\n$2`);
  if (update) writeFileSync("README.md", written);
  else expect(readme).toBe(written);
});

test(".env.example names every setting", () => {
  const written = `# Copy to .env and change what you need; what is left out keeps its default.\n\n${rows.map((r) => `# ${r.doc} (${r.unit})\n# ${r.name}=${r.fallback}\n`).join("\n")}`;
  if (update) writeFileSync(".env.example", written);
  else expect(readFileSync(".env.example", "utf8")).toBe(written);
});
