import { say } from "../language/say.ts";
import type { Argument, Expr, SliceItem, Statement } from "./python.ts";
import { binary, compare, unary } from "./torch-arithmetic.ts";
import { assign, getAttribute } from "./torch-attributes.ts";
import { BUILTINS } from "./torch-builtins.ts";
import { isTrue, itemsOf, list, plainOf, sizesOf, wireOf } from "./torch-convert.ts";
import { type Reading, Unreadable } from "./torch-reading.ts";
import {
  Builtin,
  CausalMask,
  Class,
  ConstantTensor,
  Container,
  Dict,
  Instance,
  kindOf,
  Method,
  ParameterValue,
  Scope,
  Sequence,
  SizeValue,
  TensorValue,
  UserFunction,
  type Value,
} from "./torch-values.ts";

/** What an expression stands for. */
export function compute(r: Reading, expr: Expr, scope: Scope): Value {
  switch (expr.kind) {
    case "number":
      return expr.value;
    case "text":
      return expr.value;
    case "constant":
      return expr.value;
    case "name": {
      const found = scope.find(expr.name);
      if (found !== undefined) return found;
      if (BUILTINS.has(expr.name)) return new Builtin(expr.name);
      throw new Unreadable(say("{name} is not defined in this code.", { name: expr.name }));
    }
    case "sequence": {
      const items: Value[] = [];
      for (const item of expr.items) {
        if (item.kind === "starred") items.push(...itemsOf(r, r.evaluate(item.value, scope)));
        else items.push(r.evaluate(item, scope));
      }
      return new Sequence(expr.type, items);
    }
    case "dict":
      return new Dict(new Map(expr.entries.map(([key, value]) => [plainOf(r.evaluate(key, scope)), r.evaluate(value, scope)])));
    case "attribute":
      return getAttribute(r, r.evaluate(expr.object, scope), expr.name);
    case "call":
      return evaluateCall(r, expr.callee, expr.args, scope);
    case "index":
      return readIndex(r, r.evaluate(expr.object, scope), expr.items, expr.isTuple, scope);
    case "unary":
      return unary(r, expr.operator, r.evaluate(expr.operand, scope));
    case "binary":
      return binary(r, expr.operator, r.evaluate(expr.left, scope), r.evaluate(expr.right, scope));
    case "compare": {
      let left = r.evaluate(expr.first, scope);
      let result: Value = true;
      for (const { operator, operand } of expr.rest) {
        const right = r.evaluate(operand, scope);
        result = compare(r, operator, left, right);
        if (expr.rest.length > 1 && !isTrue(result)) return false;
        left = right;
      }
      return result;
    }
    case "logic": {
      const left = r.evaluate(expr.left, scope);
      return isTrue(left) === (expr.operator === "or") ? left : r.evaluate(expr.right, scope);
    }
    case "choice":
      return r.evaluate(isTrue(r.evaluate(expr.condition, scope)) ? expr.then : expr.otherwise, scope);
    case "comprehension": {
      const items: Value[] = [];
      const inner = new Scope(scope);
      const loop = (at: number) => {
        const part = expr.loops[at];
        if (!part) {
          items.push(r.evaluate(expr.element, inner));
          return;
        }
        for (const item of itemsOf(r, r.evaluate(part.source, inner))) {
          assign(r, part.target, item, inner);
          if (part.conditions.every((condition) => isTrue(r.evaluate(condition, inner)))) loop(at + 1);
        }
      };
      loop(0);
      return new Sequence("list", items);
    }
    case "lambda": {
      const body: Statement[] = [{ kind: "return", line: expr.line, value: expr.body }];
      return new UserFunction({ kind: "function", line: expr.line, name: "lambda", parameters: expr.parameters, body, decorators: [] }, scope);
    }
    case "starred":
      throw new Unreadable(say("A star stands where no list is made."));
  }
}

function evaluateCall(r: Reading, callee: Expr, args: Argument[], scope: Scope): Value {
  // Without arguments, super() means the class that the method stands in.
  if (callee.kind === "name" && callee.name === "super") {
    const self = scope.find("self");
    const owner = scope.find("__class__");
    if (!(self instanceof Instance) || !(owner instanceof Class)) throw new Unreadable("super() stands outside a method.");
    return new Method(self, `super ${owner.name}`);
  }
  const called = r.evaluate(callee, scope);
  const positional: Value[] = [];
  const named = new Map<string, Value>();
  for (const { name, star, value } of args) {
    const evaluated = r.evaluate(value, scope);
    if (star === "*") positional.push(...itemsOf(r, evaluated));
    else if (star === "**") {
      if (!(evaluated instanceof Dict)) throw new Unreadable("** needs a dict.");
      for (const [key, item] of evaluated.entries) named.set(String(key), item);
    } else if (name === null) positional.push(evaluated);
    else named.set(name, evaluated);
  }
  if (called instanceof Method && typeof called.function === "string" && called.function.startsWith("super ")) throw new Unreadable("super() cannot be called.");
  return r.call(called, positional, named);
}

function readIndex(r: Reading, object: Value, items: SliceItem[], isTuple: boolean, scope: Scope): Value {
  const [first] = items;
  const number = (part: Expr | null): number | null => {
    if (!part) return null;
    const value = r.evaluate(part, scope);
    if (value === null) return null;
    if (typeof value === "number") return value;
    throw new Unreadable(say("The limits of this slice are known only while the model runs."));
  };
  if (object instanceof Sequence || object instanceof Container) {
    const all = itemsOf(r, object instanceof Container && object.kind === "ModuleDict" ? list(object.items.map(([, item]) => item)) : object);
    if (!first) throw new Unreadable(say("An index is missing."));
    if (first.kind === "slice") {
      const picked = sliceList(all, number(first.start), number(first.stop), number(first.step) ?? 1);
      return object instanceof Container
        ? new Container(
            object.kind,
            picked.map((item) => object.items.find(([, part]) => part === item) ?? ["", item]),
          )
        : new Sequence(object.type, picked);
    }
    const at = r.evaluate(first, scope);
    if (object instanceof Container && typeof at === "string") return object.items.find(([key]) => key === at)?.[1] ?? missing(at);
    if (typeof at !== "number") throw new Unreadable(say("The index must be a number that is known."));
    return all[at < 0 ? at + all.length : at] ?? missing(String(at));
  }
  if (object instanceof Dict) {
    const key = first && first.kind !== "slice" ? plainOf(r.evaluate(first, scope)) : null;
    return object.entries.get(key) ?? missing(String(key));
  }
  if (object instanceof ParameterValue || object instanceof ConstantTensor || object instanceof TensorValue || object instanceof CausalMask)
    return readSlice(r, object, items, isTuple, scope);
  throw new Unreadable(say("{object} has no parts.", { object: kindOf(object) }));
}

function missing(key: string): never {
  throw new Unreadable(say("There is no part {key} here.", { key }));
}

/** `x[:, -1]` as a Slice. */
function readSlice(r: Reading, object: Value, items: SliceItem[], _isTuple: boolean, scope: Scope): Value {
  const shape = sizesOf(object);
  const explicit = items.filter((item) => !(item.kind === "constant" && (item.value === null || item.value === "..."))).length;
  let axis = 0;
  const parts = items.map((item): string => {
    if (item.kind === "constant" && item.value === "...") {
      axis += shape.length - explicit;
      return "...";
    }
    if (item.kind === "constant" && item.value === null) return "None";
    const size = shape[axis++];
    const write = (part: Expr | null, isEnd: boolean): string => {
      if (!part) return "";
      const value = r.evaluate(part, scope);
      if (value === null) return "";
      if (typeof value === "number") return String(value);
      // To the end, said by the size itself.
      if (value instanceof SizeValue && isEnd && value.dim === size) return "";
      throw new Unreadable(say("The limits of this slice are known only while the model runs."));
    };
    if (item.kind === "slice") return `${write(item.start, false)}:${write(item.stop, true)}${item.step ? `:${write(item.step, false)}` : ""}`;
    const value = r.evaluate(item, scope);
    if (value === null) {
      axis--;
      return "None";
    }
    if (typeof value === "number") return String(value);
    throw new Unreadable(say("Picking parts of a tensor by another tensor is not read. Use torch.gather or torch.index_select."));
  });
  if (parts.every((part) => part === ":" || part === "...")) return object;
  return new TensorValue(r.drawing.draw("slice", { slice: `[${parts.join(", ")}]` }, { x: wireOf(r, object) }));
}

function sliceList<T>(items: T[], start: number | null, stop: number | null, step: number): T[] {
  if (step === 0) throw new Unreadable(say("A slice cannot have the step 0."));
  const at = (index: number | null, fallback: number) =>
    index === null ? fallback : Math.max(step > 0 ? 0 : -1, Math.min(items.length, index < 0 ? index + items.length : index));
  const picked: T[] = [];
  if (step > 0) for (let i = at(start, 0); i < at(stop, items.length); i += step) picked.push(items[i] as T);
  else for (let i = Math.min(at(start, items.length - 1), items.length - 1); i > at(stop, -1); i += step) picked.push(items[i] as T);
  return picked;
}
