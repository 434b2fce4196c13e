import { type Tensor, tensorOf } from "../export/tensor.ts";
import type { Body, Json } from "../graph/document.ts";
import type { TensorType } from "../graph/shape.ts";
import { say } from "../language/say.ts";
import { scalarOf } from "./constants.ts";
import { boundaryName, Drawing, Undrawable, type Wire } from "./drawing.ts";
import { type FileGraph, OnnxError, quote } from "./onnx-proto.ts";
import { type Known, known, type Reading } from "./onnx-reading.ts";

/** ONNX's If, Loop and Scan as zones. What their sub-graphs read from outside becomes an input of the zone, under the name of the value. */

/** What a sub-graph is to be read with: for each of its inputs, in order, what stands for it; and the ports that it captures. */
export type Inside = { graph: FileGraph; args: readonly (() => Known)[]; drawing: Drawing; ports: Ports };
/** What a sub-graph came to: what it gives, in order, and how to hold what is no wire. */
export type Read = { outputs: Known[]; asWire: (value: Known) => Wire };

/** Names of a zone's ports, each once, and the wires that come in from around it. */
export class Ports {
  readonly captured = new Map<string, Wire>();
  readonly #taken: Set<string>;
  readonly #byValue = new Map<string, string>();

  constructor(reserved: readonly string[]) {
    this.#taken = new Set(reserved);
  }

  /** A name like no other, as near to the wanted one as names here allow. */
  take(wanted: string, fallback: string): string {
    const base = boundaryName(wanted, fallback);
    let name = base;
    for (let i = 2; this.#taken.has(name); i++) name = `${base.slice(0, 60)}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /** The port by which a value from around the zone comes in. */
  of(value: string, wire: Wire): string {
    const port = this.#byValue.get(value) ?? this.take(value, "x");
    this.#byValue.set(value, port);
    this.captured.set(port, wire);
    return port;
  }
}

type Part = { body: Body; weights: Map<string, Map<string, Tensor>> };
const MOST_TURNS = 10_000;
const INDEX: TensorType = { dtype: "int64", shape: [] };

/** `If`: two bodies of which one runs. */
export function readIf(r: Reading): Known[] {
  const condition = r.wire(0);
  const branches = { then: r.graph("then_branch"), else: r.graph("else_branch") };
  const ports = new Ports(["condition"]);
  const names = branches.then.outputs.map(({ name }, i) => ports.take(name, i === 0 ? "y" : `y${i + 1}`));
  if (branches.else.outputs.length !== names.length)
    throw new OnnxError("ONNX_GRAPH", say("The branches of {op} {name} give different numbers of results.", { op: r.op, name: quote(r.node.name) }));
  const parts = Object.fromEntries(
    Object.entries(branches).map(([role, graph]): [string, Part] => {
      const drawing = new Drawing();
      const { outputs, asWire } = r.around.inside({ graph, args: [], drawing, ports });
      for (const [i, output] of outputs.entries()) drawing.result(names[i] ?? "", asWire(output));
      return [role, drawing.finishBody()];
    }),
  );
  const zone = addZone(r, "if", {}, { ...Object.fromEntries(ports.captured), condition }, parts);
  return names.map((name) => known.wire(zone(name)));
}

/** `Loop`: Repeat where nothing but the count ends it, else While. */
export function readLoop(r: Reading): Known[] {
  const graph = r.graph("body");
  const [, conditionInput, ...carriedInputs] = graph.inputs;
  const starts = carriedInputs.map((_, i) => r.wire(i + 2));
  if (r.node.inputs.length - 2 !== starts.length || graph.outputs.length < 1 + starts.length)
    throw new OnnxError("ONNX_GRAPH", say("The body of {op} {name} takes or gives another number of values than go round.", { op: r.op, name: quote(r.node.name) }));
  const first = r.input(1);
  const startsTrue = first === null || r.scalar(1) === 1;
  const ports = new Ports(["index", "times", "goes_on"]);
  const names = carriedInputs.map(({ name }, i) => ports.take(name, `carry${i + 1}`));
  const drawing = new Drawing();
  const carried = names.map((name, i) => drawing.argument(name, typeOf(starts[i])));
  let index: Wire | undefined;
  const { outputs, asWire } = r.around.inside({
    graph,
    args: [
      () => {
        index ??= drawing.argument("index", INDEX);
        return known.wire(index);
      },
      // It runs only where that is true.
      ...(conditionInput ? [() => known.constant(tensorOf("bool", [], [1]))] : []),
      ...carried.map((wire) => () => known.wire(wire)),
    ],
    drawing,
    ports,
  });
  const [goesOn, ...results] = outputs;
  if (!goesOn) throw new OnnxError("ONNX_GRAPH", say("The body of {op} {name} does not say whether it goes on.", { op: r.op, name: quote(r.node.name) }));
  for (const [i, name] of names.entries()) drawing.result(name, asWire(results[i] ?? { kind: "failed" }));
  const items = results.slice(names.length);
  const inputs = (): { [port: string]: Wire } => ({ ...Object.fromEntries(ports.captured), ...Object.fromEntries(names.map((name, i) => [name, starts[i] as Wire])) });
  const isCounted = startsTrue && goesOn.kind === "constant" && scalarOf(goesOn.tensor) === 1;

  if (isCounted) {
    const itemNames = items.map((item, i) => {
      const name = ports.take(graph.outputs[1 + names.length + i]?.name ?? "", `item${i + 1}`);
      drawing.result(name, asWire(item));
      return name;
    });
    if (!r.has(0)) r.refuse("it has neither a number of turns nor a condition that could end it.");
    const times = r.scalar(0);
    if (times !== null && times > MOST_TURNS) r.refuse(`it turns ${times} times, and Repeat at most ${MOST_TURNS}.`);
    const zone = addZone(r, "repeat", times === null ? {} : { times }, { ...inputs(), ...(times === null ? { times: r.wire(0) } : {}) }, { body: drawing.finishBody() });
    return [
      ...names.map((name) => known.wire(zone(name))),
      // Repeat collects behind the batch, Loop in front of it.
      ...itemNames.map((name) => known.wire(moveAxis(r, zone(name), 1, 0))),
    ];
  }

  if (items.length > 0) r.refuse("it collects something of each turn, and a condition decides how many turns there are.");
  if (index) r.refuse("it counts its turns and ends by a condition; a While here has no count. Let a number of your own go round instead.");
  if (r.has(0) && r.scalar(0) === null) r.refuse("both a condition and a number known only at run time end it.");
  drawing.result("goes_on", asWire(goesOn));
  const asking = new Drawing();
  asking.result("y", asking.argument("goes_on", first === null ? { dtype: "bool", shape: [] } : typeOf(r.wire(1))));
  const start = first === null ? r.hold(tensorOf("bool", [], [1]), "") : r.wire(1);
  // The body is asked whether it goes on, so that goes round too.
  const body = drawing.finishBody();
  const within: Body = { ...body.body, nodes: [...body.body.nodes, { id: "goes_on_before", type: "input", name: "goes_on", params: {}, at: { x: 240, y: 0 } }] };
  const zone = addZone(
    r,
    "while",
    { max_iterations: Math.min(MOST_TURNS, r.scalar(0) ?? MOST_TURNS) },
    { ...inputs(), goes_on: start },
    {
      condition: asking.finishBody(),
      body: { body: within, weights: body.weights },
    },
  );
  return names.map((name) => known.wire(zone(name)));
}

/** `Scan` over one sequence: ForEachStep. */
export function readScan(r: Reading): Known[] {
  const graph = r.graph("body");
  if (r.int("num_scan_inputs", 1) !== 1) r.refuse("it goes over several sequences at once, and ForEachStep over one: join them first.");
  const stateCount = graph.inputs.length - 1;
  const x = r.wire(stateCount);
  const axis = r.axis(r.ints("scan_input_axes")?.[0] ?? 0, x.type.shape.length);
  const isReverse = (r.ints("scan_input_directions")?.[0] ?? 0) === 1;
  const ports = new Ports(["x", "index", "lengths"]);
  const names = graph.inputs.slice(0, stateCount).map(({ name }, i) => ports.take(name, `carry${i + 1}`));
  const starts = names.map((_, i) => r.wire(i));
  const drawing = new Drawing();
  const args = [...names.map((name, i) => drawing.argument(name, typeOf(starts[i]))), drawing.argument("x", { dtype: x.type.dtype, shape: x.type.shape.toSpliced(axis, 1) })];
  const { outputs, asWire } = r.around.inside({ graph, args: args.map((wire) => () => known.wire(wire)), drawing, ports });
  const itemNames = outputs.slice(stateCount).map((_, i) => ports.take(graph.outputs[stateCount + i]?.name ?? "", `item${i + 1}`));
  for (const [i, name] of [...names, ...itemNames].entries()) drawing.result(name, asWire(outputs[i] ?? { kind: "failed" }));
  const inputs = { ...Object.fromEntries(ports.captured), ...Object.fromEntries(names.map((name, i) => [name, starts[i] as Wire])), x };
  const zone = addZone(r, "for_each_step", { dim: axis, reverse: isReverse }, inputs, { body: drawing.finishBody() });
  return [
    ...names.map((name) => known.wire(zone(name))),
    ...itemNames.map((name, i) => {
      const collected = zone(name);
      const rank = collected.type.shape.length;
      const to = r.axis(r.ints("scan_output_axes")?.[i] ?? 0, rank);
      // ForEachStep leaves each item in the place of its step.
      const keepsPlace = ((r.ints("scan_output_directions")?.[i] ?? 0) === 1) === isReverse;
      return known.wire(moveAxis(r, keepsPlace ? collected : r.draw("flip", { dims: [axis] }, { x: collected }), axis, to));
    }),
  ];
}

function addZone(r: Reading, type: string, params: { [name: string]: Json }, inputs: { [port: string]: Wire }, parts: { [role: string]: Part }): (output: string) => Wire {
  const bodies = Object.fromEntries(Object.entries(parts).map(([role, { body }]) => [role, body]));
  const inside = new Map(Object.entries(parts).flatMap(([role, { weights }]) => [...weights].map(([id, own]): [string, Map<string, Tensor>] => [`${role}/${id}`, own])));
  const { outputs } = r.around.drawing.add(type, params, inputs, { bodies, inside });
  return (name) => {
    const wire = outputs[name];
    if (!wire) throw new Undrawable(say("Its result {name} is not one that can be had here.", { name: quote(name) }));
    return wire;
  };
}

function typeOf(wire: Wire | undefined): TensorType {
  if (!wire) throw new Undrawable(say("A value that goes round has no start."));
  return wire.type;
}

function moveAxis(r: Reading, wire: Wire, from: number, to: number): Wire {
  if (from === to) return wire;
  const others = wire.type.shape.map((_, i) => i).filter((i) => i !== from);
  return r.draw("permute", { dims: others.toSpliced(to, 0, from) }, { x: wire });
}
