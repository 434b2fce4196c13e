import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
/** Packages whose file for a script tag is not what they give Node. */
const UMD: { [name: string]: string } = { "@xyflow/react": "dist/umd/index.js", recharts: "umd/Recharts.js" };

/**
 * A page with nothing of ours on it: packages as they come from npm, in their production form, and a script that uses them. What the product is
 * measured against runs with the same React in the same browser.
 *
 * @param packages by the name that the script has them under
 */
export function plainPage({ packages, css = "", script }: { packages: { [name: string]: string }; css?: string; script: string }): string {
  const modules = new Map<string, string>();
  const take = (name: string, from: string): string => {
    const umd = UMD[name];
    const path = umd ? join(dirname(createRequire(from).resolve(`${name}/package.json`)), umd) : createRequire(from).resolve(name);
    if (modules.has(path)) return path;
    modules.set(path, "");
    const text = readFileSync(path, "utf8").replaceAll("process.env.NODE_ENV", '"production"');
    modules.set(
      path,
      text.replaceAll(/require\((["'])([^"']+)\1\)/g, (_, __, inner: string) =>
        // Their production halves are asked for, never the others.
        inner.includes("development") ? "{}" : `require(${JSON.stringify(take(inner, path))})`,
      ),
    );
    return path;
  };
  const named = Object.entries(packages).map(([name, from]) => `const ${name} = require(${JSON.stringify(take(from, import.meta.filename))});`);
  const whole = `
    const sources = {${[...modules].map(([path, text]) => `${JSON.stringify(path)}: function (module, exports, require) {${text}\n}`).join(",\n")}};
    const made = {};
    function require(path) { if (!made[path]) { const module = (made[path] = { exports: {} }); sources[path].call(module.exports, module, module.exports, require); } return made[path].exports; }
    ${named.join("\n")}
    ${script}`;
  return `<!doctype html><style>${css} body { margin: 0 }</style><div id="root"></div><script>${whole.replaceAll("</script", "<\\/script")}</script>`;
}

/** The text of a file of a package. */
export const packageText = (path: string): string => readFileSync(require.resolve(path), "utf8");
