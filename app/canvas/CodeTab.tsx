"use client";

import { Check, Copy } from "lucide-react";
import { useMemo, useState } from "react";
import { exportPyTorch } from "../../core/export/pytorch.ts";
import { checkGraph } from "../../core/graph/check.ts";
import { Button } from "../ui/Button.tsx";

import { useGraph } from "./useGraph.ts";
import { useStudio } from "./useStudio.ts";

/** The whole model as the PyTorch code that can be downloaded, kept up with every edit. */
export function CodeTab() {
  const graph = useGraph((s) => s.graph);
  const name = useStudio((s) => s.name);
  // Checked on its own: whether it fits a loss or a data set does not matter to the code.
  const broken = useMemo(() => checkGraph(graph).problems.find((problem) => problem.severity === "error"), [graph]);
  const code = useMemo(() => (broken ? null : exportPyTorch(graph, { className: name })), [graph, name, broken]);
  const [copied, setCopied] = useState(false);
  if (code === null) {
    return (
      <div className="space-y-1 px-3.5 py-3">
        <p>The code stands here once the model has no problems.</p>
        {broken && <p className="text-bad">{broken.message}</p>}
      </div>
    );
  }
  return (
    <div className="relative">
      <Button
        size="sm"
        className="absolute top-2 right-2"
        onClick={() => {
          void navigator.clipboard.writeText(code).then(() => {
            setCopied(true);
            setTimeout(() => setCopied(false), 1500);
          });
        }}
      >
        {copied ? <Check size={12} /> : <Copy size={12} />} {copied ? "Copied" : "Copy"}
      </Button>
      <pre className="overflow-x-auto px-3.5 py-3 font-mono text-xs leading-[17px]">{code}</pre>
    </div>
  );
}
