import { say } from "../language/say.ts";

/**
 * Reads the part of Python in which people write `nn.Module` classes: classes, functions, assignments, if, for, return, with, and
 * expressions. Gives a tree; nothing is ever run by being read. Where a statement cannot be read, it says so and goes on with the next.
 */

export type Expr = { line: number } & (
  | { kind: "number"; value: number; isFloat: boolean }
  | { kind: "text"; value: string }
  | { kind: "constant"; value: true | false | null | "..." }
  | { kind: "name"; name: string }
  | { kind: "sequence"; type: "tuple" | "list"; items: Expr[] }
  | { kind: "dict"; entries: [Expr, Expr][] }
  | { kind: "attribute"; object: Expr; name: string }
  | { kind: "call"; callee: Expr; args: Argument[] }
  | { kind: "index"; object: Expr; items: SliceItem[] /** Written with a comma. */; isTuple: boolean }
  | { kind: "unary"; operator: "-" | "+" | "~" | "not"; operand: Expr }
  | { kind: "binary"; operator: string; left: Expr; right: Expr }
  | { kind: "compare"; first: Expr; rest: { operator: string; operand: Expr }[] }
  | { kind: "logic"; operator: "and" | "or"; left: Expr; right: Expr }
  | { kind: "choice"; condition: Expr; then: Expr; otherwise: Expr }
  | { kind: "comprehension"; element: Expr; loops: { target: Expr; source: Expr; conditions: Expr[] }[] }
  | { kind: "starred"; value: Expr }
  | { kind: "lambda"; parameters: Parameter[]; body: Expr }
);

export type Argument = { name: string | null; star: "" | "*" | "**"; value: Expr };
export type SliceItem = Expr | { kind: "slice"; line: number; start: Expr | null; stop: Expr | null; step: Expr | null };
export type Parameter = { name: string; star: "" | "*" | "**"; fallback: Expr | null };

export type Statement = { line: number } & (
  | { kind: "class"; name: string; bases: Expr[]; body: Statement[] }
  | { kind: "function"; name: string; parameters: Parameter[]; body: Statement[]; decorators: Expr[] }
  | { kind: "assign"; targets: Expr[]; value: Expr }
  | { kind: "augment"; target: Expr; operator: string; value: Expr }
  | { kind: "if"; branches: { condition: Expr | null; body: Statement[] }[] }
  | { kind: "for"; target: Expr; source: Expr; body: Statement[] }
  | { kind: "while"; condition: Expr; body: Statement[] }
  | { kind: "with"; contexts: Expr[]; body: Statement[] }
  | { kind: "return"; value: Expr | null }
  | { kind: "expression"; value: Expr }
  | { kind: "import"; names: { path: string; alias: string }[] }
  | { kind: "pass" | "break" | "continue" }
  | { kind: "raise" }
  | { kind: "assert"; condition: Expr }
  | { kind: "unreadable"; why: string }
);

/** Brackets within brackets; deeper text is not code that people write. */
const DEPTH = 64;

class SyntaxProblem extends Error {
  readonly line: number;
  constructor(line: number, why: string) {
    super(why);
    this.line = line;
  }
}

type Token = { type: "name" | "number" | "text" | "operator" | "newline" | "indent" | "dedent" | "end" | "bad"; text: string; line: number; value?: string };

const OPERATORS = ["**=", "//=", ">>=", "<<=", "...", "->", ":=", "+=", "-=", "*=", "/=", "%=", "@=", "&=", "|=", "^=", "**", "//", "==", "!=", "<=", ">=", "<<", ">>"];
const SINGLE = "+-*/%@&|^~<>()[]{},:.=;";

/** Splits code into tokens, with indentation as tokens of its own. */
function tokenize(code: string): Token[] {
  const tokens: Token[] = [];
  const indents = [0];
  let line = 1;
  let at = 0;
  let brackets = 0;
  let isLineStart = true;
  const push = (type: Token["type"], text: string, value?: string) => tokens.push({ type, text, line, value });
  while (at < code.length) {
    if (isLineStart && brackets === 0) {
      let width = 0;
      while (code[at] === " " || code[at] === "\t") width += code[at++] === "\t" ? 8 - (width % 8) : 1;
      const next = code[at];
      if (next === undefined) break;
      isLineStart = false;
      if (next !== "\n" && next !== "\r" && next !== "#") {
        if (width > (indents.at(-1) ?? 0)) {
          indents.push(width);
          push("indent", "");
        }
        while (width < (indents.at(-1) ?? 0)) {
          indents.pop();
          push("dedent", "");
        }
      }
    }
    const c = code[at] ?? "";
    if (c === "\n") {
      if (brackets === 0 && tokens.at(-1)?.type !== "newline" && tokens.length > 0 && tokens.at(-1)?.type !== "dedent") push("newline", "");
      line++;
      at++;
      isLineStart = true;
    } else if (c === " " || c === "\t" || c === "\r" || c === "\f") at++;
    else if (c === "#") while (at < code.length && code[at] !== "\n") at++;
    else if (c === "\\" && /^\\\r?\n/.test(code.slice(at, at + 3))) {
      at += code[at + 1] === "\r" ? 3 : 2;
      line++;
    } else {
      const rest = code.slice(at, at + 400);
      const text = /^([rRbBuUfF]{0,2})("""|'''|"|')/.exec(rest);
      const name = /^[\p{L}_][\p{L}\p{N}_]*/u.exec(rest);
      const number = /^(?:0[xX][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/.exec(rest);
      if (text) {
        const { end, value, lines } = readText(code, at + text[0].length, text[2] ?? "'");
        // Texts with values inside are kept, marked, so that only their use is a problem.
        push(/f/i.test(text[1] ?? "") && value.includes("{") ? "bad" : "text", code.slice(at, end), value);
        line += lines;
        at = end;
      } else if (name) {
        push("name", name[0]);
        at += name[0].length;
      } else if (number) {
        push("number", number[0].replaceAll("_", ""));
        at += number[0].length;
      } else {
        const operator = OPERATORS.find((operator) => rest.startsWith(operator)) ?? (SINGLE.includes(c) ? c : undefined);
        if (!operator) {
          push("bad", c);
          at++;
          continue;
        }
        if ("([{".includes(operator)) brackets++;
        else if (")]}".includes(operator)) brackets = Math.max(0, brackets - 1);
        push("operator", operator);
        at += operator.length;
      }
    }
  }
  if (tokens.at(-1)?.type !== "newline") push("newline", "");
  while (indents.length > 1) {
    indents.pop();
    push("dedent", "");
  }
  push("end", "");
  return tokens;
}

function readText(code: string, start: number, quote: string): { end: number; value: string; lines: number } {
  let value = "";
  let lines = 0;
  let at = start;
  for (; at < code.length && !code.startsWith(quote, at); at++) {
    if (code[at] === "\n") {
      if (quote.length === 1) break;
      lines++;
    }
    if (code[at] === "\\") {
      at++;
      if (code[at] === "\n") lines++;
      else value += { n: "\n", t: "\t" }[code[at] ?? ""] ?? code[at] ?? "";
    } else value += code[at];
  }
  return { end: code.startsWith(quote, at) ? at + quote.length : at, value, lines };
}

/** The statements of a text. Those that cannot be read stand in it as `unreadable`. */
export function parsePython(code: string): Statement[] {
  return new Parser(tokenize(code)).module();
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  module(): Statement[] {
    const statements: Statement[] = [];
    while (this.#peek().type !== "end") {
      if (this.#peek().type === "dedent" || this.#peek().type === "indent" || this.#peek().type === "newline") this.#at++;
      else statements.push(...this.#statement());
    }
    return statements;
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] ?? { type: "end", text: "", line: 0 };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #is(text: string): boolean {
    const { type, text: found } = this.#peek();
    return (type === "operator" || type === "name") && found === text;
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text))
      throw new SyntaxProblem(
        this.#peek().line,
        this.#peek().text ? say("Here “{text}” is expected, but “{text2}” stands.", { text, text2: this.#peek().text.slice(0, 20) }) : say("Here “{text}” is expected.", { text }),
      );
  }

  #name(): string {
    const token = this.#next();
    if (token.type !== "name") throw new SyntaxProblem(token.line, say("Here a name is expected."));
    return token.text;
  }

  /** One line may hold several statements. */
  #statement(): Statement[] {
    const start = this.#peek();
    try {
      return this.#compound() ?? this.#simpleLine();
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error;
      this.#skipStatement();
      return [{ kind: "unreadable", line: error.line || start.line, why: error.message }];
    }
  }

  /** Goes on behind the line at hand, and behind what is indented under it. */
  #skipStatement(): void {
    while (this.#peek().type !== "newline" && this.#peek().type !== "end") this.#at++;
    this.#depth = 0;
    if (this.#peek().type === "newline") this.#at++;
    if (this.#peek().type !== "indent") return;
    let open = 0;
    do {
      const { type } = this.#next();
      if (type === "indent") open++;
      else if (type === "dedent") open--;
      else if (type === "end") return;
    } while (open > 0);
  }

  #compound(): Statement[] | null {
    const { line, text, type } = this.#peek();
    if (type === "operator" && text === "@") {
      const decorators: Expr[] = [];
      while (this.#accept("@")) {
        decorators.push(this.#expression());
        this.#newline();
      }
      const [made] = this.#compound() ?? [];
      if (made?.kind === "function") return [{ ...made, decorators }];
      if (made?.kind === "class") return [made];
      throw new SyntaxProblem(line, say("A decorator stands before something that is neither a function nor a class."));
    }
    if (type !== "name") return null;
    switch (text) {
      case "class": {
        this.#at++;
        const name = this.#name();
        const bases: Expr[] = [];
        if (this.#accept("(")) for (const { value } of this.#arguments()) bases.push(value);
        return [{ kind: "class", line, name, bases, body: this.#block() }];
      }
      case "def": {
        this.#at++;
        const name = this.#name();
        this.#expect("(");
        const parameters = this.#parameters(")", true);
        this.#expect(")");
        if (this.#accept("->")) this.#expression();
        return [{ kind: "function", line, name, parameters, body: this.#block(), decorators: [] }];
      }
      case "if": {
        this.#at++;
        const branches: { condition: Expr | null; body: Statement[] }[] = [{ condition: this.#expression(), body: this.#block() }];
        for (;;) {
          if (this.#accept("elif")) branches.push({ condition: this.#expression(), body: this.#block() });
          else if (this.#accept("else")) {
            branches.push({ condition: null, body: this.#block() });
            break;
          } else break;
        }
        return [{ kind: "if", line, branches }];
      }
      case "for": {
        this.#at++;
        const target = this.#targets();
        this.#expect("in");
        const source = this.#expressions();
        const body = this.#block();
        if (this.#is("else")) throw new SyntaxProblem(this.#peek().line, say("An else behind a for is not read."));
        return [{ kind: "for", line, target, source, body }];
      }
      case "while": {
        this.#at++;
        return [{ kind: "while", line, condition: this.#expression(), body: this.#block() }];
      }
      case "with": {
        this.#at++;
        const contexts: Expr[] = [];
        do {
          contexts.push(this.#expression());
          if (this.#accept("as")) this.#targets();
        } while (this.#accept(","));
        return [{ kind: "with", line, contexts, body: this.#block() }];
      }
      case "try":
      case "async":
      case "match":
        if (text !== "match" || this.#peek(1).type === "name") throw new SyntaxProblem(line, say("“{text}” is not read.", { text }));
        return null;
      default:
        return null;
    }
  }

  #newline(): void {
    const token = this.#peek();
    if (token.type === "newline") this.#at++;
    else if (token.type !== "end") throw new SyntaxProblem(token.line, say("“{text}” is not understood here.", { text: token.text.slice(0, 20) }));
  }

  #block(): Statement[] {
    this.#expect(":");
    if (this.#peek().type !== "newline") return this.#simpleLine();
    this.#at++;
    if (this.#peek().type !== "indent") throw new SyntaxProblem(this.#peek().line, say("An indented block is expected."));
    this.#at++;
    const body: Statement[] = [];
    while (this.#peek().type !== "dedent" && this.#peek().type !== "end") {
      if (this.#peek().type === "newline") this.#at++;
      else body.push(...this.#statement());
    }
    if (this.#peek().type === "dedent") this.#at++;
    return body;
  }

  #simpleLine(): Statement[] {
    const statements = [this.#simple()];
    while (this.#accept(";")) if (this.#peek().type !== "newline") statements.push(this.#simple());
    this.#newline();
    return statements;
  }

  #simple(): Statement {
    const { line, text, type } = this.#peek();
    if (type === "name") {
      switch (text) {
        case "pass":
        case "break":
        case "continue":
          this.#at++;
          return { kind: text, line };
        case "return":
          this.#at++;
          return { kind: "return", line, value: this.#peek().type === "newline" || this.#is(";") ? null : this.#expressions() };
        case "raise":
          while (this.#peek().type !== "newline") this.#at++;
          return { kind: "raise", line };
        case "assert": {
          this.#at++;
          const condition = this.#expression();
          if (this.#accept(",")) this.#expression();
          return { kind: "assert", line, condition };
        }
        case "import":
        case "from":
          return this.#import(line);
        case "del":
        case "global":
        case "nonlocal":
        case "yield":
        case "await":
          throw new SyntaxProblem(line, say("“{text}” is not read.", { text }));
      }
    }
    const first = this.#expressions();
    if (this.#accept(":")) {
      // An annotation says nothing that is needed.
      this.#expression();
      if (!this.#accept("=")) return { kind: "pass", line };
      return { kind: "assign", line, targets: [first], value: this.#expressions() };
    }
    const operator = this.#peek().text;
    if (this.#peek().type === "operator" && operator.endsWith("=") && operator.length > 1 && !["==", "<=", ">=", "!=", ":="].includes(operator)) {
      this.#at++;
      return { kind: "augment", line, target: first, operator: operator.slice(0, -1), value: this.#expressions() };
    }
    const parts = [first];
    while (this.#accept("=")) parts.push(this.#expressions());
    const value = parts.pop() ?? first;
    return parts.length > 0 ? { kind: "assign", line, targets: parts, value } : { kind: "expression", line, value };
  }

  #import(line: number): Statement {
    const names: { path: string; alias: string }[] = [];
    const dotted = () => {
      let path = "";
      while (this.#accept(".") || this.#accept("...")) path += ".";
      if (this.#peek().type === "name" && !this.#is("import")) path += this.#name();
      while (this.#accept(".")) path += `.${this.#name()}`;
      return path;
    };
    if (this.#accept("import")) {
      do {
        const path = dotted();
        names.push({ path, alias: this.#accept("as") ? this.#name() : "" });
      } while (this.#accept(","));
      return { kind: "import", line, names };
    }
    this.#expect("from");
    const module = dotted();
    this.#expect("import");
    const isBracketed = this.#accept("(");
    if (this.#accept("*")) names.push({ path: `${module}.*`, alias: "*" });
    else
      do {
        if (isBracketed && this.#is(")")) break;
        const name = this.#name();
        names.push({ path: `${module}.${name}`, alias: this.#accept("as") ? this.#name() : name });
      } while (this.#accept(","));
    if (isBracketed) this.#expect(")");
    return { kind: "import", line, names };
  }

  #parameters(end: string, annotated: boolean): Parameter[] {
    const parameters: Parameter[] = [];
    while (!this.#is(end)) {
      if (this.#accept("/")) {
        // Only how arguments may be passed.
      } else {
        const star = this.#accept("**") ? "**" : this.#accept("*") ? "*" : "";
        if (!(star === "*" && (this.#is(",") || this.#is(end)))) {
          const name = this.#name();
          if (annotated && this.#accept(":")) this.#expression();
          parameters.push({ name, star, fallback: this.#accept("=") ? this.#expression() : null });
        }
      }
      if (!this.#accept(",")) break;
    }
    return parameters;
  }

  /** Behind the opening bracket, up to and with the closing one. */
  #arguments(): Argument[] {
    const args: Argument[] = [];
    while (!this.#is(")")) {
      const star = this.#accept("**") ? "**" : this.#accept("*") ? "*" : "";
      if (star === "" && this.#peek().type === "name" && this.#peek(1).type === "operator" && this.#peek(1).text === "=") {
        const name = this.#name();
        this.#at++;
        args.push({ name, star, value: this.#expression() });
      } else {
        const value = this.#expression();
        args.push({ name: null, star, value: this.#is("for") ? this.#comprehension(value) : value });
      }
      if (!this.#accept(",")) break;
    }
    this.#expect(")");
    return args;
  }

  #targets(): Expr {
    const { line } = this.#peek();
    const items = [this.#binary(0, true)];
    let isTuple = false;
    while (this.#accept(",")) {
      isTuple = true;
      if (this.#is("in") || this.#is("=")) break;
      items.push(this.#binary(0, true));
    }
    return isTuple ? { kind: "sequence", type: "tuple", line, items } : (items[0] as Expr);
  }

  /** One expression, or several as a tuple. */
  #expressions(): Expr {
    const { line } = this.#peek();
    const first = this.#starred();
    if (!this.#is(",")) return first;
    const items = [first];
    while (this.#accept(",")) {
      const { type, text } = this.#peek();
      if (type === "newline" || type === "end" || (type === "operator" && ["=", ")", "]", ":", ";"].includes(text))) break;
      items.push(this.#starred());
    }
    return { kind: "sequence", type: "tuple", line, items };
  }

  #starred(): Expr {
    const { line } = this.#peek();
    return this.#accept("*") ? { kind: "starred", line, value: this.#expression() } : this.#expression();
  }

  #expression(): Expr {
    if (++this.#depth > DEPTH) throw new SyntaxProblem(this.#peek().line, say("Brackets are nested deeper than {DEPTH}.", { DEPTH }));
    const { line } = this.#peek();
    if (this.#accept("lambda")) {
      const parameters = this.#parameters(":", false);
      this.#expect(":");
      const body = this.#expression();
      this.#depth--;
      return { kind: "lambda", line, parameters, body };
    }
    const value = this.#logic("or");
    let result = value;
    if (this.#is(":=")) throw new SyntaxProblem(line, say("“:=” is not read."));
    if (this.#accept("if")) {
      const condition = this.#logic("or");
      this.#expect("else");
      result = { kind: "choice", line, condition, then: value, otherwise: this.#expression() };
    }
    this.#depth--;
    return result;
  }

  #logic(operator: "or" | "and"): Expr {
    const { line } = this.#peek();
    const operand = () => (operator === "or" ? this.#logic("and") : this.#negation());
    let left = operand();
    while (this.#accept(operator)) left = { kind: "logic", line, operator, left, right: operand() };
    return left;
  }

  #negation(): Expr {
    const { line } = this.#peek();
    if (this.#accept("not")) return { kind: "unary", line, operator: "not", operand: this.#negation() };
    const first = this.#binary(0, false);
    const rest: { operator: string; operand: Expr }[] = [];
    for (;;) {
      const { text, type } = this.#peek();
      let operator = ["==", "!=", "<", ">", "<=", ">="].includes(text) && type === "operator" ? text : "";
      if (type === "name" && text === "in") operator = "in";
      if (type === "name" && text === "is") operator = this.#peek(1).text === "not" ? "is not" : "is";
      if (type === "name" && text === "not" && this.#peek(1).text === "in") operator = "not in";
      if (operator === "") break;
      this.#at += operator.includes(" ") ? 2 : 1;
      rest.push({ operator, operand: this.#binary(0, false) });
    }
    return rest.length > 0 ? { kind: "compare", line, first, rest } : first;
  }

  /** Binary operators by how tightly they bind. */
  #binary(level: number, isTarget: boolean): Expr {
    const levels = [["|"], ["^"], ["&"], ["<<", ">>"], ["+", "-"], ["*", "/", "//", "%", "@"]];
    const operators = levels[level];
    if (!operators) return this.#unary();
    const { line } = this.#peek();
    let left = this.#binary(level + 1, isTarget);
    while (this.#peek().type === "operator" && operators.includes(this.#peek().text)) {
      const operator = this.#next().text;
      left = { kind: "binary", line, operator, left, right: this.#binary(level + 1, isTarget) };
    }
    return left;
  }

  #unary(): Expr {
    const { line, text, type } = this.#peek();
    if (type === "operator" && (text === "-" || text === "+" || text === "~")) {
      this.#at++;
      if (++this.#depth > DEPTH) throw new SyntaxProblem(line, say("Signs are nested deeper than {DEPTH}.", { DEPTH }));
      const operand = this.#unary();
      this.#depth--;
      return { kind: "unary", line, operator: text, operand };
    }
    const base = this.#postfix();
    return this.#accept("**") ? { kind: "binary", line, operator: "**", left: base, right: this.#unary() } : base;
  }

  #postfix(): Expr {
    let object = this.#atom();
    for (;;) {
      const { line } = this.#peek();
      if (this.#accept(".")) object = { kind: "attribute", line, object, name: this.#name() };
      else if (this.#accept("(")) object = { kind: "call", line, callee: object, args: this.#arguments() };
      else if (this.#accept("[")) object = { kind: "index", line, object, ...this.#index() };
      else return object;
    }
  }

  #index(): { items: SliceItem[]; isTuple: boolean } {
    const items: SliceItem[] = [];
    let isTuple = false;
    while (!this.#is("]")) {
      items.push(this.#sliceItem());
      if (!this.#accept(",")) break;
      isTuple = true;
    }
    this.#expect("]");
    return { items, isTuple };
  }

  #sliceItem(): SliceItem {
    const { line } = this.#peek();
    const part = () => (this.#is(":") || this.#is(",") || this.#is("]") ? null : this.#expression());
    const start = part();
    if (!this.#accept(":")) {
      if (start === null) throw new SyntaxProblem(line, say("An index is expected."));
      return start;
    }
    const stop = part();
    return { kind: "slice", line, start, stop, step: this.#accept(":") ? part() : null };
  }

  #atom(): Expr {
    const { line, type, text, value } = this.#next();
    if (type === "bad") throw new SyntaxProblem(line, text.length > 1 ? say('A text with values inside (f"…") is not read.') : say("“{text}” is not understood.", { text }));
    if (type === "number") return { kind: "number", line, value: Number(text), isFloat: /[.eE]/.test(text) && !/^0[xX]/.test(text) };
    if (type === "text") {
      let whole = value ?? "";
      while (this.#peek().type === "text") whole += this.#next().value ?? "";
      return { kind: "text", line, value: whole };
    }
    if (type === "name") {
      if (text === "True" || text === "False") return { kind: "constant", line, value: text === "True" };
      if (text === "None") return { kind: "constant", line, value: null };
      if (["if", "else", "for", "in", "is", "and", "or", "not", "class", "def", "return", "import", "yield", "await", "lambda"].includes(text))
        throw new SyntaxProblem(line, say("“{text}” is not understood here.", { text }));
      return { kind: "name", line, name: text };
    }
    if (type === "operator") {
      if (text === "...") return { kind: "constant", line, value: "..." };
      if (text === "(") {
        if (this.#accept(")")) return { kind: "sequence", type: "tuple", line, items: [] };
        const inner = this.#expressions();
        const made = this.#is("for") ? this.#comprehension(inner) : inner;
        this.#expect(")");
        return made;
      }
      if (text === "[") {
        const items: Expr[] = [];
        while (!this.#is("]")) {
          const item = this.#starred();
          if (this.#is("for")) {
            const made = this.#comprehension(item);
            this.#expect("]");
            return made;
          }
          items.push(item);
          if (!this.#accept(",")) break;
        }
        this.#expect("]");
        return { kind: "sequence", type: "list", line, items };
      }
      if (text === "{") {
        const entries: [Expr, Expr][] = [];
        while (!this.#is("}")) {
          const key = this.#expression();
          this.#expect(":");
          entries.push([key, this.#expression()]);
          if (!this.#accept(",")) break;
        }
        this.#expect("}");
        return { kind: "dict", line, entries };
      }
    }
    throw new SyntaxProblem(line, text ? say("“{text}” is not understood here.", { text: text.slice(0, 20) }) : say("Something is missing at the end of this line."));
  }

  #comprehension(element: Expr): Expr {
    const { line } = element;
    const loops: { target: Expr; source: Expr; conditions: Expr[] }[] = [];
    while (this.#accept("for")) {
      const target = this.#targets();
      this.#expect("in");
      const source = this.#logic("or");
      const conditions: Expr[] = [];
      while (this.#accept("if")) conditions.push(this.#logic("or"));
      loops.push({ target, source, conditions });
    }
    return { kind: "comprehension", line, element, loops };
  }
}
