import type { Json } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import type { Param } from "../../core/layers/params.ts";

type Control = Param<unknown>["control"];

/** A parameter as it stands in its field: `3 × 3`, `1, 28, 28`, `same`. */
export function printParam(value: unknown, control: Control): string {
  if (Array.isArray(value)) return value.join(control.kind === "size" ? " × " : ", ");
  if (typeof value === "number" && value !== 0 && Math.abs(value) < 0.001) return value.toExponential().replace(/e([+-])0*/, "e$1");
  return value === null || value === undefined ? "" : String(value);
}

/** Reads what stands in a field; the parameter's own schema has the last word. Sizes may be parted by ×, x, comma or space. */
export function parseParam(text: string, param: Param<unknown>): { value: Json } | { problem: string } {
  const value = readText(text.trim(), param.control);
  const parsed = param.schema.safeParse(value);
  if (parsed.success) return { value };
  return { problem: say("Needs {message}.", { message: parsed.error.issues[0]?.message ?? say("another value") }) };
}

function readText(text: string, control: Control): Json {
  switch (control.kind) {
    case "int":
    case "float":
      return readNumber(text);
    case "bool":
      return text === "true";
    case "size": {
      if (control.words.includes(text)) return text;
      const parts = split(text, /\s*[×x,\s]\s*/i).map(readNumber);
      return parts.length === 1 ? (parts[0] ?? "") : parts;
    }
    case "ints":
      return list(text).map(readNumber);
    case "dims":
      return list(text).map((part) => (/^[A-Za-z]/.test(part) ? part : readNumber(part)));
    case "choice":
    case "text":
    case "code":
      return text;
  }
}

const split = (text: string, by: RegExp) => text.split(by).filter((part) => part !== "");
const list = (text: string) => split(text.replace(/[[\]()]/g, ""), /\s*[,×\s]\s*/);

/** A number, or the text itself where it is none, so that the schema refuses it. */
function readNumber(text: string): Json {
  const value = Number(text.replaceAll("_", ""));
  return text === "" || Number.isNaN(value) ? text : value;
}
