"use client";

import { X } from "lucide-react";
import { paramsOf } from "../../core/graph/check.ts";
import { countInstances, definitionOf, exposedNode } from "../../core/graph/definitions.ts";
import type { Node } from "../../core/graph/document.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { Button, IconButton } from "../ui/Button.tsx";
import { Field, TextInput } from "../ui/Field.tsx";
import { Say } from "../ui/Say.tsx";
import { Tip } from "../ui/Tip.tsx";
import { defineBlock, describeDefinition, detachBlock, renameExposed, setExposed, unexposeParam } from "./blockEdits.ts";
import { titleOf } from "./names.ts";
import { ParamField } from "./ParamField.tsx";
import { useGraph } from "./useGraph.ts";

/** What can be set about a block: whether it is used several times, under which name, and the parameters that stand on its outside. */
export function BlockForm({ node }: { node: Node }) {
  const graph = useGraph((s) => s.graph);
  const id = definitionOf(node, graph.definitions);
  const definition = id === undefined ? undefined : graph.definitions?.[id];
  if (id === undefined || !definition) {
    return (
      <div className="space-y-2 pt-3">
        <p className="text-sm text-ink2">{say("Used once. Make it reusable, and it stands under Your blocks: every copy follows when one is changed.")}</p>
        <Button size="sm" onClick={() => defineBlock(node.id)}>
          {say("Make it reusable")}
        </Button>
      </div>
    );
  }
  const count = countInstances(graph, id);
  return (
    <>
      <section className="pt-4" aria-label={say("Block")}>
        <h3 className="section-name flex justify-between pb-1">
          <Say
            text="Block<span>v{version}, used {once}</span>"
            with={{ span: <span className="figures font-normal" />, version: definition.version, once: count === 1 ? say("once") : say("{count} times", { count }) }}
          />
        </h3>
        <Field label={say("Block name")}>
          {(ids) => (
            <TextInput
              {...ids}
              key={definition.name}
              defaultValue={definition.name}
              maxLength={120}
              onBlur={(event) => describeDefinition(id, { name: event.target.value })}
              onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
            />
          )}
        </Field>
        <Field label={say("About")}>
          {(ids) => (
            <TextInput
              {...ids}
              key={definition.doc ?? ""}
              defaultValue={definition.doc ?? ""}
              placeholder={say("What it is for")}
              maxLength={2000}
              onBlur={(event) => describeDefinition(id, { doc: event.target.value })}
              onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
            />
          )}
        </Field>
        <div className="flex items-center justify-between gap-3 pt-1.5">
          <p className="text-sm text-ink2">{count > 1 ? say("A change inside reaches all {count}.", { count }) : say("Add more of it from Your blocks.")}</p>
          <Tip text={say("This one becomes a block of its own, with what it holds now.")}>
            <Button size="sm" kind="quiet" onClick={() => detachBlock(node.id)}>
              {say("Make independent")}
            </Button>
          </Tip>
        </div>
      </section>
      <section className="pt-4" aria-label={say("Parameters of this one")}>
        <h3 className="section-name pb-1">{say("Parameters of this one")}</h3>
        {definition.exposed.length === 0 && (
          <p className="text-sm text-ink2">{say("None yet. Open the block, select a layer, and press the arrow before a parameter's name to show it here.")}</p>
        )}
        {definition.exposed.map((one) => {
          const inner = exposedNode(node.bodies?.body, one);
          const layer = inner && findLayer(inner.type);
          const param = layer && Object.hasOwn(layer.params, one.param) ? layer.params[one.param] : undefined;
          if (!inner || !layer || !param) return null;
          const changed = Object.hasOwn(inner.params, one.param);
          return (
            <div key={one.name} className="group/exposed relative">
              <ParamField
                name={one.name}
                param={{ ...param, doc: say("{param} of {inner}: {doc}", { param: one.param, inner: titleOf(inner, graph.definitions), doc: param.doc }) }}
                value={changed ? inner.params[one.param] : paramsOf(layer, inner)[one.param]}
                changed={changed}
                onValue={(value) => setExposed(node.id, one.name, value)}
                onReset={() => setExposed(node.id, one.name, undefined)}
                onRename={(next) => renameExposed(id, one.name, next)}
              />
              <Tip text={say("Take it off the outside: all then have the same")} side="left">
                <IconButton
                  label={say("Take {name} off the outside", { name: one.name })}
                  className="absolute top-[10px] -left-[13px] size-3! opacity-0 group-hover/exposed:opacity-100 focus-visible:opacity-100"
                  onClick={() => unexposeParam(id, one.name)}
                >
                  <X size={11} />
                </IconButton>
              </Tip>
            </div>
          );
        })}
      </section>
    </>
  );
}
