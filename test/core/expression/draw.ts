import fc from "fast-check";

/**
 * Expressions at random, made of the grammar. Values stay moderate and away from jumps that follow from rounding, so that all who
 * compute them must agree.
 */
const AXIS = fc.constantFrom("0", "1", "2", "-1");
const NUMBER = fc.constantFrom("2", "0.5", "-1.5", "3", "1e-2", "-0.25", "7");

/** `floats` and `wholes` are texts of tensors to begin with, of shapes that broadcast together over three axes. */
export function expressions(floats: readonly string[], wholes: readonly string[]): fc.Arbitrary<string> {
  const { number } = fc.letrec<{ number: string; whole: string; condition: string }>((tie) => {
    const number = tie("number");
    const whole = tie("whole");
    const condition = tie("condition");
    const leaf = fc.constantFrom(...floats);
    return {
      number: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaf,
        fc.tuple(number, fc.constantFrom("+", "-", "*"), number).map(([a, op, b]) => `(${a} ${op} ${b})`),
        fc
          .tuple(number, fc.constantFrom("+", "-", "*", "/"), NUMBER)
          .map(([a, op, b]) => `${a} ${op} ${b}`)
          .map(bracket),
        fc.tuple(NUMBER, fc.constantFrom("+", "-", "*"), number).map(([a, op, b]) => bracket(`${a} ${op} ${b}`)),
        fc
          .tuple(number, number)
          .map(([a, b]) => `${a} / (1 + abs(${b}))`)
          .map(bracket),
        fc
          .tuple(fc.constantFrom("tanh", "sigmoid", "relu", "silu", "gelu", "softsign", "abs", "leaky_relu", "softplus", "arctan", "erf", "selu"), number)
          .map(([f, a]) => `${f}(${a})`),
        number.map((a) => `exp(-abs(${a}))`),
        number.map((a) => `log1p(${a} ** 2)`),
        number.map((a) => `sqrt(abs(${a}) + 1)`),
        number.map((a) => bracket(`-${a} ** 2`)),
        fc.tuple(fc.constantFrom("sum", "mean", "max", "min", "std", "logsumexp", "norm"), number, AXIS).map(([f, a, axis]) => `${f}(${a}, axis=${axis}, keepdims=True)`),
        fc.tuple(fc.constantFrom("mean", "var", "sum", "amax"), number, AXIS).map(([f, a, axis]) => `tanh(${a}).${f}(dim=${axis}, keepdim=True)`),
        fc.tuple(number, AXIS).map(([a, axis]) => `softmax(${a}, axis=${axis})`),
        fc.tuple(fc.constantFrom("maximum", "minimum"), number, number).map(([f, a, b]) => `${f}(${a}, ${b})`),
        number.map((a) => `clip(${a}, -1, 1.5)`),
        fc.tuple(condition, number, fc.oneof(number, NUMBER)).map(([when, a, b]) => `where(${when}, ${a}, ${b})`),
        fc.tuple(leaf, fc.constantFrom("[..., ::-1]", "[:, ::-1]", "[:, -1:]", "[:1]", "[..., :1]", "[-1]", "[None, 0]", "[:, 0, None, :]")).map(([a, slice]) => `${a}${slice}`),
        fc.tuple(number, AXIS).map(([a, axis]) => `flip(broadcast_to(${a}, x.shape), axis=${axis})`),
        fc
          .tuple(number, AXIS)
          .map(([a, axis]) => `cumsum(${a}, axis=${axis}) / 4`)
          .map(bracket),
        number.map((a) => `roll(${a}, 1, axis=1)`),
        number.map((a) => `(x + ${a}).mT.reshape(x.shape)`),
        number.map((a) => `concatenate([x + ${a}, x], axis=1)[:, ::2][:, :3]`),
        number.map((a) => `einsum('bij,bij->bi', x + ${a}, x)[..., None]`),
        number.map((a) => `(x + ${a}) @ x.mT @ x / 8`).map(bracket),
        number.map((a) => `${a} * x.shape[0] / x.shape[1]`).map(bracket),
        fc.tuple(whole, fc.constantFrom("/ 2", "* 0.5")).map(([a, by]) => bracket(`${a} ${by}`)),
        fc
          .tuple(condition, number)
          .map(([when, a]) => `${when} * ${a}`)
          .map(bracket),
        leaf.map((a) => bracket(`${a} % 0.7`)),
        leaf.map((a) => bracket(`${a} // 0.3`)),
      ),
      whole: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.constantFrom(...wholes),
        fc.tuple(whole, fc.constantFrom("+", "-", "*"), whole).map(([a, op, b]) => bracket(`${a} ${op} ${b}`)),
        fc.tuple(whole, fc.constantFrom("%", "//", "+", "*", "&", "|", "^"), fc.constantFrom("2", "3", "5")).map(([a, op, b]) => bracket(`${a} ${op} ${b}`)),
        condition.map((when) => `int(${when})`),
        whole.map((a) => `abs(${a})`),
        whole.map((a) => `clip(${a}, 0, 3)`),
        fc.tuple(whole, AXIS).map(([a, axis]) => `sum(${a}, axis=${axis}, keepdims=True)`),
        fc.constant("arange(x.shape[-1])"),
      ),
      condition: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        fc.tuple(leaf, fc.constantFrom("<", ">", "<=", ">="), fc.oneof(leaf, NUMBER)).map(([a, op, b]) => bracket(`${a} ${op} ${b}`)),
        fc.tuple(whole, fc.constantFrom("<", ">", "==", "!=", ">="), whole).map(([a, op, b]) => bracket(`${a} ${op} ${b}`)),
        fc.tuple(condition, fc.constantFrom("&", "|", "^"), condition).map(([a, op, b]) => bracket(`${a} ${op} ${b}`)),
        condition.map((when) => `~${when}`),
        fc.tuple(fc.constantFrom("any", "all"), condition, AXIS).map(([f, when, axis]) => `${f}(${when}, axis=${axis}, keepdims=True)`),
      ),
    };
  });
  // The first input always takes part, so that its sizes are there.
  const first = floats[0] ?? "x";
  return fc.oneof(
    number.map((a) => `${a} + ${first}`),
    fc.tuple(number, number).map(([a, b]) => `h = ${a}\nh * 0.5 + ${first} - ${b} * h`),
    fc.tuple(number, number).map(([a, b]) => `h = ${a} - ${first}\ng = ${b}\nh, g + ${first}`),
  );
}

function bracket(text: string): string {
  return `(${text})`;
}
