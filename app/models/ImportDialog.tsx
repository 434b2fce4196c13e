"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { Dialog } from "../ui/Dialog.tsx";
import { DropZone } from "../ui/DropZone.tsx";
import { TextArea } from "../ui/Field.tsx";
import { notify } from "../ui/Notices.tsx";
import { Segments } from "../ui/Segments.tsx";
import { type Answers, useTRPC, useTRPCClient } from "../ui/trpc.ts";
import { useUpload } from "./useUpload.ts";

/** What was dropped on the page before the dialog opened. */
export type Dropped = { file: File } | { code: string } | null;

/** Brings a model in from elsewhere: an ONNX file, or PyTorch code. Nothing is half imported: what cannot be read is listed whole. */
export function ImportDialog({ open, onOpen, dropped }: { open: boolean; onOpen: (open: boolean) => void; dropped: Dropped }) {
  const [kind, setKind] = useState<"onnx" | "pytorch">("onnx");
  useEffect(() => {
    if (open && dropped) setKind("code" in dropped ? "pytorch" : "onnx");
  }, [open, dropped]);
  return (
    <Dialog title={say("Import a model")} open={open} onOpen={onOpen} width="max-w-2xl">
      <div className="space-y-3.5 p-4">
        <Segments
          label={say("Import from")}
          options={[
            { id: "onnx", title: say("ONNX file") },
            { id: "pytorch", title: say("PyTorch code") },
          ]}
          value={kind}
          onValue={setKind}
        />
        {kind === "onnx" ? <FromOnnx first={dropped && "file" in dropped ? dropped.file : null} /> : <FromPyTorch first={dropped && "code" in dropped ? dropped.code : ""} />}
      </div>
    </Dialog>
  );
}

/** Opens the new model, and says what there is to say about it. */
function useOpen(): (modelId: string, said: string) => void {
  const router = useRouter();
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  return (modelId, said) => {
    void queryClient.invalidateQueries(trpc.projects.list.queryFilter());
    notify(said);
    router.push(`/models/${modelId}`);
  };
}

type OnnxImport = Answers["models"]["importOnnx"];

function FromOnnx({ first }: { first: File | null }) {
  const client = useTRPCClient();
  const openModel = useOpen();
  const { work, start } = useUpload<OnnxImport>((file, uploadId) => client.models.importOnnx.mutate({ uploadId, fileName: file.name }));
  const begun = useRef<File | null>(null);
  useEffect(() => {
    if (first && begun.current !== first) {
      begun.current = first;
      start(first);
    }
  });
  const answer = work.kind === "answered" ? work.answer : null;
  const done = answer?.ok ? answer : null;
  const isPlain = done !== null && done.notes.length === 0;
  const opened = useRef(false);
  useEffect(() => {
    if (!isPlain || opened.current) return;
    opened.current = true;
    openModel(done.modelId, sayOnnx(done));
  });

  if (done) {
    return (
      <div className="space-y-3">
        <p className="font-semibold">{sayOnnx(done)}</p>
        {done.notes.length > 0 && <Notes notes={done.notes} />}
        <div className="flex justify-end">
          <Button kind="primary" onClick={() => openModel(done.modelId, sayOnnx(done))}>
            {say("Open the model")}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <div className="space-y-3">
      <DropZone label={say("ONNX file")} accept=".onnx" busy={work.kind === "busy" ? work : null} onFile={start}>
        {say("It becomes a drawing that you can change, with its weights to start from. Up to 512 MiB; weights kept in a second file are not read.")}
      </DropZone>
      {work.kind === "failed" && (
        <p role="alert" className="text-bad">
          {work.message}
        </p>
      )}
      {answer && !answer.ok && (
        <Refused title={answer.message}>
          {answer.unsupported.length > 0 && (
            <Table head={[say("Operator"), say("Node"), say("Why not")]}>
              {answer.unsupported.map(({ op, node, why }, index) => (
                <tr key={index} className="border-t border-line align-top">
                  <td className="py-1 pr-3 font-mono text-sm">{op}</td>
                  <td className="max-w-40 py-1 pr-3 font-mono text-sm [overflow-wrap:anywhere] text-ink2">{node || "–"}</td>
                  <td className="py-1">{why}</td>
                </tr>
              ))}
            </Table>
          )}
        </Refused>
      )}
    </div>
  );
}

function sayOnnx({ matched, total }: Extract<OnnxImport, { ok: true }>): string {
  return total === 0
    ? say("Imported. It has no weights.")
    : matched === total
      ? say("Imported with all {total} weights; the next run starts from them.", { total })
      : say("Imported with {matched} of {total} weights; the next run starts from them.", { matched, total });
}

function FromPyTorch({ first }: { first: string }) {
  const trpc = useTRPC();
  const openModel = useOpen();
  const [code, setCode] = useState(first);
  const area = useRef<HTMLDivElement>(null);
  const read = useMutation(
    trpc.models.importPyTorch.mutationOptions({
      onSuccess: (answer) => {
        if (answer.ok && answer.modelId !== null && answer.notes.length === 0) openModel(answer.modelId, say("Imported {className}.", { className: answer.className }));
      },
    }),
  );
  const answer = read.data;
  function showLine(line: number): void {
    const field = area.current?.querySelector("textarea");
    if (!field) return;
    const before =
      code
        .split("\n")
        .slice(0, line - 1)
        .join("\n").length + (line > 1 ? 1 : 0);
    field.focus();
    field.setSelectionRange(before, before + (code.split("\n")[line - 1]?.length ?? 0));
    field.scrollTop = Math.max(0, (line - 4) * 18);
  }
  if (answer?.ok && answer.modelId !== null) {
    const { modelId, className, notes } = answer;
    return (
      <div className="space-y-3">
        <p className="font-semibold">{say("Imported {className}.", { className })}</p>
        <Notes notes={notes} />
        <div className="flex justify-end">
          <Button kind="primary" onClick={() => openModel(modelId, say("Imported {className}.", { className }))}>
            {say("Open the model")}
          </Button>
        </div>
      </div>
    );
  }
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim() !== "") read.mutate({ code });
      }}
    >
      <div ref={area} className="space-y-1">
        <TextArea
          aria-label={say("PyTorch code")}
          placeholder={say(
            "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc = nn.Linear(784, 10)\n\n    def forward(self, x):\n        return self.fc(x.flatten(1))",
          )}
          className="min-h-52 font-mono text-sm! leading-[18px]"
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
        <p className="text-sm text-ink2">
          {say("A class with its layers in __init__ and a forward of calls and arithmetic, with if and for over what is known beforehand. It is read, never run.")}
        </p>
      </div>
      {read.isError && (
        <p role="alert" className="text-bad">
          {read.error.message}
        </p>
      )}
      {answer && !answer.ok && (
        <Refused title={answer.message}>
          {answer.lines.length > 0 && (
            <Table head={[say("Line"), say("Code"), say("Why not")]}>
              {answer.lines.map(({ line, text, why }, index) => (
                <tr key={index} className="border-t border-line align-top">
                  <td className="py-1 pr-3">
                    <button type="button" className="figures text-accent hover:underline" onClick={() => showLine(line)}>
                      {line}
                    </button>
                  </td>
                  <td className="max-w-64 py-1 pr-3 font-mono text-sm [overflow-wrap:anywhere]">{text.trim()}</td>
                  <td className="py-1">{why}</td>
                </tr>
              ))}
            </Table>
          )}
        </Refused>
      )}
      <div className="flex justify-end">
        <Button type="submit" kind="primary" disabled={code.trim() === "" || read.isPending}>
          {read.isPending ? say("Reading") : say("Import")}
        </Button>
      </div>
    </form>
  );
}

function Notes({ notes }: { notes: readonly string[] }) {
  return (
    <section aria-label={say("Good to know")}>
      <h3 className="section-name pb-1">{say("Good to know")}</h3>
      <ul className="list-disc space-y-1 pl-4">
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
    </section>
  );
}

function Refused({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section role="alert" aria-label={say("Not imported")} className="rounded-lg border border-bad">
      <p className="px-3 py-2 font-medium text-bad">
        {title}
        <span className="font-normal text-ink2"> {say("Nothing was imported.")}</span>
      </p>
      {children}
    </section>
  );
}

function Table({ head, children }: { head: readonly string[]; children: React.ReactNode }) {
  return (
    <div className="max-h-64 overflow-auto px-3 pb-2">
      <table className="w-full text-left">
        <thead>
          <tr>
            {head.map((title) => (
              <th key={title} className="section-name sticky top-0 bg-panel py-1 pr-3 font-semibold">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
