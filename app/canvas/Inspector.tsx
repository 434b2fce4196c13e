"use client";

import Link from "next/link";
import { lazy, Suspense } from "react";
import { type Checked, paramsOf } from "../../core/graph/check.ts";
import type { Definitions, Graph, Node } from "../../core/graph/document.ts";
import { isFurniture } from "../../core/graph/furniture.ts";
import { type BodyStep, pathOf } from "../../core/graph/path.ts";
import { bytesPerSample, formatShape, type TensorType } from "../../core/graph/shape.ts";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { bodiesOf, type Layer, portsOf } from "../../core/layers/kit.ts";
import { lookAt, measures } from "../../core/training/look.ts";
import { useMayChange } from "../account/useRole.ts";
import { Button } from "../ui/Button.tsx";
import { Field, TextInput } from "../ui/Field.tsx";
import { formatBytes, formatCount } from "../ui/format.ts";
import { Menu } from "../ui/Menu.tsx";
import { Line } from "../ui/Panel.tsx";
import { Tabs } from "../ui/Tabs.tsx";
import { BlockForm } from "./BlockForm.tsx";
import { blockAround, exposeParam, groupSelection, unexposeParam, unpackNode } from "./blockEdits.ts";
import { useChecked } from "./checked.ts";
import { commands, PARAMS_ID, PUT_INTO } from "./commands.ts";
import { deleteSelection, enterBody, renameNode, resetParam, setParam } from "./edits.ts";
import { FurnitureForm } from "./FurnitureForm.tsx";
import { restoreNode } from "./furnitureEdits.ts";
import { LayerHelp } from "./help/LayerHelp.tsx";
import { useSample, YourSample } from "./help/YourSample.tsx";
import { isMac, printKeys } from "./keys.ts";
import { plainTitle, titleOf } from "./names.ts";
import { ParamField } from "./ParamField.tsx";
import { ProblemNote } from "./ProblemNote.tsx";
import { LiveOutput } from "./preview/LiveOutput.tsx";
import { usePulse } from "./pulse/usePulse.ts";
import { TuningForm } from "./TuningForm.tsx";
import { bodyAt, useGraph } from "./useGraph.ts";
import { useLevel } from "./useLevel.ts";
import { useStudio } from "./useStudio.ts";
import { Weights } from "./Weights.tsx";

/** How many parameters the simple level shows: records name those first that matter most. */
const FEW = 4;
const CodeTab = lazy(() => import("./CodeTab.tsx"));
const StartWeights = lazy(() => import("../models/StartWeights.tsx"));

/** What can be known and set about what is selected: parameters, what flows, cost; how its layer works; the model as code. */
export default function Inspector() {
  const tab = useStudio((s) => s.tab);
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const selection = useGraph((s) => s.selection);
  const mayChange = useMayChange();
  const checked = useChecked();
  const body = bodyAt(graph, scope);
  const nodes = body.nodes.filter((node) => selection.nodes.has(node.id));
  const [node] = nodes.length === 1 ? nodes : [];
  const layer = node && findLayer(node.type);
  const edge = nodes.length === 0 && selection.edges.size === 1 ? body.edges.find((e) => selection.edges.has(e.id)) : undefined;
  const path = node && pathOf(scope, node.id);
  const flow = useSample(tab === "help" ? node : undefined);

  const title = node ? plainTitle(node, graph.definitions) : nodes.length > 1 ? say("{count} nodes", { count: nodes.length }) : edge ? say("Wire") : say("Model");
  const content =
    node && path ? (
      isFurniture(node) ? (
        <FurnitureForm key={path} node={node} />
      ) : layer ? (
        <NodeForm key={path} node={node} layer={layer} path={path} checked={checked} />
      ) : (
        <UnknownNode node={node} path={path} checked={checked} />
      )
    ) : nodes.length > 1 ? (
      <Several nodes={nodes} paths={nodes.map((n) => pathOf(scope, n.id))} checked={checked} />
    ) : edge ? (
      <Wire
        from={`${nameOf(body.nodes, edge.from.node, graph.definitions)} ${edge.from.port}`}
        to={`${nameOf(body.nodes, edge.to.node, graph.definitions)} ${edge.to.port}`}
        type={checked.types.get(pathOf(scope, edge.from.node))?.outputs[edge.from.port]}
      />
    ) : (
      <ModelSummary checked={checked} nodeCount={graph.nodes.length} />
    );

  return (
    <Tabs
      label={say("Inspector")}
      className="h-full"
      value={tab}
      onValue={(id) => useStudio.setState({ tab: id === "help" ? "help" : id === "code" ? "code" : "node" })}
      tabs={[
        {
          id: "node",
          title,
          // Whoever may only look sees everything and sets nothing.
          content: (
            <fieldset disabled={!mayChange} className="contents">
              {content}
            </fieldset>
          ),
        },
        {
          id: "help",
          title: say("Help"),
          content: layer ? (
            <div className="px-3.5 py-3">
              <h2 className="pb-1.5 text-lg font-semibold">{layer.title}</h2>
              <LayerHelp layer={layer} node={node} types={path === undefined ? undefined : checked.types.get(path)} spread={flow?.before}>
                <YourSample flow={flow} />
              </LayerHelp>
              <Link href={`/layers/${layer.type}`} target="_blank" className="mt-3.5 inline-block text-accent hover:underline">
                {say("Its own page")}
              </Link>
            </div>
          ) : (
            <Keys />
          ),
        },
        {
          id: "code",
          title: say("Code"),
          content: (
            <Suspense>
              <CodeTab />
            </Suspense>
          ),
        },
      ]}
    />
  );
}

function nameOf(nodes: readonly Node[], id: string, definitions: Definitions | undefined): string {
  const node = nodes.find((n) => n.id === id);
  return node ? titleOf(node, definitions) : id;
}

/** Whether an Input inside a zone has a value of its own where nothing is connected to its port. */
function canStartAlone(graph: Graph, scope: readonly BodyStep[], name: string): boolean {
  const around = scope.at(-1);
  const zone = around && bodyAt(graph, scope.slice(0, -1)).nodes.find(({ id }) => id === around.node);
  const layer = zone && findLayer(zone.type);
  return zone !== undefined && layer !== undefined && portsOf(layer, zone).inputs[name]?.optional === true;
}

function NodeForm({ node, layer, path, checked }: { node: Node; layer: Layer; path: string; checked: Checked }) {
  const types = checked.types.get(path);
  const outputs = Object.entries(types?.outputs ?? {});
  const parameters = checked.parameterCount.get(path) ?? 0;
  const multiplyAdds = checked.multiplyAdds.get(path) ?? 0;
  // What is wrong with a text is said under the text.
  const inField = (param: string | undefined) => param !== undefined && layer.params[param]?.control.kind === "code";
  const problems = checked.problems.filter((problem) => problem.node === path && problem.code !== "GRAPH_UNUSED" && !inField(problem.param));
  const { inputs, outputs: outputPorts } = portsOf(layer, node);
  const fromOutside = layer.boundary?.kind === "input" && path.includes("/");
  const graph = useGraph((s) => s.graph);
  const scope = useGraph((s) => s.scope);
  const composed = layer.compose && !layer.bodies ? checked.composed.get(path)?.body : undefined;
  // Inside a block every parameter may stand on its outside.
  const around = fromOutside ? null : blockAround(graph, scope);
  const exposed = around?.definition === undefined ? [] : (graph.definitions?.[around.definition]?.exposed ?? []);
  const outsideName = (param: string) => exposed.find((one) => around && one.node === pathOf(around.inner, node.id) && one.param === param)?.name ?? null;
  const toggleOutside = (param: string) => {
    const name = outsideName(param);
    if (name !== null && around?.definition !== undefined) unexposeParam(around.definition, name);
    else exposeParam(node.id, param);
  };
  const [level, setLevel] = useLevel("node");
  const startsAlone = fromOutside && canStartAlone(graph, scope, node.name?.trim() || (layer.boundary?.name ?? ""));
  const params = Object.entries(fromOutside && !startsAlone ? {} : layer.params).filter(([, param]) => !param.hidden);
  // What was set, stands outside or is wrong is never put away.
  const isShown = (name: string, index: number) =>
    level === "expert" ||
    params.length <= FEW + 1 ||
    index < FEW ||
    Object.hasOwn(node.params, name) ||
    outsideName(name) !== null ||
    checked.problems.some((problem) => problem.node === path && problem.param === name);
  return (
    <div className="px-3.5 pt-3 pb-6">
      {problems.length > 0 && (
        <div className="mb-3 space-y-2">
          {problems.map((problem, index) => (
            <ProblemNote key={index} problem={problem} />
          ))}
        </div>
      )}
      <Field label={say("Name")}>
        {(ids) => (
          <TextInput
            {...ids}
            key={node.name ?? ""}
            defaultValue={node.name ?? ""}
            placeholder={plainTitle(node, graph.definitions)}
            maxLength={120}
            onBlur={(event) => event.target.value.trim() !== (node.name ?? "") && renameNode(node.id, event.target.value.trim())}
            onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
          />
        )}
      </Field>
      {fromOutside && (
        <p className="pt-1 text-sm text-ink2">
          {say("What it gives comes from around the zone; its name is the name it goes by there.")}
          {startsAlone && say(" Where nothing is connected there, it starts at zeros of this shape.")}
        </p>
      )}
      {node.bypass && <Bypassed node={node} />}
      <div id={PARAMS_ID}>
        {params.map(([name, param], index) =>
          !isShown(name, index) ? null : (
            <ParamField
              key={name}
              inputs={types?.inputs}
              outside={around ? { name: outsideName(name), onToggle: () => toggleOutside(name) } : undefined}
              name={name}
              param={param}
              value={Object.hasOwn(node.params, name) ? node.params[name] : paramsOf(layer, node)[name]}
              changed={Object.hasOwn(node.params, name)}
              onValue={(value) => setParam(node.id, name, value)}
              onReset={() => resetParam(node.id, name)}
            />
          ),
        )}
        {params.length > FEW + 1 && (
          <button type="button" className="pt-1.5 text-sm text-accent hover:underline" onClick={() => setLevel(level === "expert" ? "simple" : "expert")}>
            {level === "expert" ? say("Show the parameters that matter most") : say("Show all {count} parameters", { count: params.length })}
          </button>
        )}
      </div>
      {node.type === "block" && <BlockForm node={node} />}
      {composed && (
        <div className="flex items-center justify-between gap-3 pt-2">
          <p className="text-sm text-ink2">{say("Made of {count} other layers.", { count: composed.nodes.filter(({ type }) => !findLayer(type)?.boundary).length })}</p>
          <Button size="sm" kind="quiet" onClick={() => unpackNode(node.id)}>
            {say("Open as a block")}
          </Button>
        </div>
      )}
      {Object.keys(bodiesOf(layer, node)).length > 0 && (
        <Section title={say("Inside")}>
          <div className="space-y-1">
            {Object.entries(bodiesOf(layer, node)).map(([role, { doc }]) => (
              <button
                key={role}
                type="button"
                onClick={() => enterBody(node.id, role)}
                className="flex w-full flex-col rounded-md border border-line2 bg-raise px-2.5 py-1.5 text-left hover:border-ink3"
              >
                <span className="flex justify-between">
                  <span className="font-medium">{role.replaceAll("_", " ")}</span>
                  <span className="figures text-ink2">{say("{count} nodes", { count: node.bodies?.[role]?.nodes.length ?? 0 })}</span>
                </span>
                <span className="text-sm text-ink2">{doc}</span>
              </button>
            ))}
          </div>
        </Section>
      )}
      {Object.keys(inputs).length > 0 && (
        <Section title={say("Comes in")}>
          <dl>
            {Object.keys(inputs).map((port) => (
              <Flow key={port} port={port} types={[types?.inputs[port] ?? []].flat()} optional={inputs[port]?.optional} />
            ))}
          </dl>
        </Section>
      )}
      {Object.keys(outputPorts).length > 0 && (
        <Section title={say("Goes out")}>
          <dl>
            {Object.keys(outputPorts).map((port) => (
              <Flow key={port} port={port} types={[types?.outputs[port] ?? []].flat()} />
            ))}
          </dl>
        </Section>
      )}
      <Section title={say("Live output")}>
        <LiveOutput path={path} title={titleOf(node, graph.definitions)} />
      </Section>
      <Section title={say("Cost")}>
        <dl>
          <Line name={say("Parameters")}>{formatCount(parameters)}</Line>
          <Line name={say("Multiply-adds")}>{formatCount(multiplyAdds)}</Line>
          {checked.totals.multiplyAdds > 0 && multiplyAdds > 0 && (
            <Line name={say("Share of the model")}>{printFixed((100 * multiplyAdds) / checked.totals.multiplyAdds, 1)}%</Line>
          )}
          {parameters > 0 && <Line name={say("Weights")}>{formatBytes(parameters * 4)}</Line>}
          <Line name={say("Output")}>
            {outputs.length > 0 ? say("{bytes} / sample", { bytes: formatBytes(outputs.reduce((sum, [, type]) => sum + bytesPerSample(type), 0)) }) : "–"}
          </Line>
        </dl>
      </Section>
      <InTraining path={path} />
      <Weights node={node} path={path} checked={checked} />
      {parameters > 0 && <TuningForm nodes={[node]} path={path} />}
    </div>
  );
}

/** What the node does in the run that trains. */
function InTraining({ path }: { path: string }) {
  const look = usePulse((s) => s.look);
  const run = usePulse((s) => s.run);
  const own = look && lookAt(look, path);
  if (!own || !run) return null;
  return (
    <Section title={say("In run {number}, step {step}", { number: run.number, step: formatCount(look.step) })}>
      <dl>
        {measures.map((measure) => {
          const value = measure.of(own, look);
          return value === null ? null : (
            <Line key={measure.id} name={<span title={measure.doc}>{measure.title}</span>}>
              {measure.print(value)}
            </Line>
          );
        })}
      </dl>
    </Section>
  );
}

/** Said of a node that is not there for the model, with the way back. */
function Bypassed({ node }: { node: Node }) {
  return (
    <div className="mt-2 flex items-center justify-between gap-3 rounded-md bg-sunk px-2.5 py-1.5">
      <p className="text-sm text-ink2">{say("Bypassed: what comes in goes on as it is, and training and exports leave it out.")}</p>
      <Button size="sm" kind="quiet" onClick={() => restoreNode(node.id)}>
        {say("Bring it back")}
      </Button>
    </div>
  );
}

function Section({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section className="pt-4">
      <h3 className="section-name pb-1">{title}</h3>
      {children}
    </section>
  );
}

function Flow({ port, types, optional }: { port: string; types: TensorType[]; optional?: boolean }) {
  return (
    <Line name={<span className="font-mono text-sm">{port}</span>}>
      {types.length === 0 ? (
        <span className="text-ink3">{optional ? say("not connected") : say("not known yet")}</span>
      ) : (
        types.map((type, index) => (
          <span key={index} className="block">
            {formatShape(type.shape)} <span className="text-ink3">{type.dtype}</span>
          </span>
        ))
      )}
    </Line>
  );
}

function UnknownNode({ node, path, checked }: { node: Node; path: string; checked: Checked }) {
  const problems = checked.problems.filter((problem) => problem.node === path);
  return (
    <div className="space-y-3 px-3.5 py-3">
      {problems.map((problem, index) => (
        <ProblemNote key={index} problem={problem} />
      ))}
      <p className="text-ink2">{say("Everything it was saved with is kept, and it can be moved, copied and wired as before:")}</p>
      <pre className="overflow-x-auto rounded-md bg-sunk p-2.5 font-mono text-sm">{JSON.stringify(node.params, null, 2)}</pre>
    </div>
  );
}

function Several({ nodes, paths, checked }: { nodes: readonly Node[]; paths: string[]; checked: Checked }) {
  const sum = (of: Map<string, number>) => paths.reduce((total, path) => total + (of.get(path) ?? 0), 0);
  const withWeights = nodes.filter((_, at) => (checked.parameterCount.get(paths[at] ?? "") ?? 0) > 0);
  return (
    <div className="space-y-4 px-3.5 py-3">
      <dl>
        <Line name={say("Selected nodes")}>{formatCount(nodes.length)}</Line>
        <Line name={say("Parameters")}>{formatCount(sum(checked.parameterCount))}</Line>
        <Line name={say("Multiply-adds")}>{formatCount(sum(checked.multiplyAdds))}</Line>
      </dl>
      {withWeights.length > 0 && <TuningForm nodes={withWeights} path={paths[withWeights[0] ? nodes.indexOf(withWeights[0]) : 0] ?? ""} />}
      <div className="flex flex-wrap gap-2">
        <Button shortcut={printKeys("Mod+G", isMac())} onClick={() => groupSelection()}>
          {say("Group into a block")}
        </Button>
        <Menu items={commands.filter((command) => command.under === PUT_INTO).map((command) => ({ label: command.title, run: command.run }))}>
          <Button>{say("Put into…")}</Button>
        </Menu>
        <Button kind="danger" onClick={deleteSelection}>
          {say("Delete {count} nodes", { count: nodes.length })}
        </Button>
      </div>
    </div>
  );
}

function Wire({ from, to, type }: { from: string; to: string; type: TensorType | undefined }) {
  return (
    <div className="space-y-4 px-3.5 py-3">
      <dl>
        <Line name={say("From")}>{from}</Line>
        <Line name={say("To")}>{to}</Line>
        <Line name={say("Shape")}>{type ? formatShape(type.shape) : say("not known yet")}</Line>
        <Line name={say("Kind")}>{type?.dtype ?? "–"}</Line>
        {type && <Line name={say("Size")}>{say("{type} / sample", { type: formatBytes(bytesPerSample(type)) })}</Line>}
      </dl>
      <p className="text-ink2">{say("Add a layer now and it goes onto this wire.")}</p>
      <Button kind="danger" onClick={deleteSelection}>
        {say("Delete wire")}
      </Button>
    </div>
  );
}

function ModelSummary({ checked, nodeCount }: { checked: Checked; nodeCount: number }) {
  const name = useStudio((s) => s.name);
  const modelId = useGraph((s) => s.modelId);
  return (
    <div className="space-y-4 px-3.5 py-3">
      <dl>
        <Line name={say("Model")} plain>
          {name}
        </Line>
        <Line name={say("Nodes")}>{formatCount(nodeCount)}</Line>
        <Line name={say("Parameters")}>{formatCount(checked.totals.parameters)}</Line>
        <Line name={say("Multiply-adds")}>{formatCount(checked.totals.multiplyAdds)}</Line>
        <Line name={say("Weights")}>{formatBytes(checked.totals.parameters * 4)}</Line>
      </dl>
      <p className="text-ink2">{say("Select a node to see and change its parameters. Data flows downward: draw wires from the dot below a node to the dot above another.")}</p>
      <Suspense>{modelId !== null && <StartWeights modelId={modelId} />}</Suspense>
    </div>
  );
}

/** The shortcuts one needs first; `?` shows all. */
function Keys() {
  const mac = isMac();
  const first = ["find-layer", "delete", "duplicate", "undo", "fit", "train", "keys"];
  return (
    <div className="space-y-4 px-3.5 py-3">
      <p>{say("Add layers from the left, draw wires between their dots, and set their parameters here. Shapes, sizes and problems are worked out while you draw.")}</p>
      <div>
        <h3 className="section-name pb-1">{say("Shortcuts")}</h3>
        <dl>
          {first.map((id) => {
            const command = commands.find((c) => c.id === id);
            return command ? (
              <Line key={id} name={command.title}>
                {printKeys(command.keys[0] ?? "", mac)}
              </Line>
            ) : null;
          })}
        </dl>
      </div>
    </div>
  );
}
