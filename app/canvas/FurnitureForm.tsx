"use client";

import type { Node } from "../../core/graph/document.ts";
import { furnitureParams, NOTE_LETTERS, readFurniture } from "../../core/graph/furniture.ts";
import { say } from "../../core/language/say.ts";
import { Field, TextArea, TextInput } from "../ui/Field.tsx";
import { renameNode } from "./edits.ts";
import { setFurniture } from "./furnitureEdits.ts";
import { plainTitle } from "./names.ts";
import { ParamField } from "./ParamField.tsx";

/** What can be set of a note or a frame. */
export function FurnitureForm({ node }: { node: Node }) {
  const drawn = readFurniture(node);
  const params = furnitureParams(node.type) ?? {};
  if (!drawn) return null;
  return (
    <div className="px-3.5 pt-3 pb-6">
      {drawn.type === "frame" ? (
        <Field label={say("Name")}>
          {(ids) => (
            <TextInput
              {...ids}
              key={node.name ?? ""}
              defaultValue={node.name ?? ""}
              placeholder={plainTitle(node, undefined)}
              maxLength={120}
              onBlur={(event) => event.target.value.trim() !== (node.name ?? "") && renameNode(node.id, event.target.value.trim())}
              onKeyDown={(event) => event.key === "Enter" && event.currentTarget.blur()}
            />
          )}
        </Field>
      ) : (
        <TextArea aria-label={say("Text")} rows={8} maxLength={NOTE_LETTERS} value={drawn.text} onChange={(event) => setFurniture(node.id, { text: event.target.value })} />
      )}
      {(["color", "width", "height"] as const).map((name) => {
        const param = params[name];
        return (
          param && (
            <ParamField
              key={name}
              name={name}
              param={param}
              value={drawn[name]}
              changed={Object.hasOwn(node.params, name)}
              onValue={(value) => setFurniture(node.id, { [name]: value })}
              onReset={() => setFurniture(node.id, { [name]: param.default as string | number })}
            />
          )
        );
      })}
      <p className="pt-3 text-sm text-ink2">
        {drawn.type === "frame"
          ? say("Everything whose middle stands in the frame moves along with it. Training and exports do not see it.")
          : say("# makes a heading, - a list, ** bold, * italic, ` code. Training and exports do not see it.")}
      </p>
    </div>
  );
}
