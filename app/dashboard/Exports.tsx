"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { say } from "../../core/language/say.ts";
import { KerasMissing } from "../canvas/KerasMissing.tsx";
import { kerasCode } from "../canvas/kerasCode.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button, ButtonLink } from "../ui/Button.tsx";
import { formatBytes, formatCount } from "../ui/format.ts";
import { Line, Panel } from "../ui/Panel.tsx";
import { Segments } from "../ui/Segments.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { saveText } from "../ui/saveFile.ts";
import { useTRPC } from "../ui/trpc.ts";
import { CodeBlock } from "./CodeBlock.tsx";
import { DownloadOnnx, onnxObstacle } from "./DownloadOnnx.tsx";
import { LayerNumbers } from "./LayerNumbers.tsx";
import type { Artifact, Run } from "./run.ts";
import { onnxRuntimeSnippet, pytorchSnippet } from "./snippets.ts";
import { WeightList, WeightsNpz } from "./WeightFiles.tsx";

/** The files of a finished run, each with what it is good for and how to use it. */
export function Exports({ run }: { run: Run }) {
  const find = (kind: Artifact["kind"]) => run.artifacts.find((artifact) => artifact.kind === kind);
  return (
    <div className="min-w-0 space-y-4">
      <Onnx run={run} artifact={find("onnx")} />
      <PyTorch artifact={find("pytorch")} />
      <Keras run={run} weights={find("safetensors")} />
      <Weights artifact={find("safetensors")} />
      {run.checkpoints.length > 0 && (
        <Panel title={say("Activations and gradients")}>
          <div className="max-w-md px-3.5 pb-3">
            <p className="pb-1.5 text-ink2">{say("Of each layer for validation rows, as the last checkpoint has it, for NumPy.")}</p>
            <LayerNumbers run={run} />
          </div>
        </Panel>
      )}
      <HowTo run={run} />
    </div>
  );
}

function Onnx({ run, artifact }: { run: Run; artifact: Artifact | undefined }) {
  const obstacle = onnxObstacle(run);
  const report = artifact?.report ?? null;
  return (
    <Panel
      title={
        <Title
          name="ONNX"
          file={artifact}
          badge={obstacle === null && report ? <Badge tone="accent">{say("checked")}</Badge> : report && !report.passed ? <Badge tone="bad">{say("refused")}</Badge> : null}
        />
      }
      end={<DownloadOnnx run={run} primary />}
    >
      <div className="px-3.5 pb-3">
        <p className="max-w-prose text-ink2">{say("Runs wherever ONNX Runtime runs. Scaling of the input is inside: it takes the data set's own numbers.")}</p>
        {obstacle !== null && <p className={report && !report.passed ? "pt-1.5 text-bad" : "pt-1.5"}>{obstacle}</p>}
        {report && <Parity report={report} />}
      </div>
    </Panel>
  );
}

/** What was compared before the file was let out, and how near both sides came. */
function Parity({ report }: { report: NonNullable<Artifact["report"]> }) {
  return (
    <dl aria-label={say("Parity report")} className="mt-2.5 grid gap-x-8 border-t border-line pt-2 sm:grid-cols-2">
      <Line name={say("Largest difference")}>{report.maxAbsDiff === null ? say("not finite") : report.maxAbsDiff.toExponential(1)}</Line>
      <Line name={say("Limit")}>{report.tolerance.toExponential(0)}</Line>
      <Line name={say("Samples compared")}>{formatCount(report.samples)}</Line>
      <Line name={say("Opset")}>{report.opset}</Line>
      <Line name={say("ONNX Runtime")}>{report.onnxRuntime}</Line>
      <Line name={say("Engine")}>{report.engine}</Line>
    </dl>
  );
}

function PyTorch({ artifact }: { artifact: Artifact | undefined }) {
  const [open, setOpen] = useState(false);
  const code = useQuery({
    queryKey: ["artifact-text", artifact?.id],
    queryFn: async ({ signal }) => {
      const response = await fetch(`/api/artifacts/${artifact?.id}`, { signal });
      if (!response.ok) throw new Error(say("The code could not be fetched ({status}).", { status: response.status }));
      return response.text();
    },
    enabled: open && artifact !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Panel
      title={<Title name={say("PyTorch code")} file={artifact} />}
      end={
        <span className="flex gap-2">
          <Button disabled={!artifact || artifact.refusal !== null} aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? say("Hide code") : say("View code")}
          </Button>
          <Download artifact={artifact} name={say("Download PyTorch code")} />
        </span>
      }
    >
      <div className="space-y-2.5 px-3.5 pb-3">
        <p className="max-w-prose text-ink2">{say("The same network as a module that runs without us, and loads the weights below.")}</p>
        <Refusal artifact={artifact} />
        {open && code.isPending && <Loading label={say("Loading the code")} className="h-40" />}
        {open && code.error && <Failing what={say("The code")} error={code.error} onRetry={() => void code.refetch()} />}
        {open && code.data !== undefined && <CodeBlock code={code.data} label={say("PyTorch code")} className="max-h-[480px]" />}
      </div>
    </Panel>
  );
}

/** The same network as a Keras script, or why Keras cannot say it. Written by this page, from the graph and the data set of the run. */
function Keras({ run, weights }: { run: Run; weights: Artifact | undefined }) {
  const trpc = useTRPC();
  const [open, setOpen] = useState(false);
  const dataset = useQuery(trpc.datasets.get.queryOptions({ datasetId: run.dataset.id }));
  const preprocess = dataset.data?.manifest?.preprocess;
  const made = useMemo(() => (preprocess ? kerasCode(run.graph, { name: run.modelName, preprocess }) : null), [run.graph, run.modelName, preprocess]);
  const base = weights?.fileName.replace(/\.safetensors$/, "") ?? "model";
  return (
    <Panel
      title={say("Keras script")}
      end={
        <span className="flex gap-2">
          <Button disabled={!made || "missing" in made} aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? say("Hide code") : say("View code")}
          </Button>
          <Button disabled={!made || "missing" in made} aria-label={say("Download Keras script")} onClick={() => made && "code" in made && saveText(`${base}-keras.py`, made.code)}>
            {say("Download")}
          </Button>
        </span>
      }
    >
      <div className="space-y-2.5 px-3.5 pb-3">
        <p className="max-w-prose text-ink2">{say("The same network for Keras 3, on its torch or jax backend. It loads the weights below as .npz.")}</p>
        {dataset.isPending && <Loading label={say("Loading the Keras script")} className="h-6" />}
        {dataset.error && <Failing what={say("The Keras script")} error={dataset.error} onRetry={() => void dataset.refetch()} />}
        {made && "missing" in made && <KerasMissing missing={made.missing} />}
        {open && made && "code" in made && <CodeBlock code={made.code} label={say("Keras script")} className="max-h-[480px]" />}
      </div>
    </Panel>
  );
}

function Weights({ artifact }: { artifact: Artifact | undefined }) {
  return (
    <Panel
      title={<Title name={say("Weights")} file={artifact} />}
      end={
        <span className="flex gap-2">
          <WeightsNpz artifact={artifact} />
          <Download artifact={artifact} name={say("Download safetensors")} />
        </span>
      }
    >
      <div className="px-3.5 pb-3">
        <p className="max-w-prose text-ink2">{say("Every weight by its PyTorch name, as safetensors, or as .npz for NumPy: nothing in either is ever executed.")}</p>
        <Refusal artifact={artifact} />
        {artifact?.refusal === null && <WeightList artifact={artifact} />}
      </div>
    </Panel>
  );
}

function HowTo({ run }: { run: Run }) {
  const [kind, setKind] = useState<"onnx" | "pytorch">("onnx");
  const code = kind === "onnx" ? onnxRuntimeSnippet(run) : pytorchSnippet(run);
  return (
    <Panel
      title={say("Use it")}
      end={
        <Segments
          label={say("Use it with")}
          options={[
            { id: "onnx", title: say("ONNX Runtime") },
            { id: "pytorch", title: "PyTorch" },
          ]}
          value={kind}
          onValue={setKind}
        />
      }
    >
      <div className="px-3.5 pt-1.5 pb-3.5">
        <CodeBlock code={code} label={kind === "onnx" ? say("ONNX Runtime example") : say("PyTorch example")} />
      </div>
    </Panel>
  );
}

function Title({ name, file, badge }: { name: string; file: Artifact | undefined; badge?: ReactNode }) {
  return (
    <span className="flex items-center gap-2">
      {name}
      {badge}
      {file?.refusal === null && (
        <span className="figures truncate font-normal text-ink2 max-sm:hidden">
          {file.fileName}, {formatBytes(file.sizeBytes)}
        </span>
      )}
    </span>
  );
}

function Download({ artifact, name }: { artifact: Artifact | undefined; name: string }) {
  if (!artifact || artifact.refusal !== null) {
    return (
      <Button disabled aria-label={name}>
        {say("Download")}
      </Button>
    );
  }
  return (
    <ButtonLink href={`/api/artifacts/${artifact.id}`} prefetch={false} download={artifact.fileName} aria-label={name}>
      {say("Download")}
    </ButtonLink>
  );
}

function Refusal({ artifact }: { artifact: Artifact | undefined }) {
  return artifact?.refusal ? <p className="pt-1.5 text-bad">{artifact.refusal.message}</p> : null;
}
