import type { Preprocess } from "../data/manifest.ts";
import type { Checked } from "../graph/check.ts";
import type { Body, Graph } from "../graph/document.ts";
import { foldBody, requireValid, type Step } from "../graph/fold.ts";
import { type BodyStep, weightName } from "../graph/path.ts";
import { printShape } from "../graph/shape.ts";
import { bodyInputs } from "../layers/input.ts";
import { type Inputs, portsOf } from "../layers/kit.ts";
import { bodyOutputs } from "../layers/output.ts";
import { pythonTuple } from "../layers/params.ts";
import { isMeasure, lowerModel } from "../program/lower.ts";
import type { Program } from "../program/program.ts";
import { attributeNames, className, Identifiers, quote, RESERVED_NAMES } from "./python.ts";

export type PyTorchOptions = {
  /** Name of the module's class; `Model` where absent. */
  className?: string;
  /** Of the training data: put inside, so that the module takes the data as it is stored. */
  preprocess?: Preprocess;
};

/**
 * The model as a Python file that needs PyTorch alone: an `nn.Module` whose attributes are named by the nodes, with zones as
 * plain `if`, `for` and `while`. Modules are made in the order in which the program lists its weights, so the same seed gives
 * the same first weights; `state_dict` keys are the weight names, or `RENAMED` says which are not.
 *
 * The graph must be free of errors.
 */
export function exportPyTorch(graph: Graph, options: PyTorchOptions = {}): string {
  const checked = requireValid(graph);
  const program = lowerModel(graph, { preprocess: options.preprocess });
  const classes: string[] = [];
  const classNames = new Identifiers(RESERVED_NAMES);
  const renamed: [ours: string, theirs: string][] = [];

  if (options.preprocess) {
    classNames.of("Normalize");
    classes.push(NORMALIZE);
  }
  const model = classNames.of(className(options.className ?? "Model"));
  writeModule(model, graph, [], "", describe(program));

  const code = classes.join("\n\n\n");
  return `${[
    "import torch",
    "from torch import nn",
    ...(/\bF\./.test(code) ? ["from torch.nn import functional as F"] : []),
    "",
    "",
    code,
    "",
    "",
    ...writeMain(model, program, renamed),
  ].join("\n")}\n`;

  /** Writes the class of a body, after the classes it is made of. `prefix` is the body's own place in the `state_dict`. */
  function writeModule(name: string, body: Body, steps: readonly BodyStep[], prefix: string, doc?: string): void {
    const placedNodes = placeBody(checked, body, steps);
    const attributes = attributeNames(placedNodes.map(({ node }) => node.id));
    const variables = new Variables(placedNodes);
    const made: string[] = [];
    const lines: string[] = [];
    const parameters = inOrder(bodyInputs(body)).map(({ node, name }) => variables.parameter(node.id, name));

    for (const [at, placed] of placedNodes.entries()) {
      const { node, layer, path, params, types } = placed;
      const attribute = attributes.of(node.id);
      if (layer.boundary) {
        if (layer.boundary.kind === "input" && options.preprocess && steps.length === 0 && types.outputs.y && isMeasure(types.outputs.y)) {
          made.push(`self.${attribute} = ${normalizeCall(program, path, options.preprocess)}`);
          const x = variables.of({ node: node.id, port: "y" });
          lines.push(`${x} = self.${attribute}(${x})`);
          rename(path, attribute);
        }
        continue;
      }
      const inputs: Inputs<string> = resolveSources(placed.sources, (source) => variables.of(source));
      const code = layer.torch(params, types);
      const outputs = variables.assign(placed, at);
      if ("lines" in code) {
        const zone = classNames.of(className(steps.length === 0 ? node.id : `${steps.map(({ node }) => node).join("_")}_${node.id}`));
        writeZone(zone, placed, steps, `${prefix}${attribute}.`, code.lines);
        made.push(`self.${attribute} = ${zone}()`);
        lines.push(`${Object.values(outputs).join(", ")} = self.${attribute}(${Object.values(inputs).flat().join(", ")})`);
      } else {
        if (code.module) made.push(`self.${attribute} = ${code.module}`);
        const left = code.assign ? code.assign(outputs) : Object.values(outputs).join(", ");
        lines.push(`${left} = ${code.forward(`self.${attribute}`, inputs)}`);
      }
      rename(path, `${prefix}${attribute}`);
    }
    const results = inOrder(bodyOutputs(body)).map(({ node }) => {
      const source = placedNodes.find((placed) => placed.node.id === node.id)?.sources.x;
      if (!source || Array.isArray(source)) throw new Error(`Output ${node.id} of a checked graph has a wire.`);
      return variables.of(source);
    });
    lines.push(`return ${results.join(", ")}`);
    classes.push(writeClass(name, made, parameters, lines, doc));
  }

  /** Writes the class of a zone: its bodies as children, and a `forward` with the control flow. */
  function writeZone(
    name: string,
    { node, layer, sources }: Placed,
    steps: readonly BodyStep[],
    prefix: string,
    writeLines: (inputs: Inputs<string>, call: (role: string, args: { [name: string]: string }) => string) => string[],
  ): void {
    const roles = Object.keys(node.bodies ?? {}).sort((a, b) => Object.keys(layer.bodies ?? {}).indexOf(a) - Object.keys(layer.bodies ?? {}).indexOf(b));
    const attributes = attributeNames(roles);
    for (const role of roles) {
      const body = node.bodies?.[role];
      if (body) writeModule(classNames.of(`${name}${className(role)}`), body, [...steps, { node: node.id, role }], `${prefix}${attributes.of(role)}.`);
    }
    const parameters = new Identifiers(RESERVED_NAMES);
    const inputs: Inputs<string> = {};
    for (const [port, source] of Object.entries(sources)) {
      if (source) inputs[port] = Array.isArray(source) ? source.map((_, i) => parameters.of(`${port}${i + 1}`)) : parameters.of(port);
    }
    const call = (role: string, args: { [name: string]: string }) => {
      const body = node.bodies?.[role];
      if (!body) throw new Error(`${node.id} has no body ${role}.`);
      return `self.${attributes.of(role)}(${inOrder(bodyInputs(body))
        .map(({ name }) => args[name] ?? "None")
        .join(", ")})`;
    };
    const made = roles.map((role) => `self.${attributes.of(role)} = ${classNames.of(`${name}${className(role)}`)}()`);
    classes.push(
      writeClass(
        name,
        made,
        Object.values(inputs).flatMap((input) => input ?? []),
        writeLines(inputs, call),
      ),
    );
  }

  /** Notes the weights of the node at `path` whose `state_dict` key differs from their name. */
  function rename(path: string, attributePath: string): void {
    const ours = weightName(path, "");
    const theirs = `${attributePath}.`;
    if (ours === theirs) return;
    for (const { name, node } of program.weights) if (node === path) renamed.push([name, theirs + name.slice(ours.length)]);
  }
}

const NORMALIZE = `class Normalize(nn.Module):
    """Brings data as it is stored to what the network was trained on: (x * scale - mean) / std."""

    def __init__(self, scale=1.0, mean=None, std=None):
        super().__init__()
        self.scale = scale
        self.register_buffer("mean", None if mean is None else torch.tensor(mean))
        self.register_buffer("std", None if std is None else torch.tensor(std))

    def forward(self, x):
        x = x.float() * self.scale
        if self.mean is not None:
            x = x - self.mean
        if self.std is not None:
            x = x / self.std
        return x`;

/** `Normalize(0.5, mean=[...])`: with the moments that the program has, as nested lists of their shape there. */
function normalizeCall(program: Program, path: string, { scale }: Preprocess): string {
  const moments = (["mean", "std"] as const).flatMap((part) => {
    const weight = program.weights.find(({ name }) => name === weightName(path, part));
    if (weight?.init.kind !== "values") return [];
    const depth = weight.shape.length - 1;
    return [`${part}=[${weight.init.values.map((value) => `${"[".repeat(depth)}${float(value)}${"]".repeat(depth)}`).join(", ")}]`];
  });
  return `Normalize(${[float(scale), ...moments].join(", ")})`;
}

function float(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

/** A body's inputs or outputs in the order of their names, which is the order of arguments and results. */
function inOrder<T extends { name: string }>(boundary: T[]): T[] {
  return boundary.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** An output port of a node of the same body. */
type Source = { node: string; port: string };

/** A node with what is wired into each of its ports. */
type Placed = Step & { sources: Inputs<Source> };

/** The nodes of a body in the order in which they run. */
function placeBody(checked: Checked, body: Body, steps: readonly BodyStep[]): Placed[] {
  const placed: Placed[] = [];
  foldBody<Source>(checked, body, steps, {}, (step, sources) => {
    placed.push({ ...step, sources });
    return Object.fromEntries(Object.keys(portsOf(step.layer, step.node).outputs).map((port) => [port, { node: step.node.id, port }]));
  });
  return placed;
}

function resolveSources(sources: Inputs<Source>, find: (source: Source) => string): Inputs<string> {
  return Object.fromEntries(Object.entries(sources).map(([port, source]) => [port, Array.isArray(source) ? source.map(find) : source && find(source)]));
}

function writeClass(name: string, made: string[], parameters: string[], lines: string[], doc?: string): string {
  return [
    `class ${name}(nn.Module):`,
    ...(doc ? [`    """${doc}"""`, ""] : []),
    ...(made.length > 0 ? ["    def __init__(self):", "        super().__init__()", ...made.map((line) => `        ${line}`), ""] : []),
    `    def forward(${["self", ...parameters].join(", ")}):`,
    ...lines.map((line) => `        ${line}`),
  ].join("\n");
}

function writeMain(model: string, program: Program, renamed: [ours: string, theirs: string][]): string[] {
  const example = program.inputs.map(({ dtype, shape }) => {
    const sizes = pythonTuple(shape.map((size) => (typeof size === "number" ? size : size === "B" ? 4 : 8)));
    if (dtype === "uint8") return `torch.randint(0, 256, ${sizes}, dtype=torch.uint8)`;
    if (dtype === "int64") return `torch.randint(0, 2, ${sizes})`;
    return `torch.randn(${sizes})`;
  });
  const names = new Identifiers([...RESERVED_NAMES, "model", "renamed", "sys", "load_file"]);
  const inputs = program.inputs.map(({ name }) => names.of(name));
  const path = `sys.argv[1] if len(sys.argv) > 1 else "model.safetensors"`;
  return [
    `if __name__ == "__main__":`,
    "    import sys",
    "",
    "    from safetensors.torch import load_file",
    "",
    `    model = ${model}()`,
    ...(renamed.length === 0
      ? [`    model.load_state_dict(load_file(${path}))`]
      : [
          "    # Names of the file that cannot be names in Python.",
          "    renamed = {",
          ...renamed.map(([ours, theirs]) => `        ${quote(ours)}: ${quote(theirs)},`),
          "    }",
          `    model.load_state_dict({renamed.get(name, name): tensor for name, tensor in load_file(${path}).items()})`,
        ]),
    "    model.eval()",
    ...inputs.map((name, i) => `    ${name} = ${example[i]}`),
    "    with torch.no_grad():",
    `        print(model(${inputs.join(", ")}))`,
  ];
}

/** `Takes x [B, 1, 28, 28] uint8; gives y.` */
function describe(program: Program): string {
  const takes = program.inputs.map(({ name, dtype, shape }) => `${name} ${printShape(shape)}${dtype === "float32" ? "" : ` ${dtype}`}`).join(", ");
  return `Takes ${takes}; gives ${inOrder(program.outputs)
    .map(({ name }) => name)
    .join(", ")}.`.replaceAll(/["\\]/g, "'");
}

/** Names of values in one `forward`. A value that is used up hands its name on, so that a chain reads `x = self.conv1(x)`. */
class Variables {
  readonly #bySource = new Map<string, string>();
  readonly #lastUse = new Map<string, number>();
  readonly #live = new Set<string>();

  constructor(nodes: readonly Placed[]) {
    for (const [at, { layer, sources }] of nodes.entries()) {
      for (const source of Object.values(sources).flatMap((source) => source ?? [])) {
        // What goes outside is read by the `return` at the end.
        this.#lastUse.set(keyOf(source), layer.boundary?.kind === "output" ? Infinity : Math.max(at, this.#lastUse.get(keyOf(source)) ?? 0));
      }
    }
  }

  /** The variable that holds the value. */
  of(source: Source): string {
    const variable = this.#bySource.get(keyOf(source));
    if (variable === undefined) throw new Error(`${source.node} is used before it is computed.`);
    return variable;
  }

  /** The name of an argument of `forward`, which holds the value of an input node. */
  parameter(node: string, name: string): string {
    const variable = this.#fresh(new Identifiers(RESERVED_NAMES).of(name));
    this.#bySource.set(keyOf({ node, port: "y" }), variable);
    return variable;
  }

  /** Variables for the outputs of a node, by port; `_` for those that nobody reads. */
  assign({ node, layer, sources }: Placed, at: number): { [port: string]: string } {
    for (const source of Object.values(sources).flatMap((source) => source ?? [])) {
      if (this.#lastUse.get(keyOf(source)) === at) this.#live.delete(this.of(source));
    }
    const freed = Object.values(sources)
      .flatMap((source) => source ?? [])
      .map((source) => this.of(source))
      .filter((variable) => !this.#live.has(variable));
    const assigned: { [port: string]: string } = {};
    for (const port of Object.keys(portsOf(layer, node).outputs)) {
      const key = keyOf({ node: node.id, port });
      const variable = this.#lastUse.has(key) ? this.#fresh(freed.find((variable) => !this.#live.has(variable))) : "_";
      this.#bySource.set(key, variable);
      assigned[port] = variable;
    }
    return assigned;
  }

  #fresh(wanted = "x"): string {
    const candidates = [wanted, "x", "h", "u", "v", "w", "z"];
    let variable = candidates.find((name) => !this.#live.has(name) && name !== "self");
    for (let i = 2; variable === undefined; i++) variable = this.#live.has(`h${i}`) ? undefined : `h${i}`;
    this.#live.add(variable);
    return variable;
  }
}

function keyOf({ node, port }: Source): string {
  return `${node}:${port}`;
}
