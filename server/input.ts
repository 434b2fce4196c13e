import { z } from "zod";
import type { Graph } from "../core/graph/document.ts";
import { LIMITS } from "../core/graph/limits.ts";
import { readGraph } from "../core/graph/migrate.ts";
import { say } from "../core/language/say.ts";
import { RunSettings } from "../core/training/settings.ts";
import { AppError } from "./errors.ts";

/** What all inputs are made of. Every object is strict: a key that is not known is refused, not passed over. */
export const Id = z.uuid();
export const Name = z.string().trim().min(1, "A name needs at least one character.").max(120, "A name has at most 120 characters.");

/** Settings of a run from a browser. What is out of range is said in words, with the setting's name and what came. */
export const SettingsInput = z
  .custom<z.input<typeof RunSettings>>((value) => typeof value === "object" && value !== null, "Settings are an object.")
  .transform((value): RunSettings => {
    const read = RunSettings.safeParse(value);
    if (read.success) return read.data;
    const [issue] = read.error.issues;
    const path = issue?.path ?? [];
    const field = path.join(".");
    if (!issue || issue.code === "unrecognized_keys") throw new AppError("INPUT_SHAPE", issue?.message ?? say("Settings are an object."), { details: { field } });
    const came = path.reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? (at as { [key: PropertyKey]: unknown })[key] : undefined), value);
    const written = typeof came === "number" ? String(came) : JSON.stringify(came)?.slice(0, 60);
    throw new AppError(
      "CONFIG_RANGE",
      issue.code === "custom" ? issue.message : say("The setting {field} is {written}. {message}.", { field, written: written ?? "missing", message: issue.message }),
      { details: { field } },
    );
  });

/** A graph document from a browser: bounded in depth and size, then checked for its form. What it means is checked when it is trained. */
export const GraphInput = z
  .custom<Graph>((value) => typeof value === "object" && value !== null, "A graph is an object.")
  .transform((value): Graph => {
    const read = readGraph(value);
    if (!("graph" in read))
      throw new AppError(read.code === "GRAPH_TOO_LARGE" ? "GRAPH_TOO_LARGE" : "INPUT_SHAPE", read.message, {
        details: { code: read.code },
      });
    // Depth is bounded by now, so writing it out is safe.
    const sizeBytes = Buffer.byteLength(JSON.stringify(read.graph));
    if (sizeBytes > LIMITS.jsonBytes)
      throw new AppError(
        "GRAPH_TOO_LARGE",
        say("This graph takes {sizeBytes} bytes; the limit is {jsonBytes}. Split it into several models.", { sizeBytes, jsonBytes: LIMITS.jsonBytes }),
      );
    return read.graph;
  });
