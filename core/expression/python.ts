import { BINDING, UNARY_BINDING } from "./parse.ts";

/** What binds less tightly than its place needs parentheses; names, calls and numbers never do. */
const PRIMARY = 100;

/** A piece of Python code that knows when it needs parentheses. In a template it stands as it is. */
export class PyText {
  readonly code: string;
  readonly rank: number;
  /** Of a tensor that is one number: that number as Python has it, for where PyTorch takes either. */
  readonly scalar: PyText | null;

  constructor(code: string, rank = PRIMARY, scalar: PyText | null = null) {
    this.code = code;
    this.rank = rank;
    this.scalar = scalar;
  }

  toString(): string {
    return this.code;
  }

  /** As something that a dot or a bracket may follow. */
  get atom(): string {
    return this.within(PRIMARY);
  }

  /** The number itself where it is one. */
  get plain(): PyText {
    return this.scalar ?? this;
  }

  within(rank: number): string {
    return this.rank < rank ? `(${this.code})` : this.code;
  }

  static number(value: number, isWhole: boolean): PyText {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? new PyText(`float("nan")`) : new PyText(`float("${value < 0 ? "-" : ""}inf")`);
    const text = isWhole || !Number.isInteger(value) || Math.abs(value) >= 1e21 ? String(value) : value.toFixed(1);
    return new PyText(text, value < 0 || Object.is(value, -0) ? UNARY_BINDING : PRIMARY);
  }

  static binary(left: PyText, operator: string, right: PyText): PyText {
    const rank = BINDING[operator] ?? PRIMARY;
    // Comparisons do not chain, ** binds from the right, all others from the left.
    const [before, after] = operator === "**" ? [rank + 1, UNARY_BINDING] : rank === 10 ? [rank + 1, rank + 1] : [rank, rank + 1];
    return new PyText(`${left.within(before)} ${operator} ${right.within(after)}`, rank);
  }

  static unary(operator: string, operand: PyText): PyText {
    return new PyText(`${operator}${operand.within(UNARY_BINDING)}`, UNARY_BINDING);
  }
}
