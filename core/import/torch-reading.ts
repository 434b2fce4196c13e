import type { Drawing, Wire } from "./drawing.ts";
import type { Expr, Statement } from "./python.ts";
import type { Scope, Value } from "./torch-values.ts";

/** How a statement ended. */
export type Done = { kind: "next" | "break" | "continue" } | { kind: "return"; value: Value };
export const NEXT: Done = { kind: "next" };

/** A reading of a model's code under way, as its parts see it. */
export type Reading = {
  /** What is drawn in at hand: the model, or the block of one of its modules. */
  drawing: Drawing;
  /** The ids of the blocks around the drawing at hand. */
  readonly path: string[];
  /** The tensors that the drawing at hand is given. */
  inputs: Wire[];
  /** Lines that could not be read, and why. */
  readonly problems: Map<number, string>;
  /** The line at hand. */
  readonly line: number;
  /**
   * The value of an expression.
   * @throws Poisoned where it was made of what could not be read.
   */
  evaluate(expr: Expr, scope: Scope): Value;
  call(called: Value, args: Value[], named: Map<string, Value>): Value;
  block(body: Statement[], scope: Scope): Done;
  /**
   * Counts a step.
   * @throws Unreadable with `why`, at `line` where one is said, when there were too many.
   */
  count(why: string, line?: number): void;
};

export class Unreadable extends Error {
  readonly line: number | null;
  constructor(why: string, line: number | null = null) {
    super(why);
    this.line = line;
  }
}

/** Something made of what could not be read: no news. */
export class Poisoned extends Error {}
