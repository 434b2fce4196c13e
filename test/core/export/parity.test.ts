import { describe, expect, it } from "vitest";
import { compareOutputs, whyIncomparable } from "../../../core/export/parity.ts";

const rows = (values: number[], width = 1) => ({ shape: [values.length / width, width], data: Float32Array.from(values) });
const compare = (ours: { [name: string]: ReturnType<typeof rows> }, theirs: { [name: string]: ReturnType<typeof rows> }) =>
  compareOutputs({ engine: { version: "2.13.0", outputs: ours }, onnxRuntime: { version: "1.30.0", outputs: theirs }, opset: 21 });
const ramp = Array.from({ length: 32 }, (_, i) => i / 32);

describe("parity report", () => {
  it("passes outputs within 1e-4 and says how far apart they are", () => {
    const report = compare({ y: rows(ramp) }, { y: rows(ramp.map((x, i) => (i === 7 ? x + 5e-5 : x))) });
    expect(report).toMatchObject({ passed: true, samples: 32, refusal: null, tolerance: 1e-4, opset: 21, engine: "2.13.0", onnxRuntime: "1.30.0" });
    expect(report.maxAbsDiff).toBeCloseTo(5e-5, 7);
  });
  it("refuses a difference beyond 1e-4", () => {
    expect(compare({ y: rows(ramp) }, { y: rows(ramp.map((x) => x + 2e-4)) })).toMatchObject({ passed: false, refusal: expect.stringMatching(/Output y differs by 0.00020/) });
  });
  it("measures large outputs by their own size", () => {
    const large = ramp.map((x) => x * 1e5);
    expect(compare({ y: rows(large) }, { y: rows(large.map((x) => x + 0.01)) }).passed).toBe(true);
  });
  it("refuses fewer than 32 samples", () => {
    expect(compare({ y: rows(ramp.slice(1)) }, { y: rows(ramp.slice(1)) })).toMatchObject({ passed: false, samples: 31 });
  });
  it("refuses other shapes, missing outputs and NaN on one side", () => {
    expect(compare({ y: rows(ramp) }, { y: rows([...ramp, ...ramp], 2) }).refusal).toMatch(/\[32, 2\] in the exported model, but \[32, 1\]/);
    expect(compare({ y: rows(ramp) }, {}).refusal).toMatch(/no output y/);
    expect(compare({ y: rows(ramp) }, { y: rows(ramp.map((x, i) => (i === 3 ? Number.NaN : x))) })).toMatchObject({ passed: false, maxAbsDiff: null });
  });
  it("takes NaN and infinity on both sides as equal", () => {
    const odd = ramp.map((x, i) => (i === 3 ? Number.NaN : i === 4 ? Infinity : x));
    expect(compare({ y: rows(odd) }, { y: rows(odd) })).toMatchObject({ passed: true, maxAbsDiff: 0 });
  });
});

describe("models that draw at random", () => {
  const node = (type: string) => ({ id: type, type, params: {}, at: { x: 0, y: 0 } });

  it("are not compared, wherever in a zone the draw stands", () => {
    const inner = { nodes: [node("random_normal")], edges: [] };
    expect(whyIncomparable({ nodes: [node("relu"), { ...node("repeat"), bodies: { body: inner } }], edges: [] })).toBe("RandomNormal draws new numbers on every pass.");
  });
  it("are compared where chance ends with training", () => {
    expect(whyIncomparable({ nodes: [node("dropout"), node("reparameterize")], edges: [] })).toBeNull();
  });
});
