import { add, floorDivide, multiply, subtract } from "../graph/dims.ts";
import { say } from "../language/say.ts";
import { addNode, dimOf, isTrue, itemsOf, plainOf, sizeOf, wireOf } from "./torch-convert.ts";
import { type Call, FUNCTIONS, OPERATORS } from "./torch-functions.ts";
import { type Reading, Unreadable } from "./torch-reading.ts";
import { Builtin, ConstantTensor, Container, Dict, kindOf, ParameterValue, Sequence, SizeValue, TensorValue, type Value } from "./torch-values.ts";

/** A function of `torch` or `torch.nn.functional`, or a method of a tensor, by its name. */
export function applyFunction(r: Reading, name: string, args: Value[], named: Map<string, Value>): Value {
  if (["no_grad", "autocast", "manual_seed", "set_default_dtype", "device"].includes(name)) return null;
  if (name === "Size") return args[0] ?? null;
  const handler = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
  if (!handler) throw new Unreadable(say("{name} is not read here.", { name }));
  return handler(callOf(r, name, args, named));
}

/** A call as the readers of functions and operators take it. */
export function callOf(r: Reading, name: string, args: Value[], named: Map<string, Value>): Call {
  return {
    name,
    args,
    named,
    refuse: (why) => {
      throw new Unreadable(why);
    },
    wire: (value) => wireOf(r, value),
    plain: (value) => plainOf(value),
    add: (type, params, inputs) => addNode(r, type, params, inputs),
    like: (letters) => r.inputs.find(({ type }) => letters.every((letter) => type.shape.includes(letter))),
  };
}

/** `-x`, `not x`, `~x`. */
export function unary(r: Reading, operator: string, value: Value): Value {
  if (operator === "not") return !isTrue(value);
  if (typeof value === "number" || typeof value === "boolean") return operator === "-" ? -Number(value) : operator === "~" ? ~Number(value) : Number(value);
  if (value instanceof SizeValue) return operator === "-" ? sizeOf(multiply(value.dim, -1)) : value;
  if (operator === "-") return applyFunction(r, "neg", [value], new Map());
  if (operator === "~") return applyFunction(r, "logical_not", [value], new Map());
  return value;
}

/** `a + b` and the like: of numbers, sizes, lists, text and tensors. */
export function binary(r: Reading, operator: string, left: Value, right: Value): Value {
  if (typeof left === "boolean") left = Number(left);
  if (typeof right === "boolean") right = Number(right);
  if (typeof left === "number" && typeof right === "number") return arithmeticOf(operator, left, right);
  const [a, b] = [dimOf(left), dimOf(right)];
  if (a !== null && b !== null) {
    if (operator === "+") return sizeOf(add(a, b));
    if (operator === "-") return sizeOf(subtract(a, b));
    if (operator === "*") return sizeOf(multiply(a, b));
    if (operator === "//" && typeof b === "number" && b > 0) return sizeOf(floorDivide(a, b));
    if (operator === "//" && a === b) return 1;
    throw new Unreadable(say("“{operator}” of a size known only while the model runs is not read.", { operator }));
  }
  if (typeof left === "string" && typeof right === "string" && operator === "+") return left + right;
  if (typeof left === "string" && operator === "%") return left;
  if (left instanceof Sequence && right instanceof Sequence && operator === "+") return new Sequence(left.type, [...left.items, ...right.items]);
  if (left instanceof Sequence && typeof right === "number" && operator === "*")
    return new Sequence(left.type, Array.from({ length: Math.max(0, Math.min(right, 10_000)) }, () => left.items).flat());
  const constant = combineConstant(operator, left, right);
  if (constant) return constant;
  const handler = OPERATORS[operator];
  if (!handler) throw new Unreadable(say("“{operator}” on tensors is not read.", { operator }));
  return handler(callOf(r, operator, [left, right], new Map()));
}

/** `a < b`, `a is b`, `a in b`. */
export function compare(r: Reading, operator: string, left: Value, right: Value): Value {
  if (operator === "is" || operator === "is not")
    return (left === right || (left instanceof Builtin && right instanceof Builtin && left.path === right.path)) === (operator === "is");
  if (operator === "in" || operator === "not in") {
    const has =
      right instanceof Dict
        ? right.entries.has(plainOf(left))
        : typeof right === "string"
          ? right.includes(String(left))
          : right instanceof Container && right.kind === "ModuleDict"
            ? right.items.some(([key]) => key === left)
            : itemsOf(r, right).some((item) => item === left);
    return has === (operator === "in");
  }
  const isTensor = [left, right].some((value) => value instanceof TensorValue || value instanceof ConstantTensor || value instanceof ParameterValue);
  if (isTensor && left !== null && right !== null) return OPERATORS[operator]?.(callOf(r, operator, [left, right], new Map())) ?? null;
  if (left instanceof SizeValue || right instanceof SizeValue) {
    const [a, b] = [dimOf(left), dimOf(right)];
    if (a !== null && a === b) return operator === "==" || operator === "<=" || operator === ">=";
    // Sizes of a batch are not those that the code asks about.
    if (operator === "==" || operator === "!=") return operator === "!=";
    throw new Unreadable(say("What the code does next depends on a size that is known only while the model runs."));
  }
  if (left instanceof Sequence && right instanceof Sequence) return (JSON.stringify(plainOf(left)) === JSON.stringify(plainOf(right))) === (operator === "==");
  if (operator === "==") return left === right;
  if (operator === "!=") return left !== right;
  if (typeof left !== "number" || typeof right !== "number") throw new Unreadable(say("{left} and {right} cannot be compared.", { left: kindOf(left), right: kindOf(right) }));
  return { "<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right }[operator] ?? false;
}

function arithmeticOf(operator: string, a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "//":
      return Math.floor(a / b);
    case "%":
      return a - b * Math.floor(a / b);
    case "**":
      return a ** b;
    case "<<":
      return a << b;
    case ">>":
      return a >> b;
    case "&":
      return a & b;
    case "|":
      return a | b;
    default:
      throw new Unreadable(say("“{operator}” of numbers is not read.", { operator }));
  }
}

/** Numbers of the code and a tensor made of numbers: a tensor made of numbers. One that is drawn stays one that is drawn. */
function combineConstant(operator: string, left: Value, right: Value): ConstantTensor | null {
  const tensor = left instanceof ConstantTensor ? left : right instanceof ConstantTensor ? right : null;
  const other = tensor === left ? right : left;
  if (!tensor || typeof other !== "number" || !["+", "-", "*", "/", "**"].includes(operator)) return null;
  if (tensor.init !== "zeros" && tensor.init !== "ones") return operator === "*" || operator === "/" ? tensor : null;
  const f = (value: number) => (tensor === left ? arithmeticOf(operator, value, other) : arithmeticOf(operator, other, value));
  return new ConstantTensor(
    tensor.sizes,
    typeof tensor.values === "number" ? f(tensor.values) : tensor.values.map(f),
    Number.isInteger(other) && operator !== "/" ? tensor.dtype : "float32",
  );
}
