import type { Preprocess } from "../data/manifest.ts";
import type { Checked } from "../graph/check.ts";
import type { Body, Graph } from "../graph/document.ts";
import { bodyOf, foldBody, requirePredicting, type Step } from "../graph/fold.ts";
import { isFurniture } from "../graph/furniture.ts";
import { ancestorsOf, type BodyStep, weightName, weightPrefix } from "../graph/path.ts";
import { printShape } from "../graph/shape.ts";
import { bodyInputs } from "../layers/input.ts";
import { bodiesOf, type Inputs, portsOf } from "../layers/kit.ts";
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
 * The model as a Python file that needs PyTorch alone: an `nn.Module` whose attributes are named by the nodes, blocks as classes
 * of their own (equal ones share one), zones as plain `if`, `for` and `while`. Modules are made in the order in which the program
 * lists its weights, so the same seed gives the same first weights; `state_dict` keys are the weight names, or `load`
 * says which are not.
 *
 * The graph must be free of errors.
 */
export function exportPyTorch(whole: Graph, options: PyTorchOptions = {}): string {
  const { graph, checked } = requirePredicting(whole);
  const program = lowerModel(graph, { preprocess: options.preprocess });
  const classes: string[] = [];
  /** Names of the classes by what stands in them. */
  const classOf = new Map<string, string>();
  const classNames = new Identifiers(RESERVED_NAMES);
  /** Where each node's weights are in the module, by path: `layer1.0.conv1`. */
  const places = new Map<string, string>();

  if (options.preprocess) {
    classNames.of("Normalize");
    classes.push(NORMALIZE);
  }
  for (const helper of helpersOf(graph, [])) {
    classNames.of(/^class (\w+)/.exec(helper)?.[1] ?? "");
    classes.push(helper);
  }
  const model = classNames.of(className(options.className ?? "Model"));
  const written = writeBody(graph, [], "", []);
  const tied = tiedWeights();
  classes.push(writeClass(model, { ...written, made: [...written.made, ...tied.map(([own, owner]) => `${pythonPath(own)} = ${pythonPath(owner)}`)] }, [], describe(program)));

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
    ...writeLoading(model, renamedWeights(), tied),
    "",
    "",
    ...writeMain(model, program),
  ].join("\n")}\n`;

  /** The classes that layers bring with them, each once. */
  function helpersOf(body: Body, steps: readonly BodyStep[]): Set<string> {
    const helpers = new Set<string>();
    for (const placed of placeBody(checked, body, steps)) {
      const code = placed.layer.torch(placed.params, placed.types, placed.node);
      if ("forward" in code && code.helper) helpers.add(code.helper);
      const bodies = checked.composed.get(placed.path) ?? placed.node.bodies;
      // What PyTorch has a module for is not written out.
      if ("forward" in code || !bodies) continue;
      for (const role of Object.keys(bodies)) for (const helper of helpersOf(bodyOf(checked, placed, role), [...steps, { node: placed.node.id, role }])) helpers.add(helper);
    }
    return helpers;
  }

  /** Writes a body as the parts of a class. `prefix` is its own place in the `state_dict`; no attribute is called as one of `taken`. */
  function writeBody(body: Body, steps: readonly BodyStep[], prefix: string, taken: readonly string[]): Written {
    const placedNodes = placeBody(checked, body, steps);
    const attributes = attributeNames(
      placedNodes.map(({ node }) => node.id),
      taken,
    );
    const variables = new Variables(placedNodes);
    const made: string[] = [];
    const lines: string[] = [];
    const parameters = inOrder(bodyInputs(body)).map(({ node, name }) => variables.parameter(node.id, name));

    for (const [at, placed] of placedNodes.entries()) {
      const { node, layer, path, params, types } = placed;
      const attribute = attributes.of(node.id);
      const self = `self.${attribute}`;
      places.set(path, `${prefix}${attribute}`);
      if (layer.boundary) {
        if (layer.boundary.kind === "input" && options.preprocess && steps.length === 0 && types.outputs.y && isMeasure(types.outputs.y)) {
          made.push(`${self} = ${normalizeCall(program, path, options.preprocess)}`);
          const x = variables.of({ node: node.id, port: "y" });
          lines.push(`${x} = ${self}(${x})`);
        }
        continue;
      }
      const inputs: Inputs<string> = resolveSources(placed.sources, (source) => variables.of(source));
      const code = layer.torch(params, types, node);
      // The inputs of a chain are read at each turn, so what it gives must stand elsewhere.
      const outputs = variables.assign(placed, at, { keepsInputs: "chain" in code });
      const left = Object.values(outputs).join(", ");
      if ("lines" in code) {
        made.push(`${self} = ${writeZone(placed, steps, `${prefix}${attribute}.`, code.lines)}()`);
        lines.push(`${left} = ${self}(${Object.values(inputs).flat().join(", ")})`);
      } else if ("is" in code) {
        made.push(`${self} = ${moduleOf(placed, code.is, steps, `${prefix}${attribute}.`, node.name || (layer.bodies ? node.id : layer.title))}`);
        lines.push(`${left} = ${self}(${argumentsOf(placed, code.is, inputs)})`);
      } else if ("chain" in code) {
        const modules = code.chain.map((role) => moduleOf(placed, role, steps, `${prefix}${attribute}.${role}.`, node.name || node.id));
        const isPlain = Object.keys(outputs).length === 1 && Object.values(inputs).flat().length === 1;
        made.push(`${self} = ${writeChain(isPlain ? "nn.Sequential" : "nn.ModuleList", modules)}`);
        const [first] = code.chain;
        if (code.times !== undefined) made[made.length - 1] = `${self} = ${writeChain("nn.Sequential", modules)}`;
        if (first === undefined || (isPlain && code.times === undefined)) lines.push(`${left} = ${self}(${Object.values(inputs).flat().join(", ")})`);
        else {
          // What a copy gives goes into the next one under the name that goes with it: y into x, any other into itself.
          const carried: { [port: string]: string } = { ...inputs } as { [port: string]: string };
          for (const [port, variable] of Object.entries(outputs)) {
            const into = port === "y" && !Object.hasOwn(carried, "y") ? "x" : port;
            if (carried[into] !== undefined && carried[into] !== variable) lines.push(`${variable} = ${carried[into]}`);
            if (carried[into] !== undefined) carried[into] = variable;
          }
          lines.push(code.times === undefined ? `for layer in ${self}:` : `for _ in range(${code.times}):`);
          lines.push(`    ${left} = ${code.times === undefined ? "layer" : `${self}[0]`}(${argumentsOf(placed, first, carried)})`);
        }
      } else {
        if (code.module) made.push(`${self} = ${code.module}`);
        lines.push(`${code.assign ? code.assign(outputs) : left} = ${code.forward(self, inputs)}`);
      }
    }
    const results = inOrder(bodyOutputs(body)).map(({ node }) => {
      const source = placedNodes.find((placed) => placed.node.id === node.id)?.sources.x;
      if (!source || Array.isArray(source)) throw new Error(`Output ${node.id} of a checked graph has a wire.`);
      return variables.of(source);
    });
    lines.push(`return ${results.join(", ")}`);
    return { made, parameters, lines };
  }

  /** What makes the module of one of a node's bodies: `nn.Sequential(…)` where it is a plain row of modules, else its class. */
  function moduleOf(placed: Placed, role: string, steps: readonly BodyStep[], prefix: string, wanted: string): string {
    const body = bodyOf(checked, placed, role);
    const inside = [...steps, { node: placed.node.id, role }];
    const row = rowOf(body);
    if (row) {
      const nodes = new Map(placeBody(checked, body, inside).map((inner) => [inner.node.id, inner]));
      const modules = row.map((id) => {
        const inner = nodes.get(id);
        if (!inner) return null;
        const code = inner.layer.torch(inner.params, inner.types, inner.node);
        places.set(inner.path, `${prefix}${id}`);
        if ("is" in code) return moduleOf(inner, code.is, inside, `${prefix}${id}.`, inner.node.name || (inner.layer.bodies ? `${wanted}_${id}` : inner.layer.title));
        return "module" in code && code.module && !code.assign && code.forward("self", { x: "x" }) === "self(x)" ? code.module : null;
      });
      if (modules.every((module) => module !== null)) return writeChain("nn.Sequential", modules);
    }
    return `${shareClass(wanted, writeBody(body, inside, prefix, []), [])}()`;
  }

  /** Writes the class of a zone: its bodies as a method `body` and as children named by the other roles, and a `forward` with the control flow. */
  function writeZone(
    placed: Placed,
    steps: readonly BodyStep[],
    prefix: string,
    writeLines: (inputs: Inputs<string>, call: (role: string, args: { [name: string]: string }) => string, fresh: (wanted: string) => string) => string[],
  ): string {
    const { node, layer, sources } = placed;
    const wanted = className(node.name || node.id);
    const roles = Object.keys(checked.composed.get(placed.path) ?? bodiesOf(layer, node));
    const attributes = attributeNames(roles);
    const made: string[] = [];
    const methods: string[][] = [];
    for (const role of roles) {
      const attribute = attributes.of(role);
      if (role === "body") {
        const body = writeBody(bodyOf(checked, placed, role), [...steps, { node: node.id, role }], prefix, roles);
        made.push(...body.made);
        methods.push([`def body(${["self", ...body.parameters].join(", ")}):`, ...body.lines.map((line) => `    ${line}`)]);
      } else made.push(`self.${attribute} = ${moduleOf(placed, role, steps, `${prefix}${attribute}.`, `${wanted}_${role}`)}`);
    }
    const parameters = new Identifiers(RESERVED_NAMES);
    const inputs: Inputs<string> = {};
    for (const [port, source] of Object.entries(sources)) {
      if (source) inputs[port] = Array.isArray(source) ? source.map((_, i) => parameters.of(`${port}${i + 1}`)) : parameters.of(port);
    }
    const lines = writeLines(
      inputs,
      (role, args) => `self.${attributes.of(role)}(${argumentsOf(placed, role, args)})`,
      (wanted) => parameters.fresh(wanted),
    );
    return shareClass(wanted, { made, parameters: Object.values(inputs).flatMap((input) => input ?? []), lines }, methods);
  }

  /** Arguments of the module of a body, in the order of its inputs' names. */
  function argumentsOf(placed: Placed, role: string, args: Inputs<string>): string {
    return inOrder(bodyInputs(bodyOf(checked, placed, role)))
      .map(({ name }) => args[name] ?? "None")
      .join(", ");
  }

  /** The name of the class with these parts: that of one written before, or `wanted`, written now. */
  function shareClass(wanted: string, parts: Written, methods: string[][]): string {
    const text = writeClass("", parts, methods);
    const known = classOf.get(text);
    if (known !== undefined) return known;
    const name = classNames.of(className(wanted));
    // Asked for again, an id gets the same name; another class needs another.
    const own = classes.some((code) => code.startsWith(`class ${name}(`)) ? classNames.fresh(className(wanted)) : name;
    classOf.set(text, own);
    classes.push(writeClass(own, parts, methods));
    return own;
  }

  /** Weights whose `state_dict` key differs from their name. */
  function renamedWeights(): [ours: string, theirs: string][] {
    return program.weights.flatMap(({ name, node }): [string, string][] => {
      // Inside a module that PyTorch has, names are PyTorch's own.
      const written = [node, ...ancestorsOf(node)].find((path) => places.has(path)) ?? node;
      const theirs = [places.get(written) ?? weightName(written, ""), name.slice(weightPrefix(written).length)].filter(Boolean).join(".");
      return theirs === name ? [] : [[name, theirs]];
    });
  }

  /** Weights that are another's, both by `state_dict` key. */
  function tiedWeights(): [own: string, owner: string][] {
    const keys = new Map([...places].map(([path, place]) => [weightPrefix(path), `${place}.`]));
    const keyOfWeight = (name: string) => {
      const stem = [...keys.keys()].filter((start) => name.startsWith(start)).sort((a, b) => b.length - a.length)[0] ?? "";
      return `${keys.get(stem) ?? ""}${name.slice(stem.length)}`;
    };
    return [...checked.shared].map(([own, owner]) => [keyOfWeight(own), keyOfWeight(owner)]);
  }
}

/** `self.stack_1[0].linear.weight`: numbers are places in an nn.Sequential. */
function pythonPath(place: string): string {
  return place.split(".").reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : `${path}.${part}`), "self");
}

/** The parts of a class. */
type Written = { made: string[]; parameters: string[]; lines: string[] };

/** The ids of a body that is one row of nodes named 0, 1, 2, … from its input to its output, as `nn.Sequential` names them; else null. */
function rowOf(body: Body): string[] | null {
  const drawn = body.nodes.filter((node) => !isFurniture(node));
  const inner = drawn.filter(({ type }) => type !== "input" && type !== "output");
  const ids = inner.map(({ id }) => id).sort((a, b) => Number(a) - Number(b));
  if (ids.length === 0 || ids.some((id, i) => id !== String(i)) || drawn.length !== ids.length + 2 || body.edges.length !== ids.length + 1) return null;
  const first = body.nodes.find(({ type }) => type === "input")?.id;
  const last = body.nodes.find(({ type }) => type === "output")?.id;
  const row = [first, ...ids, last];
  const joined = (from: string | undefined, to: string | undefined) =>
    body.edges.some((edge) => edge.from.node === from && edge.from.port === "y" && edge.to.node === to && edge.to.port === "x");
  return row.slice(1).every((to, i) => joined(row[i], to)) ? ids : null;
}

/** `nn.Sequential(…)` of these modules, on several lines where that reads better; equal ones are made in a loop. */
function writeChain(callee: string, modules: string[]): string {
  const [first] = modules;
  if (first !== undefined && modules.length > 1 && modules.every((module) => module === first))
    return callee === "nn.ModuleList" ? `${callee}(${first} for _ in range(${modules.length}))` : `${callee}(*(${first} for _ in range(${modules.length})))`;
  const wrapped = callee === "nn.ModuleList" ? ["[", "]"] : ["", ""];
  if (modules.join(", ").length < 80 && !modules.some((module) => module.includes("\n"))) return `${callee}(${wrapped[0]}${modules.join(", ")}${wrapped[1]})`;
  return [`${callee}(${wrapped[0]}`, ...modules.map((module) => `${module},`.replaceAll(/^/gm, "    ")), `${wrapped[1]})`].join("\n");
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

function writeClass(name: string, { made, parameters, lines }: Written, methods: string[][], doc?: string): string {
  const indent = (text: string, spaces: number) => text.replaceAll(/^(?=.)/gm, " ".repeat(spaces));
  return [
    `class ${name}(nn.Module):`,
    ...(doc ? [`    """${doc}"""`, ""] : []),
    ...(made.length > 0 ? ["    def __init__(self):", "        super().__init__()", ...made.map((line) => indent(line, 8)), ""] : []),
    ...methods.flatMap((method) => [...method.map((line) => indent(line, 4)), ""]),
    `    def forward(${["self", ...parameters].join(", ")}):`,
    ...lines.map((line) => indent(line, 8)),
  ].join("\n");
}

/** A function that makes the model with the weights of a safetensors file. */
function writeLoading(model: string, renamed: [ours: string, theirs: string][], tied: [own: string, owner: string][]): string[] {
  return [
    `def load(path="model.safetensors"):`,
    `    """The model with the weights of this file, ready to predict."""`,
    "    from safetensors.torch import load_file",
    "",
    `    model = ${model}()`,
    "    weights = load_file(path)",
    ...(renamed.length === 0
      ? []
      : [
          "    # Names of the file that cannot be names in Python.",
          "    renamed = {",
          ...renamed.map(([ours, theirs]) => `        ${quote(ours)}: ${quote(theirs)},`),
          "    }",
          "    weights = {renamed.get(name, name): tensor for name, tensor in weights.items()}",
        ]),
    ...tied.map(([own, owner]) => `    weights[${quote(own)}] = weights[${quote(owner)}]  # tied`),
    "    model.load_state_dict(weights)",
    "    return model.eval()",
  ];
}

function writeMain(model: string, program: Program): string[] {
  const example = program.inputs.map(({ dtype, shape }) => {
    const sizes = pythonTuple(shape.map((size) => (typeof size === "number" ? size : size === "B" ? 4 : 8)));
    if (dtype === "uint8") return `torch.randint(0, 256, ${sizes}, dtype=torch.uint8)`;
    // One whole number a sample is a length or a choice, which may have to be at least 1.
    if (dtype === "int64") return shape.length === 1 ? `torch.ones(${sizes}, dtype=torch.int64)` : `torch.randint(0, 2, ${sizes})`;
    return `torch.randn(${sizes})`;
  });
  const names = new Identifiers([...RESERVED_NAMES, model, "model", "sys", "load"]);
  const inputs = program.inputs.map(({ name }) => names.of(name));
  return [
    `if __name__ == "__main__":`,
    "    import sys",
    "",
    "    model = load(*sys.argv[1:2])",
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
  assign({ node, layer, sources }: Placed, at: number, { keepsInputs }: { keepsInputs: boolean }): { [port: string]: string } {
    const release = () => {
      for (const source of Object.values(sources).flatMap((source) => source ?? [])) {
        if (this.#lastUse.get(keyOf(source)) === at) this.#live.delete(this.of(source));
      }
    };
    const isHeld = keepsInputs && Object.values(sources).flat().length > 1;
    if (!isHeld) release();
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
    if (isHeld) release();
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
