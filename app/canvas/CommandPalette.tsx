"use client";

import { Command as Cmdk } from "cmdk";
import { useMemo } from "react";
import type { Body } from "../../core/graph/document.ts";
import { isFurniture } from "../../core/graph/furniture.ts";
import { say } from "../../core/language/say.ts";
import { findLayer } from "../../core/layers/index.ts";
import { portsOf } from "../../core/layers/kit.ts";
import { categoryColor } from "./categories.ts";
import { currentChecked } from "./checked.ts";
import { commands } from "./commands.ts";
import { pickInput } from "./connect.ts";
import { addLayer, here, wireInto } from "./edits.ts";
import { isMac, printKeys } from "./keys.ts";
import { titleOf } from "./names.ts";
import { blockItems, searchItems } from "./shelf.ts";
import { showNode } from "./showNode.ts";
import { useGraph } from "./useGraph.ts";
import { keysOf } from "./useKeys.ts";
import { useStudio } from "./useStudio.ts";

const close = () => useStudio.setState({ asking: null });
const ITEM = "flex h-8 cursor-default items-center gap-2 rounded-md px-2 data-[selected=true]:bg-hover";

/** One field for everything: commands and layers (Ctrl+K), nodes of the whole model (Ctrl+F), or what a node is to be wired from. */
export default function CommandPalette() {
  const asking = useStudio((s) => s.asking);
  if (asking === null) return null;
  const label = asking === "find" ? say("Find a node") : asking === "wire" ? say("Wire from") : say("Do something");
  return (
    <Cmdk.Dialog
      open
      onOpenChange={close}
      label={label}
      loop
      overlayClassName="fixed inset-0 z-40 bg-[#1c1b1940]"
      contentClassName="appear fixed top-[14vh] left-1/2 z-40 w-[min(520px,calc(100vw-24px))] -translate-x-1/2 overflow-hidden rounded-xl border border-line2 bg-panel shadow-float outline-none"
    >
      <Cmdk.Input aria-label={label} placeholder={label} className="h-11 w-full border-b border-line bg-transparent px-4 outline-none placeholder:text-ink2" />
      <Cmdk.List className="max-h-[52vh] overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-ink2 [&_[cmdk-group-heading]]:text-xs">
        <Cmdk.Empty className="px-2 py-3 text-ink2">{say("Nothing is called so.")}</Cmdk.Empty>
        {asking === "commands" && <Commands />}
        {asking === "find" && <Nodes />}
        {asking === "wire" && <Sources />}
      </Cmdk.List>
    </Cmdk.Dialog>
  );
}

function Commands() {
  const mac = isMac();
  const ready = commands.filter((command) => command.isReady?.() !== false && command.id !== "commands");
  const own = useMemo(() => blockItems(useGraph.getState().graph.definitions), []);
  return (
    <>
      <Cmdk.Group heading={say("Commands")}>
        {ready.map((command) => (
          <Cmdk.Item
            key={command.id}
            value={`command ${command.id}`}
            keywords={[command.title, command.under ?? "", command.group]}
            className={ITEM}
            onSelect={() => {
              close();
              command.run();
            }}
          >
            <span className="min-w-0 flex-1 truncate">{command.under ? `${command.under}: ${command.title}` : command.title}</span>
            <span className="figures text-ink2">{printKeys(keysOf(command)[0] ?? "", mac)}</span>
          </Cmdk.Item>
        ))}
      </Cmdk.Group>
      <Cmdk.Group heading={say("Add a layer")}>
        {searchItems("", own).map((item) => (
          <Cmdk.Item
            key={item.key}
            value={`layer ${item.key}`}
            keywords={[item.title, ...(item.layer.keywords ?? [])]}
            className={ITEM}
            onSelect={() => {
              close();
              addLayer(item.layer, item.definition);
            }}
          >
            <span aria-hidden className="size-2 shrink-0 rounded-[2px]" style={{ background: categoryColor(item.category) }} />
            <span className="min-w-0 truncate">{item.title}</span>
          </Cmdk.Item>
        ))}
      </Cmdk.Group>
    </>
  );
}

/** Every node of the model, with where it stands. */
function Nodes() {
  const graph = useGraph((s) => s.graph);
  const found = useMemo(() => {
    const rows: { path: string; title: string; type: string; where: string }[] = [];
    const visit = (body: Body, at: string, where: readonly string[]) => {
      for (const node of body.nodes) {
        const path = at + node.id;
        const title = titleOf(node, graph.definitions);
        rows.push({ path, title, type: findLayer(node.type)?.title ?? node.type, where: where.join(" › ") });
        for (const [role, inner] of Object.entries(node.bodies ?? {})) visit(inner, `${path}/${role}/`, [...where, title]);
      }
    };
    visit(graph, "", []);
    return rows;
  }, [graph]);
  return found.map(({ path, title, type, where }) => (
    <Cmdk.Item
      key={path}
      value={path}
      keywords={[title, type]}
      className={ITEM}
      onSelect={() => {
        close();
        showNode(path);
      }}
    >
      <span className="min-w-0 truncate">{title}</span>
      {type !== title && <span className="text-ink2">{type}</span>}
      <span className="figures ml-auto truncate text-ink2">{where || path}</span>
    </Cmdk.Item>
  ));
}

/** The outputs that the selected node could take. */
function Sources() {
  const { body, scope, selection, graph } = here();
  const [target] = [...selection.nodes];
  const checked = currentChecked();
  const sources = body.nodes
    .filter((node) => node.id !== target && !isFurniture(node))
    .flatMap((node) => {
      const layer = findLayer(node.type);
      return Object.keys(layer ? portsOf(layer, node).outputs : {}).map((port) => ({
        node,
        port,
        count: Object.keys(portsOf(layer as NonNullable<typeof layer>, node).outputs).length,
      }));
    })
    .filter(({ node, port }) => target !== undefined && pickInput(body, scope, checked, { node: node.id, port }, target) !== null);
  return sources.map(({ node, port, count }) => (
    <Cmdk.Item
      key={`${node.id} ${port}`}
      value={`${node.id} ${port}`}
      keywords={[titleOf(node, graph.definitions)]}
      className={ITEM}
      onSelect={() => {
        close();
        if (target !== undefined) wireInto({ node: node.id, port }, target);
      }}
    >
      <span className="min-w-0 truncate">{titleOf(node, graph.definitions)}</span>
      {count > 1 && <span className="text-ink2">{port}</span>}
      <span className="figures ml-auto text-ink2">{node.id}</span>
    </Cmdk.Item>
  ));
}
