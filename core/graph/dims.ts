import type { Dim, Shape } from "./shape.ts";

/**
 * Arithmetic on sizes that may be symbols. Every result is in normal form, a polynomial over symbols and `floor(…/k)` with
 * whole coefficients, so that equal sizes are equal text: `T` through a padded convolution of stride 1 is still `T`.
 */

/** Coefficients by monomial; a monomial is its sorted atoms joined by `SEPARATOR`, the constant's is "". */
type Polynomial = Map<string, number>;
const SEPARATOR = "\u0000";

/** a + b */
export function add(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return print(sum(parse(a), parse(b), 1));
}

/** a − b */
export function subtract(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return print(sum(parse(a), parse(b), -1));
}

/** a · b */
export function multiply(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  return print(product(parse(a), parse(b)));
}

/** ⌊a / k⌋ for a whole k ≥ 1. */
export function floorDivide(a: Dim, k: number): Dim {
  if (typeof a === "number") return Math.floor(a / k);
  return print(quotient(parse(a), k));
}

/** How many numbers a tensor of this shape holds. */
export function countElements(shape: Shape): Dim {
  return shape.reduce<Dim>(multiply, 1);
}

/** The size when every symbol is `symbol`; never below 1, since a size that a run accepts is not. */
export function evaluate(dim: Dim, symbol: number): number {
  if (typeof dim === "number") return dim;
  // Most are the batch alone.
  return Math.max(1, dim.length === 1 ? symbol : evaluatePolynomial(parse(dim), () => symbol));
}

/** The size where these symbols are so large; as it is where one of its symbols is not among them. */
export function bind(dim: Dim, sizes: { readonly [symbol: string]: number }): Dim {
  if (typeof dim === "number") return dim;
  const size = evaluatePolynomial(parse(dim), (symbol) => sizes[symbol] ?? Number.NaN);
  return Number.isNaN(size) ? dim : size;
}

/** One summand of a size: a whole number times symbols and floors. */
export type DimTerm = { coefficient: number; factors: (string | { numerator: Dim; divisor: number })[] };

/** A size as the sum that it is. */
export function termsOf(dim: Dim): DimTerm[] {
  return [...parse(dim)].map(([monomial, coefficient]) => ({ coefficient, factors: atomsOf(monomial).map((atom) => readFloor(atom) ?? atom) }));
}

/** Whether every size is a number. */
export function isStatic(shape: Shape): shape is number[] {
  return shape.every((dim) => typeof dim === "number");
}

function sum(a: Polynomial, b: Polynomial, sign: 1 | -1): Polynomial {
  const result = new Map(a);
  for (const [monomial, c] of b) accumulate(result, monomial, sign * c);
  return result;
}

function product(a: Polynomial, b: Polynomial): Polynomial {
  const result: Polynomial = new Map();
  for (const [m, c] of a) {
    for (const [n, d] of b) accumulate(result, [...atomsOf(m), ...atomsOf(n)].sort().join(SEPARATOR), c * d);
  }
  return result;
}

function quotient(a: Polynomial, k: number): Polynomial {
  if (k === 1) return a;
  // Symbols stand for whole numbers, so whole multiples of k leave the floor: ⌊(kq + r)/k⌋ = q + ⌊r/k⌋.
  const whole: Polynomial = new Map();
  const rest: Polynomial = new Map();
  for (const [monomial, c] of a) {
    const q = Math.floor(c / k);
    accumulate(whole, monomial, q);
    accumulate(rest, monomial, c - q * k);
  }
  let constant = rest.get("") ?? 0;
  const variable = [...rest].filter(([monomial]) => monomial !== "");
  if (variable.length === 0) return whole;
  const common = variable.reduce((g, [, c]) => greatestCommonDivisor(g, c), k);
  if (common > 1) {
    // ⌊(gA + c)/gk⌋ = ⌊(A + ⌊c/g⌋)/k⌋
    constant = Math.floor(constant / common);
    const reduced: Polynomial = new Map(variable.map(([monomial, c]) => [monomial, c / common]));
    accumulate(reduced, "", constant);
    return sum(whole, quotient(reduced, k / common), 1);
  }
  const only = variable[0];
  const inner = variable.length === 1 && only && only[1] === 1 ? readFloor(only[0]) : undefined;
  if (inner) {
    // ⌊(⌊A/m⌋ + c)/k⌋ = ⌊(A + c·m)/(m·k)⌋
    const flat = sum(parse(inner.numerator), new Map([["", constant * inner.divisor]]), 1);
    return sum(whole, quotient(flat, inner.divisor * k), 1);
  }
  return sum(whole, new Map([[printFloor(print(rest), k), 1]]), 1);
}

function printFloor(numerator: Dim, divisor: number): string {
  return `floor(${/^\w+$/.test(String(numerator)) ? numerator : `(${numerator})`}/${divisor})`;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function accumulate(polynomial: Polynomial, monomial: string, c: number): void {
  const next = (polynomial.get(monomial) ?? 0) + c;
  if (next === 0) polynomial.delete(monomial);
  else polynomial.set(monomial, next);
}

function atomsOf(monomial: string): string[] {
  return monomial === "" ? [] : monomial.split(SEPARATOR);
}

function readFloor(atom: string): { numerator: string; divisor: number } | undefined {
  const match = /^floor\((.*)\/(\d+)\)$/.exec(atom);
  if (!match || atom.includes(SEPARATOR)) return undefined;
  const [, numerator = "", divisor = ""] = match;
  return { numerator: numerator.startsWith("(") ? numerator.slice(1, -1) : numerator, divisor: Number(divisor) };
}

function print(polynomial: Polynomial): Dim {
  if (polynomial.size === 0) return 0;
  if (polynomial.size === 1 && polynomial.has("")) return polynomial.get("") ?? 0;
  if (polynomial.size === 2 && polynomial.has("")) {
    // A lone floor reads better with its constant inside; `parse` takes it out again.
    const [atom = "", c] = [...polynomial].find(([monomial]) => monomial !== "") ?? [];
    const floor = c === 1 ? readFloor(atom) : undefined;
    if (floor) return printFloor(print(sum(parse(floor.numerator), new Map([["", (polynomial.get("") ?? 0) * floor.divisor]]), 1)), floor.divisor);
  }
  const terms = [...polynomial].sort(([m], [n]) => atomsOf(n).length - atomsOf(m).length || (m < n ? -1 : 1));
  let text = "";
  for (const [monomial, c] of terms) {
    const atoms = atomsOf(monomial).join("*");
    const size = Math.abs(c);
    const body = atoms === "" ? String(size) : size === 1 ? atoms : `${size}*${atoms}`;
    text += c < 0 ? `-${body}` : text === "" ? body : `+${body}`;
  }
  return text;
}

function evaluatePolynomial(polynomial: Polynomial, sizeOf: (symbol: string) => number): number {
  let total = 0;
  for (const [monomial, c] of polynomial) {
    let term = c;
    for (const atom of atomsOf(monomial)) {
      const floor = readFloor(atom);
      term *= floor ? Math.floor(evaluatePolynomial(parse(floor.numerator), sizeOf) / floor.divisor) : sizeOf(atom);
    }
    total += term;
  }
  return total;
}

const parsed = new Map<string, Polynomial>();

/** Reads what `print` wrote, or a plain symbol. */
function parse(dim: Dim): Polynomial {
  if (typeof dim === "number") return dim === 0 ? new Map() : new Map([["", dim]]);
  let polynomial = parsed.get(dim);
  if (!polynomial) {
    polynomial = new Map();
    for (const { sign, text } of splitTerms(dim)) {
      let term: Polynomial = new Map([["", sign]]);
      for (const factor of splitOutside(text, "*")) {
        const floor = readFloor(factor);
        term = product(term, floor ? quotient(parse(floor.numerator), floor.divisor) : /^\d+$/.test(factor) ? new Map([["", Number(factor)]]) : new Map([[factor, 1]]));
      }
      polynomial = sum(polynomial, term, 1);
    }
    if (parsed.size >= 1000) parsed.clear();
    parsed.set(dim, polynomial);
  }
  return polynomial;
}

function splitTerms(text: string): { sign: number; text: string }[] {
  return splitOutside(text.replaceAll(/(?<=[\w)])-/g, "+-"), "+").map((term) => (term.startsWith("-") ? { sign: -1, text: term.slice(1) } : { sign: 1, text: term }));
}

/** Splits at `mark` where no parenthesis is open. */
function splitOutside(text: string, mark: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "(") depth++;
    else if (c === ")") depth--;
    else if (c === mark && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}
