import { say } from "../language/say.ts";

/**
 * Reads expressions in Python's syntax: names, numbers, operators, calls, methods, slices, tuples, and statements `h = …`.
 * Nothing is ever run; the tree goes to `evaluate.ts`.
 */

/** A stretch of the text, by offsets. */
export type Span = { start: number; end: number };

/** What is wrong with a text, and where. `line` and `column` count from 1. */
export type ExpressionProblem = Span & {
  message: string;
  line: number;
  column: number;
  /** As for a graph's problems: GRAPH_PARAM what is written, GRAPH_SHAPE and GRAPH_DTYPE what arrives. */
  code: "GRAPH_PARAM" | "GRAPH_SHAPE" | "GRAPH_DTYPE";
  hint?: string;
};

/** Thrown inside this folder only; what it exports gives problems back as values. */
export class ExpressionError extends Error {
  readonly span: Span;
  readonly code: ExpressionProblem["code"];
  readonly hint?: string;

  constructor(message: string, span: Span, code: ExpressionProblem["code"] = "GRAPH_PARAM", hint?: string) {
    super(message);
    this.name = "ExpressionError";
    this.span = span;
    this.code = code;
    this.hint = hint;
  }
}

/** The problem that an error says of this text; an error of another kind is thrown on. */
export function problemOf(error: unknown, text: string): ExpressionProblem {
  if (!(error instanceof ExpressionError)) throw error;
  const { span, message, code, hint } = error;
  const before = text.slice(0, span.start).split("\n");
  return { message, code, hint, ...span, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

export type BinaryOperator = "+" | "-" | "*" | "/" | "//" | "%" | "**" | "@" | "&" | "|" | "^" | "==" | "!=" | "<" | "<=" | ">" | ">=";
export type UnaryOperator = "-" | "+" | "~";

export type Argument = { name: string | null; value: Ast; span: Span };

export type Ast = { span: Span } & (
  | { kind: "number"; value: number; isWhole: boolean }
  | { kind: "text"; value: string }
  /** `qualified`: written as `np.pi`, so it is never an input. */
  | { kind: "name"; name: string; qualified: boolean }
  | { kind: "constant"; value: true | false | null | "..." }
  | { kind: "tuple"; items: Ast[] }
  | { kind: "unary"; operator: UnaryOperator; operand: Ast }
  | { kind: "binary"; operator: BinaryOperator; left: Ast; right: Ast }
  | { kind: "call"; name: string; nameSpan: Span; args: Argument[] }
  | { kind: "method"; object: Ast; name: string; nameSpan: Span; args: Argument[] }
  | { kind: "attribute"; object: Ast; name: string }
  | { kind: "index"; object: Ast; items: IndexItem[] }
);

export type IndexItem = { kind: "item"; value: Ast } | { kind: "range"; start: Ast | null; stop: Ast | null; step: Ast | null; span: Span };

/** `targets` is empty for a bare expression, which only the last statement may be. */
export type Statement = { targets: { name: string; span: Span }[]; value: Ast };

export const LIMITS = {
  /** Letters of a text. */
  length: 4000,
  /** Brackets and operators within each other. */
  depth: 64,
  /** Nodes of the tree. */
  nodes: 1000,
  statements: 100,
  inputs: 16,
  outputs: 16,
} as const;

/** Modules whose functions may be written with their prefix; it is read over. */
const MODULES = new Set(["np", "numpy", "torch", "F", "math", "scipy"]);
const SUBMODULES = new Set(["linalg", "nn", "functional", "special"]);

/** Words that mean something by themselves and are never inputs. */
export const RESERVED: ReadonlySet<string> = new Set(
  (
    "True False None newaxis pi inf nan float int bool float32 int64 long float64 double float16 half bfloat16 int32 uint8 bool_ np numpy torch math scipy " +
    "and or not if else for while in is lambda def return import from class del pass with as try except global assert yield"
  ).split(" "),
);

const KEYWORD_HINTS: { [word: string]: string } = {
  and: say("Write & between conditions, each in parentheses: (x > 0) & (x < 1)."),
  or: say("Write | between conditions, each in parentheses: (x < 0) | (x > 1)."),
  not: say("Write ~ before a condition: ~(x > 0)."),
  if: say("Write where(condition, a, b): it picks number by number."),
  else: say("Write where(condition, a, b): it picks number by number."),
  for: "Operations work on whole tensors; a Repeat or ForEach node loops.",
  while: "Operations work on whole tensors; a While node loops.",
  return: "The last line is the result; write it without return.",
  import: say("The functions are there without an import."),
  from: say("The functions are there without an import."),
  lambda: say("Write the formula itself."),
  def: "Write the formula itself; lines such as h = tanh(x) may stand before it.",
};

type Token = Span & { kind: "number" | "text" | "name" | "symbol" | "newline" | "end"; text: string };

const SYMBOLS = [
  "...",
  "**=",
  "//=",
  "**",
  "//",
  "==",
  "!=",
  "<=",
  ">=",
  "<<",
  ">>",
  "->",
  ":=",
  "+=",
  "-=",
  "*=",
  "/=",
  "@=",
  "%=",
  "&=",
  "|=",
  "^=",
  ..."+-*/%@&|^~<>=()[]{},:.;",
];
const NUMBER = /(?:\d[\d_]*\.?(?:\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const NAME = /[\p{L}_][\p{L}\p{N}_]*/uy;

/** Splits a text into tokens. Newlines count only outside brackets. */
function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  const open: string[] = [];
  let at = 0;
  const push = (kind: Token["kind"], end: number) => {
    tokens.push({ kind, text: text.slice(at, end), start: at, end });
    at = end;
  };
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0] ?? null;
  };
  while (at < text.length) {
    const letter = text[at] ?? "";
    if (letter === "\n") {
      if (open.length === 0) push("newline", at + 1);
      else at++;
      continue;
    }
    if (/\s/.test(letter)) {
      at++;
      continue;
    }
    if (letter === "#") {
      while (at < text.length && text[at] !== "\n") at++;
      continue;
    }
    const number = match(NUMBER);
    if (number !== null) {
      push("number", at + number.length);
      const tail = match(NAME);
      if (tail !== null)
        throw new ExpressionError(say("“{value}” is no number; names begin with a letter.", { value: shorten(number + tail) }), {
          start: at - number.length,
          end: at + tail.length,
        });
      continue;
    }
    const name = match(NAME);
    if (name !== null) {
      push("name", at + name.length);
      continue;
    }
    if (letter === '"' || letter === "'") {
      const end = text.indexOf(letter, at + 1);
      const line = text.indexOf("\n", at);
      if (end < 0 || (line >= 0 && line < end)) throw new ExpressionError(say("The quote {letter} is not closed.", { letter }), { start: at, end: at + 1 });
      push("text", end + 1);
      continue;
    }
    const symbol = SYMBOLS.find((symbol) => text.startsWith(symbol, at));
    if (symbol === undefined)
      throw new ExpressionError(say("“{value}” means nothing here.", { value: String.fromCodePoint(text.codePointAt(at) ?? 0) }), { start: at, end: at + 1 });
    if ("([".includes(symbol)) open.push(symbol);
    else if (")]".includes(symbol)) open.pop();
    push(symbol === ";" ? "newline" : "symbol", at + symbol.length);
  }
  tokens.push({ kind: "end", text: "", start: text.length, end: text.length });
  return tokens;
}

/** How tightly operators bind, loosest first, as in Python. */
export const BINDING: { [operator: string]: number } = {
  "==": 10,
  "!=": 10,
  "<": 10,
  "<=": 10,
  ">": 10,
  ">=": 10,
  "|": 20,
  "^": 30,
  "&": 40,
  "+": 60,
  "-": 60,
  "*": 70,
  "/": 70,
  "//": 70,
  "%": 70,
  "@": 70,
  "**": 90,
};
/** Minus and not bind more tightly than products, less than powers. */
export const UNARY_BINDING = 80;

class Parser {
  private at = 0;
  private depth = 0;
  private nodeCount = 0;
  private readonly tokens: Token[];

  constructor(tokens: Token[]) {
    this.tokens = tokens;
  }

  program(): Statement[] {
    const statements: Statement[] = [];
    this.skipLines();
    while (this.peek().kind !== "end") {
      if (statements.length >= LIMITS.statements) this.fail(say("An expression has at most {statements} lines.", { statements: LIMITS.statements }));
      statements.push(this.statement());
      const next = this.peek();
      if (next.kind === "newline") this.skipLines();
      else if (next.kind !== "end") this.unexpected("an operator or the end of the line");
    }
    const last = statements.at(-1);
    if (!last) this.fail(say("Write a formula such as x * sigmoid(x)."));
    const idle = statements.slice(0, -1).find(({ targets }) => targets.length === 0);
    if (idle)
      throw new ExpressionError(say("The result of this line is used by nothing; only the last line is the result."), idle.value.span, "GRAPH_PARAM", say("Give it a name: h = …"));
    return statements;
  }

  private statement(): Statement {
    const first = this.tuple();
    const sign = this.peek();
    if (sign.kind === "symbol" && /^(\*\*|\/\/|[-+*/@%&|^])=$/.test(sign.text))
      this.fail(
        first.kind === "name"
          ? say("Write {name} = {name} {text} … instead of {text2}.", { name: first.name, text: sign.text.slice(0, -1), text2: sign.text })
          : say("Write x = x {text} … instead of {text2}.", { text: sign.text.slice(0, -1), text2: sign.text }),
      );
    if (sign.text !== "=" || sign.kind !== "symbol") return { targets: [], value: first };
    const targets = (first.kind === "tuple" ? first.items : [first]).map((target) => {
      if (target.kind !== "name" || target.qualified) throw new ExpressionError(say("A name must stand before the =."), target.span);
      if (RESERVED.has(target.name)) throw new ExpressionError(say("{name} already means something; take another name.", { name: target.name }), target.span);
      return { name: target.name, span: target.span };
    });
    if (targets.length === 0) throw new ExpressionError(say("A name must stand before the =."), first.span);
    this.next();
    const value = this.tuple();
    if (this.is("=")) this.fail(say("One = a line, please."));
    return { targets, value };
  }

  /** An expression, or several with commas between. */
  private tuple(): Ast {
    const first = this.expression();
    if (!this.is(",")) return first;
    const items = [first];
    while (this.is(",")) {
      this.next();
      if (this.startsNothing()) break;
      items.push(this.expression());
    }
    return this.made({ kind: "tuple", items, span: { start: first.span.start, end: items.at(-1)?.span.end ?? first.span.end } });
  }

  private startsNothing(): boolean {
    const { kind, text } = this.peek();
    return kind === "end" || kind === "newline" || (kind === "symbol" && [")", "]", "=", ":"].includes(text));
  }

  expression(loosest = 0): Ast {
    if (++this.depth > LIMITS.depth) this.fail(say("Brackets and operators are nested deeper than {depth}.", { depth: LIMITS.depth }), "Name parts on lines of their own: h = …");
    let left = this.prefix();
    let compared = false;
    for (;;) {
      const token = this.peek();
      if (token.kind === "name" && Object.hasOwn(KEYWORD_HINTS, token.text)) this.fail(say("“{text}” cannot stand here.", { text: token.text }), KEYWORD_HINTS[token.text]);
      if (token.kind !== "symbol") break;
      if (token.text === "<<" || token.text === ">>") this.fail(say("Bits cannot be shifted here."), say("Multiply by a power of two."));
      const binding = Object.hasOwn(BINDING, token.text) ? (BINDING[token.text] ?? 0) : 0;
      if (binding <= loosest) break;
      if (binding === 10) {
        if (compared) this.fail(say("Comparisons cannot be chained."), say("Write (0 < x) & (x < 1)."));
        compared = true;
      }
      this.next();
      // 2 ** -x: the sign belongs to the exponent, which reaches to the right.
      const right = this.expression(token.text === "**" ? UNARY_BINDING : binding);
      left = this.made({ kind: "binary", operator: token.text as BinaryOperator, left, right, span: { start: left.span.start, end: right.span.end } });
    }
    this.depth--;
    return left;
  }

  private prefix(): Ast {
    const token = this.peek();
    if (token.kind === "symbol" && ["-", "+", "~"].includes(token.text)) {
      this.next();
      const operand = this.expression(UNARY_BINDING);
      return this.made({ kind: "unary", operator: token.text as UnaryOperator, operand, span: { start: token.start, end: operand.span.end } });
    }
    return this.postfix(this.primary());
  }

  private primary(): Ast {
    const token = this.peek();
    if (!["number", "text", "name"].includes(token.kind) && !(token.kind === "symbol" && ["...", "(", "["].includes(token.text))) this.unexpected("a name, a number or a bracket");
    this.next();
    const span = { start: token.start, end: token.end };
    if (token.kind === "number") {
      const digits = token.text.replaceAll("_", "");
      const value = Number(digits);
      const isWhole = /^\d+$/.test(digits);
      if (isWhole && value > Number.MAX_SAFE_INTEGER) throw new ExpressionError(say("This whole number is too large."), span);
      return this.made({ kind: "number", value, isWhole, span });
    }
    if (token.kind === "text") return this.made({ kind: "text", value: token.text.slice(1, -1), span });
    if (token.kind === "name") return this.name(token);
    if (token.text === "...") return this.made({ kind: "constant", value: "...", span });
    const close = token.text === "(" ? ")" : "]";
    const items: Ast[] = [];
    let commas = 0;
    while (!this.is(close)) {
      items.push(this.expression());
      if (!this.is(",")) break;
      this.next();
      commas++;
    }
    this.close(close, token);
    const whole = { start: token.start, end: this.last().end };
    const [only] = items;
    // The span of a bracketed expression reaches over its brackets.
    if (close === ")" && commas === 0 && only) return { ...only, span: whole };
    return this.made({ kind: "tuple", items, span: whole });
  }

  private name(token: Token): Ast {
    let { text, start, end } = token;
    let qualified = false;
    if (MODULES.has(text) && this.is(".")) {
      do {
        this.next();
        ({ text, end } = this.takeName("the name of a function"));
      } while (SUBMODULES.has(text) && this.is("."));
      qualified = true;
    } else if (text === "F") {
      // `F` alone is an input like any other name.
    } else if (MODULES.has(text)) {
      throw new ExpressionError(say("{text} is a module; one of its functions must follow, as in {text}.exp(x).", { text }), { start, end });
    }
    const span = { start: token.start, end };
    if (this.is("(")) return this.made({ kind: "call", name: text, nameSpan: span, args: this.args(), span: { start: token.start, end: this.last().end } });
    if (text === "True" || text === "False") return this.made({ kind: "constant", value: text === "True", span });
    if (text === "None" || text === "newaxis") return this.made({ kind: "constant", value: null, span });
    if (Object.hasOwn(KEYWORD_HINTS, text)) throw new ExpressionError(say("“{text}” cannot stand here.", { text }), span, "GRAPH_PARAM", KEYWORD_HINTS[text]);
    return this.made({ kind: "name", name: text, qualified, span });
  }

  private postfix(start: Ast): Ast {
    let object = start;
    // Chains such as x.a().b().c() nest to the left; their length counts as depth too.
    for (let length = 0; ; length++) {
      if (length > LIMITS.depth) this.fail(say("More than {depth} steps in a row.", { depth: LIMITS.depth }), "Name parts on lines of their own: h = …");
      const from = object.span.start;
      if (this.is(".")) {
        this.next();
        const token = this.takeName("the name of a method");
        const nameSpan = { start: token.start, end: token.end };
        object = this.is("(")
          ? this.made({ kind: "method", object, name: token.text, nameSpan, args: this.args(), span: { start: from, end: this.last().end } })
          : this.made({ kind: "attribute", object, name: token.text, span: { start: from, end: token.end } });
      } else if (this.is("[")) {
        const open = this.next();
        const items: IndexItem[] = [];
        while (!this.is("]")) {
          items.push(this.indexItem());
          if (!this.is(",")) break;
          this.next();
        }
        if (items.length === 0) this.unexpected("an index or a range");
        this.close("]", open);
        object = this.made({ kind: "index", object, items, span: { start: from, end: this.last().end } });
      } else if (this.is("(")) {
        this.fail(say("Only functions can be called."), say("Write * between factors."));
      } else return object;
    }
  }

  private indexItem(): IndexItem {
    const from = this.peek().start;
    const bounds: (Ast | null)[] = [];
    let colons = 0;
    for (;;) {
      bounds[colons] = this.is(":") || this.is(",") || this.is("]") ? null : this.expression();
      if (!this.is(":")) break;
      if (++colons > 2) this.fail(say("A range is start:stop:step, with at most two colons."));
      this.next();
    }
    const [start = null, stop = null, step = null] = bounds;
    if (colons > 0) return { kind: "range", start, stop, step, span: { start: from, end: this.last().end } };
    return start === null ? this.unexpected("an index or a range") : { kind: "item", value: start };
  }

  private args(): Argument[] {
    const open = this.next();
    const args: Argument[] = [];
    while (!this.is(")")) {
      const token = this.peek();
      const after = this.tokens[this.at + 1];
      if (token.kind === "name" && after?.kind === "symbol" && after.text === "=") {
        this.next();
        this.next();
        const value = this.expression();
        if (args.some(({ name }) => name === token.text)) throw new ExpressionError(say("{text} is given twice.", { text: token.text }), token);
        args.push({ name: token.text, value, span: { start: token.start, end: value.span.end } });
      } else {
        if (this.is("*") || this.is("**")) this.fail(say("Write the arguments out one by one."));
        const value = this.expression();
        if (args.some(({ name }) => name !== null)) throw new ExpressionError(say("Arguments without a name come first."), value.span);
        args.push({ name: null, value, span: value.span });
      }
      if (!this.is(",")) break;
      this.next();
    }
    this.close(")", open);
    return args;
  }

  private close(bracket: string, open: Token): void {
    if (this.is(bracket)) {
      this.next();
      return;
    }
    const token = this.peek();
    if (token.kind === "end") throw new ExpressionError(say("The bracket {text} is not closed.", { text: open.text }), open);
    this.unexpected(`, or ${bracket}`);
  }

  private made(ast: Ast): Ast {
    if (++this.nodeCount > LIMITS.nodes) throw new ExpressionError(say("An expression has at most {nodes} parts.", { nodes: LIMITS.nodes }), ast.span);
    return ast;
  }

  private is(symbol: string): boolean {
    const { kind, text } = this.peek();
    return kind === "symbol" && text === symbol;
  }

  private peek(): Token {
    const token = this.tokens[this.at];
    if (!token) throw new Error("The last token is the end.");
    return token;
  }

  private next(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.at++;
    return token;
  }

  private takeName(wanted: string): Token {
    return this.peek().kind === "name" ? this.next() : this.unexpected(wanted);
  }

  private last(): Token {
    return this.tokens[this.at - 1] ?? this.peek();
  }

  private skipLines(): void {
    while (this.peek().kind === "newline") this.at++;
  }

  private unexpected(wanted: string): never {
    const { kind, text } = this.peek();
    const found = kind === "end" ? "the text ends" : kind === "newline" ? "the line ends" : `“${shorten(text)}” stands`;
    return this.fail(say("Here should be {wanted}, but {found}.", { wanted, found }));
  }

  private fail(message: string, hint?: string): never {
    const { start, end } = this.peek();
    throw new ExpressionError(message, { start, end }, "GRAPH_PARAM", hint);
  }
}

function shorten(text: string): string {
  return text.length > 24 ? `${text.slice(0, 24)}…` : text;
}

/** @throws ExpressionError */
export function parse(text: string): Statement[] {
  if (text.length > LIMITS.length)
    throw new ExpressionError(say("An expression has at most {length} letters; this one has {length2}.", { length: LIMITS.length, length2: text.length }), {
      start: LIMITS.length,
      end: text.length,
    });
  return new Parser(tokenize(text)).program();
}

/** The parts of a tree node, in the order in which they are written. */
export function partsOf(ast: Ast): Ast[] {
  switch (ast.kind) {
    case "number":
    case "text":
    case "name":
    case "constant":
      return [];
    case "tuple":
      return ast.items;
    case "unary":
      return [ast.operand];
    case "binary":
      return [ast.left, ast.right];
    case "call":
      return ast.args.map(({ value }) => value);
    case "method":
      return [ast.object, ...ast.args.map(({ value }) => value)];
    case "attribute":
      return [ast.object];
    case "index":
      return [ast.object, ...ast.items.flatMap((item) => (item.kind === "item" ? [item.value] : [item.start, item.stop, item.step].flatMap((bound) => bound ?? [])))];
  }
}

/** The names a text reads before it gives them a value itself, in order of first use. */
export function freeNames(statements: readonly Statement[]): { name: string; span: Span }[] {
  const known = new Set<string>();
  const found = new Map<string, Span>();
  const visit = (ast: Ast): void => {
    if (ast.kind === "name") {
      if (!ast.qualified && !known.has(ast.name) && !RESERVED.has(ast.name) && !found.has(ast.name)) found.set(ast.name, ast.span);
    } else for (const part of partsOf(ast)) visit(part);
  };
  for (const { targets, value } of statements) {
    visit(value);
    for (const { name } of targets) known.add(name);
  }
  return [...found].map(([name, span]) => ({ name, span }));
}

/** The names that seem to be inputs in a text that cannot be parsed, so that its wires stay while a person types. */
export function guessNames(text: string): string[] {
  const plain = text.slice(0, LIMITS.length).replaceAll(/#.*|"[^"\n]*"|'[^'\n]*'/g, " ");
  const names = new Set<string>();
  const known = new Set<string>();
  for (const match of plain.matchAll(/[\p{L}_][\p{L}\p{N}_]*/gu)) {
    const [name] = match;
    const before = plain.slice(0, match.index).trimEnd().at(-1);
    const after = plain.slice(match.index + name.length).trimStart();
    if (before === "." || /[\d]$/.test(plain.slice(0, match.index)) || after.startsWith("(") || RESERVED.has(name)) continue;
    if (name === "F" && after.startsWith(".")) continue;
    // A keyword of a call, or a name that gets its value here.
    if (/^=(?!=)/.test(after)) known.add(name);
    else if (!known.has(name)) names.add(name);
  }
  return [...names].slice(0, LIMITS.inputs);
}
