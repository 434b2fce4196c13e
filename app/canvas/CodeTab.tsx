"use client";

import { Check, Copy, Download } from "lucide-react";
import { useMemo, useState } from "react";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { checkGraph } from "../../core/graph/check.ts";
import { say } from "../../core/language/say.ts";
import { Button, ButtonLink } from "../ui/Button.tsx";
import { Segments } from "../ui/Segments.tsx";
import { saveText } from "../ui/saveFile.ts";
import { KerasMissing } from "./KerasMissing.tsx";
import { kerasCode } from "./kerasCode.ts";
import { useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** The whole model as code that can be taken along, kept up with every edit. Files with trained weights are made of runs. */
export default function CodeTab() {
  const graph = useGraph((s) => s.graph);
  const modelId = useGraph((s) => s.modelId);
  const name = useStudio((s) => s.name);
  // Checked on its own: whether it fits a loss or a data set does not matter to the code.
  const broken = useMemo(() => checkGraph(graph).problems.find((problem) => problem.severity === "error"), [graph]);
  const [kind, setKind] = useState<"pytorch" | "keras">("pytorch");
  const made = useMemo(() => {
    if (broken) return null;
    return kind === "keras" ? kerasCode(graph, { name }) : { code: exportPyTorch(graph, { className: name }) };
  }, [graph, name, broken, kind]);
  const [copied, setCopied] = useState(false);
  if (made === null) {
    return (
      <div className="space-y-1 px-3.5 py-3">
        <p>{say("The code stands here once the model has no problems.")}</p>
        {broken && <p className="text-bad">{broken.message}</p>}
      </div>
    );
  }
  const code = "code" in made ? made.code : null;
  return (
    <div>
      <div className="sticky top-0 flex items-center justify-between gap-2 border-b border-line bg-panel px-3.5 py-2">
        <Segments
          label={say("Language")}
          options={[
            { id: "pytorch", title: "PyTorch" },
            { id: "keras", title: "Keras" },
          ]}
          value={kind}
          onValue={setKind}
        />
        <span className="flex gap-1.5">
          <Button
            size="sm"
            disabled={code === null}
            onClick={() => {
              void navigator.clipboard.writeText(code ?? "").then(() => {
                setCopied(true);
                setTimeout(() => setCopied(false), 1500);
              });
            }}
          >
            {copied ? <Check size={12} /> : <Copy size={12} />} {copied ? say("Copied") : say("Copy")}
          </Button>
          <Button size="sm" disabled={code === null} onClick={() => saveText(`${fileName(name)}${kind === "keras" ? "_keras" : ""}.py`, code ?? "")}>
            <Download size={12} /> {say("Download")}
          </Button>
        </span>
      </div>
      {"missing" in made ? (
        <div className="px-3.5 py-3">
          <KerasMissing missing={made.missing} />
        </div>
      ) : (
        <pre className="overflow-x-auto px-3.5 py-3 font-mono text-xs leading-[17px]">{code}</pre>
      )}
      {modelId !== null && (
        <p className="border-t border-line px-3.5 py-2.5 text-ink2">
          {say("With trained weights, and as ONNX, safetensors or npz:")}
          <ButtonLink size="sm" kind="quiet" href={`/models/${modelId}/ship`} className="ml-1 text-accent!">
            {say("Ship")}
          </ButtonLink>
        </p>
      )}
    </div>
  );
}

/** `LeNet-5` → `lenet_5` */
function fileName(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "_")
      .replaceAll(/^_+|_+$/g, "") || "model"
  );
}
