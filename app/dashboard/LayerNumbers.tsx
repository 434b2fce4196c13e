"use client";

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { fromBase64 } from "../../core/data/base64.ts";
import { writeNpy, writeNpz } from "../../core/export/npz.ts";
import { tensorFromBytes } from "../../core/export/tensor.ts";
import { withoutFurniture } from "../../core/graph/furniture.ts";
import { say } from "../../core/language/say.ts";
import { titleOf } from "../canvas/names.ts";
import { Button } from "../ui/Button.tsx";
import { Field, NumberInput, Select } from "../ui/Field.tsx";
import { formatCount } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { saveFile } from "../ui/saveFile.ts";
import { useTRPCClient } from "../ui/trpc.ts";
import type { Run } from "./run.ts";

const MOST_ROWS = 1_024;

const KINDS = [
  { id: "activations", title: say("What it gives") },
  { id: "gradients", title: say("Gradients of the loss at its weights") },
] as const;
type Kind = (typeof KINDS)[number]["id"];

/** What layers of a run's network give for its first validation rows, or how the loss of these changes with their weights, as NumPy files. */
export function LayerNumbers({ run }: { run: Run }) {
  const client = useTRPCClient();
  const [kind, setKind] = useState<Kind>("activations");
  const [node, setNode] = useState("");
  const [rows, setRows] = useState(64);
  const work = useMutation({
    mutationFn: async () => {
      const { tensors, step, rows: taken } = await client.runs[kind].query({ runId: run.id, node: node === "" ? null : node, rows });
      const arrays = tensors.map(({ name, dtype, shape, data }) => [name, tensorFromBytes(dtype, shape, fromBase64(data))] as const);
      const [first] = arrays;
      const base = `run-${run.number}-step-${step}-${node === "" ? kind : kind === "gradients" ? `${node}-${kind}` : node}`;
      if (first && arrays.length === 1) saveFile(`${base}.npy`, new Blob([writeNpy(first[1]).slice()]));
      else saveFile(`${base}.npz`, new Blob([writeNpz(new Map(arrays)).slice()], { type: "application/zip" }));
      notify(
        say("{array} {for} {taken} rows, as the network was at step {step}.", {
          array: arrays.length === 1 ? say("One array") : say("{count} arrays", { count: formatCount(arrays.length) }),
          for: kind === "gradients" ? say("for the loss of") : say("of"),
          taken: formatCount(taken),
          step: formatCount(step),
        }),
      );
    },
    onError: (error) => notify(error.message, { tone: "bad" }),
  });
  return (
    <form
      aria-label={say("Numbers of layers for NumPy")}
      onSubmit={(event) => {
        event.preventDefault();
        work.mutate();
      }}
    >
      <Field label={say("Numbers")}>
        {(ids) => (
          <Select {...ids} value={kind} onChange={(event) => setKind(KINDS.find(({ id }) => id === event.target.value)?.id ?? "activations")}>
            {KINDS.map(({ id, title }) => (
              <option key={id} value={id}>
                {title}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={say("Layer")}>
        {(ids) => (
          <Select {...ids} value={node} onChange={(event) => setNode(event.target.value)}>
            <option value="">{say("All of them")}</option>
            {withoutFurniture(run.graph).nodes.map((one) => (
              <option key={one.id} value={one.id}>
                {titleOf(one, run.graph.definitions)} · {one.id}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={say("Rows")} doc={say("So many, from the first validation row on, as one batch: the same as in the data set's own arrays. Nothing is random: dropout is off.")}>
        {(ids) => <NumberInput {...ids} whole min={1} max={MOST_ROWS} value={rows} onValue={setRows} />}
      </Field>
      <div className="flex justify-end pt-1.5">
        <Button type="submit" size="sm" disabled={work.isPending}>
          {work.isPending ? say("Working them out") : say("Download")}
        </Button>
      </div>
    </form>
  );
}
