"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Copy } from "lucide-react";
import { useRef, useState } from "react";
import { weightName } from "../../core/graph/path.ts";
import { CONVERT_PICKLE } from "../../core/import/weights.ts";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import { useChecked } from "../canvas/checked.ts";
import { saveNow } from "../canvas/useAutosave.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { DropZone } from "../ui/DropZone.tsx";
import { formatBytes } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Say } from "../ui/Say.tsx";
import { Segments } from "../ui/Segments.tsx";
import { type Answers, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import { useUpload } from "./useUpload.ts";

/** How many weights are named that no longer fit. */
const NAMED = 4;

/** What of the drawing, as it stands, the kept weights fit; what does not is said here before a training is refused for it. */
function Fit({ shapes }: { shapes: { [name: string]: number[] } }) {
  const { weights, order } = useChecked();
  const here = order.flatMap((path) => Object.entries(weights.get(path) ?? {}).map(([name, { shape }]) => ({ name: weightName(path, name), shape })));
  const known = here.filter(({ name }) => shapes[name] !== undefined);
  const differing = known.filter(({ name, shape }) => shapes[name]?.join() !== shape.join());
  const fresh = here.filter(({ name }) => shapes[name] === undefined && !name.endsWith("num_batches_tracked"));
  if (differing.length === 0 && fresh.length === 0) return null;
  return (
    <div className="pt-1.5">
      {differing.length > 0 && (
        <div role="alert" className="text-bad">
          <p>
            {say(
              "{count, plural, one {One weight of the drawing no longer fits.} other {# weights of the drawing no longer fit.}} Take the change back, or put a new layer in its place, which is drawn anew.",
              { count: differing.length },
            )}
          </p>
          <ul className="list-disc pl-5">
            {differing.slice(0, NAMED).map(({ name, shape }) => (
              <li key={name} className="wrap-anywhere">
                {say("{name}: [{here}] here, [{there}] there", { name, here: shape.join(", "), there: shapes[name]?.join(", ") ?? "" })}
              </li>
            ))}
            {differing.length > NAMED && <li>{say("{count} more", { count: differing.length - NAMED })}</li>}
          </ul>
        </div>
      )}
      {fresh.length > 0 && (
        <p className="text-ink2 wrap-anywhere">
          {say("Drawn at random, since the file has none for them: {names}{more, plural, =0 {} other { and # more}}.", {
            names: fresh
              .slice(0, NAMED)
              .map(({ name }) => name)
              .join(", "),
            more: Math.max(0, fresh.length - NAMED),
          })}
        </p>
      )}
    </div>
  );
}

/** What a model's next runs start from: random numbers, or weights from a file, which can be brought in and let go of here. */
export default function StartWeights({ modelId }: { modelId: string }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const model = useQuery(trpc.models.record.queryOptions({ modelId }));
  const mayChange = useMayChange();
  const [open, setOpen] = useState(false);
  const refresh = () => queryClient.invalidateQueries(trpc.models.record.queryFilter({ modelId }));
  const letGo = useMutation(
    trpc.models.clearStartWeights.mutationOptions({
      onSuccess: refresh,
      onError: (error) => notify(say("The weights are still there. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const weights = model.data?.startWeights ?? null;
  return (
    <section aria-label={say("First weights")}>
      <h3 className="section-name pb-1">{say("First weights")}</h3>
      {weights ? (
        <p className="text-ink2">
          <Say
            text="The next run starts from {fileName}: {matched} of {total} weights, {sizeBytes}."
            with={{
              fileName: <span className="font-medium [overflow-wrap:anywhere] text-ink">{weights.fileName}</span>,
              matched: weights.matched,
              total: weights.total,
              sizeBytes: formatBytes(weights.sizeBytes),
            }}
          />
        </p>
      ) : (
        <p className="text-ink2">{say("Drawn at random, as each layer says, when a run begins.")}</p>
      )}
      {weights && <Fit shapes={weights.shapes} />}
      <div className={mayChange ? "flex gap-2 pt-2" : "hidden"}>
        <Button size="sm" onClick={() => setOpen(true)}>
          {say("Import weights")}
        </Button>
        {weights && (
          <Button size="sm" kind="quiet" disabled={letGo.isPending} onClick={() => letGo.mutate({ modelId })}>
            {say("Start at random again")}
          </Button>
        )}
      </div>
      <Dialog title={say("Import weights")} open={open} onOpen={setOpen} width="max-w-2xl">
        <ImportWeights modelId={modelId} onDone={refresh} onClose={() => setOpen(false)} />
      </Dialog>
    </section>
  );
}

type Imported = Answers["models"]["importWeights"];

/** Files of PyTorch's own kind can run code when they are opened; they are told by their names before anything is sent. */
const PICKLED = /\.(pt|pth|ckpt|bin|pkl)$/i;

function ImportWeights({ modelId, onDone, onClose }: { modelId: string; onDone: () => void; onClose: () => void }) {
  const client = useTRPCClient();
  const trpc = useTRPC();
  const [pickled, setPickled] = useState<string | null>(null);
  const sent = useRef<{ uploadId: string; fileName: string } | null>(null);
  const anyway = useMutation(trpc.models.importWeights.mutationOptions({ onSuccess: ({ ok }) => ok && onDone() }));
  const { work, start } = useUpload<Imported>(async (file, uploadId) => {
    // The file is matched with the drawing as the server has it.
    if (!(await saveNow())) throw new Error(say("The drawing is not saved yet, so the weights cannot be matched with it. Try again in a moment."));
    anyway.reset();
    sent.current = { uploadId, fileName: file.name };
    const answer = await client.models.importWeights.mutate({ modelId, uploadId, fileName: file.name });
    if (answer.ok) onDone();
    return answer;
  });
  const answer = anyway.data ?? (work.kind === "answered" ? work.answer : null);
  if (answer && "rows" in answer) return <Matches answer={answer} onClose={onClose} />;
  const isPickle = pickled !== null || (answer?.ok === false && answer.code === "WEIGHTS_PICKLE");
  return (
    <div className="space-y-3 p-4">
      <DropZone
        label={say("Weights file")}
        accept=".safetensors,.npz"
        busy={work.kind === "busy" ? work : null}
        onFile={(file) => {
          const refuse = PICKLED.test(file.name);
          setPickled(refuse ? file.name : null);
          if (!refuse) start(file);
        }}
      >
        {say("A .safetensors or .npz file. Weights are found by their PyTorch names; what has another shape is left out and listed.")}
      </DropZone>
      {work.kind === "failed" && pickled === null && (
        <p role="alert" className="text-bad">
          {work.message}
        </p>
      )}
      {isPickle ? (
        <Pickle fileName={pickled} />
      ) : (
        answer &&
        !answer.ok && (
          <div role="alert" className="space-y-2">
            <p className="text-bad">{answer.message}</p>
            {answer.code === "WEIGHTS_NONFINITE" && (
              <Button size="sm" disabled={anyway.isPending} onClick={() => sent.current && anyway.mutate({ modelId, ...sent.current, evenNonFinite: true })}>
                {say("Take them all the same")}
              </Button>
            )}
            {anyway.error && <p className="text-bad">{anyway.error.message}</p>}
          </div>
        )
      )}
    </div>
  );
}

function Pickle({ fileName }: { fileName: string | null }) {
  const [copied, setCopied] = useState(false);
  return (
    <section role="alert" aria-label={say("Not imported")} className="space-y-2 rounded-lg border border-bad px-3 py-2.5">
      <p className="font-medium text-bad">
        {say("{fileName} is a pickled file, which can run code when it is opened, so it is not opened here.", { fileName: fileName ?? say("This") })}
      </p>
      <p className="text-ink2">{say("This line, run where you have PyTorch, makes a safetensors file of it:")}</p>
      <div className="relative">
        <pre className="rounded-md bg-sunk py-2 pr-20 pl-2.5 font-mono text-sm whitespace-pre-wrap [overflow-wrap:anywhere]">{CONVERT_PICKLE}</pre>
        <Button
          size="sm"
          className="absolute top-1.5 right-1.5"
          onClick={() => {
            void navigator.clipboard.writeText(CONVERT_PICKLE).then(() => setCopied(true));
          }}
        >
          {copied ? <Check size={12} /> : <Copy size={12} />} {copied ? say("Copied") : say("Copy")}
        </Button>
      </div>
    </section>
  );
}

/** What fits and what does not; where nothing does, the file was refused. */
type Compared = Extract<Imported, { rows: unknown }>;
type Row = Compared["rows"][number];
const print = (shape: readonly number[]) => (shape.length === 0 ? say("one number") : shape.join("×"));

function Matches({ answer, onClose }: { answer: Compared; onClose: () => void }) {
  const { rows, unused, prefix } = answer;
  const [matched, total] = [answer.ok ? answer.matched : 0, rows.length];
  const apart = rows.filter(({ status }) => status !== "matched");
  const [shown, setShown] = useState<"apart" | "all" | "unused">(apart.length > 0 ? "apart" : "all");
  return (
    <div className="space-y-3 p-4">
      <p role="status" className="font-semibold">
        {!answer.ok
          ? answer.message
          : matched === total
            ? say("All {total} weights matched. The next run starts from them.", { total })
            : say("{matched} of {total} weights matched. The next run starts from them, and draws the others at random.", { matched, total })}
      </p>
      {prefix && (
        <p className="text-ink2">
          <Say
            text={"remove" in prefix ? "Names were read without {prefix} in front." : "Names were read with {prefix} in front."}
            with={{ prefix: <code className="font-mono text-sm">{"remove" in prefix ? prefix.remove : prefix.add}</code> }}
          />
        </p>
      )}
      <Segments
        label={say("Which weights")}
        options={[
          { id: "apart", title: say("Not matched {count}", { count: apart.length }) },
          { id: "all", title: say("All {total}", { total }) },
          { id: "unused", title: say("Only in the file {count}", { count: unused.length }) },
        ]}
        value={shown}
        onValue={setShown}
      />
      <div className="max-h-80 overflow-auto rounded-lg border border-line">
        <table className="w-full text-left" aria-label={say("Weights")}>
          <thead>
            <tr>
              {(shown === "unused" ? [say("Name in the file"), say("Shape")] : [say("Weight"), say("Shape"), say("In the file"), ""]).map((title) => (
                <th key={title} className="section-name sticky top-0 bg-panel px-2.5 py-1.5 font-semibold">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown === "unused"
              ? unused.map(({ name, shape }) => (
                  <tr key={name} className="border-t border-line">
                    <td className="px-2.5 py-1 font-mono text-sm [overflow-wrap:anywhere]">{name}</td>
                    <td className="figures px-2.5 py-1">{print(shape)}</td>
                  </tr>
                ))
              : (shown === "all" ? rows : apart).map((row) => <MatchRow key={row.name} row={row} />)}
          </tbody>
        </table>
        {(shown === "unused" ? unused : shown === "all" ? rows : apart).length === 0 && <p className="px-2.5 py-3 text-ink2">{say("None.")}</p>}
      </div>
      <div className="flex justify-end">
        <Button kind="primary" onClick={onClose}>
          {say("Done")}
        </Button>
      </div>
    </div>
  );
}

function MatchRow({ row: { name, shape, status, found } }: { row: Row }) {
  return (
    <tr className="border-t border-line align-top">
      <td className="px-2.5 py-1 font-mono text-sm [overflow-wrap:anywhere]">{name}</td>
      <td className="figures px-2.5 py-1 whitespace-nowrap">{print(shape)}</td>
      <td className="px-2.5 py-1 font-mono text-sm [overflow-wrap:anywhere] text-ink2">
        {found ? (found.name === name ? "" : found.name) : "–"}
        {found && status === "shape differs" && <span className="block">{print(found.shape)}</span>}
      </td>
      <td
        className={
          status === "matched"
            ? "px-2.5 py-1 text-right whitespace-nowrap text-accent"
            : status === "missing"
              ? "px-2.5 py-1 text-right whitespace-nowrap text-ink2"
              : "px-2.5 py-1 text-right whitespace-nowrap text-warn"
        }
      >
        {status === "missing" ? say("not in the file") : status === "shape differs" ? say("other shape") : say("matched")}
      </td>
    </tr>
  );
}
