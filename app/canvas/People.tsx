"use client";

import { ViewportPortal } from "@xyflow/react";
import { NODE_SIZE } from "../../core/graph/layout.ts";
import { say } from "../../core/language/say.ts";
import { Tip } from "../ui/Tip.tsx";
import { measured } from "./measured.ts";
import { bodyAt, type Scope, useGraph } from "./useGraph.ts";
import { type Person, usePeople } from "./usePeople.ts";

const SHOWN = 4;
const isSame = (a: Scope, b: Scope) => a.length === b.length && a.every(({ node, role }, index) => b[index]?.node === node && b[index]?.role === role);

/** Who else has this model open, in the top bar. */
export function PeopleHere() {
  const people = usePeople((s) => s.people);
  if (people.length === 0) return null;
  return (
    <ul aria-label={say("Also here")} className="flex -space-x-1">
      {people.slice(0, SHOWN).map((person) => (
        <li key={person.clientId}>
          <Tip text={say("{name} is here, too", { name: person.name })}>
            <span
              role="img"
              aria-label={person.name}
              className="flex size-6 items-center justify-center rounded-full border-2 border-panel font-semibold text-bg text-xs"
              style={{ background: person.color }}
            >
              {person.name.slice(0, 1).toUpperCase()}
            </span>
          </Tip>
        </li>
      ))}
      {people.length > SHOWN && <li className="figures pl-2 text-ink2">+{people.length - SHOWN}</li>}
    </ul>
  );
}

/** Where the others point, and what they have selected, in the body that is open. */
export function PeopleOnCanvas() {
  const people = usePeople((s) => s.people);
  const scope = useGraph((s) => s.scope);
  const graph = useGraph((s) => s.graph);
  const here = people.filter((person) => isSame(person.scope, scope));
  if (here.length === 0) return null;
  const nodes = new Map(bodyAt(graph, scope).nodes.map((node) => [node.id, node]));
  return (
    <ViewportPortal>
      {here.map((person) => (
        <div key={person.clientId} className="pointer-events-none" data-person={person.clientId}>
          {person.nodes.map((id) => {
            const node = nodes.get(id);
            if (!node) return null;
            const { width, height } = measured.sizeOf(node);
            return (
              <div
                key={id}
                className="absolute rounded-lg border-2"
                style={{
                  borderColor: person.color,
                  width: width + 8,
                  height: height + 8,
                  transform: `translate(${node.at.x + (NODE_SIZE.width - width) / 2 - 4}px, ${node.at.y - 4}px)`,
                }}
              />
            );
          })}
          {person.cursor && <Pointer person={person} at={person.cursor} />}
        </div>
      ))}
    </ViewportPortal>
  );
}

function Pointer({ person, at }: { person: Person; at: { x: number; y: number } }) {
  return (
    <div className="absolute z-10 transition-transform duration-100 motion-reduce:transition-none" style={{ transform: `translate(${at.x}px, ${at.y}px)` }}>
      <svg aria-hidden width="14" height="18" viewBox="0 0 14 18">
        <path d="M1 1v13l3.5-3 2.5 6 2.5-1-2.5-6H12z" fill={person.color} stroke="var(--bg)" strokeWidth="1" />
      </svg>
      <span className="ml-3 whitespace-nowrap rounded px-1.5 py-0.5 text-bg text-xs" style={{ background: person.color }}>
        {person.name}
      </span>
    </div>
  );
}
