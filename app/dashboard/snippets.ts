import { UNKNOWN } from "../../core/data/text.ts";
import { mainOutput } from "../../core/graph/predicting.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import type { Run } from "./run.ts";

type Shipped = Pick<Run, "artifacts" | "dataset" | "graph">;

/** Python that runs the ONNX file on one sample. */
export function onnxRuntimeSnippet(run: Shipped): string {
  return [
    "# pip install onnxruntime numpy",
    "import numpy as np",
    "import onnxruntime as ort",
    "",
    `session = ort.InferenceSession(${JSON.stringify(nameOf(run, "onnx", "model.onnx"))})`,
    ...(run.dataset.text ? tokensOf(run.dataset.text) : []),
    `x = ${sampleOf(run)}`,
    ...(run.dataset.text
      ? [
          "lengths = np.array([x.shape[1]], dtype=np.int64)",
          'feeds = {i.name: lengths if i.name == "lengths" else x for i in session.get_inputs()}',
          "y = session.run(None, feeds)[0]",
        ]
      : [`y = session.run([${JSON.stringify(mainOutput(run.graph)?.name ?? "y")}], {session.get_inputs()[0].name: x})[0]`]),
    ...readingOf(run),
  ].join("\n");
}

/** What the output says, in words. */
function readingOf({ dataset: { task, classes } }: Shipped): string[] {
  const list = `classes = ${JSON.stringify(classes)}`;
  if (task === "semantic-segmentation")
    return [list, "mask = y[0].argmax(axis=0)  # the class number of each pixel", "print({name: int((mask == i).sum()) for i, name in enumerate(classes)})"];
  if (task === "autoencoder") return ["picture = (y[0] * 255).round().astype(np.uint8)  # rebuilt", "print(picture.shape)"];
  return classes.length > 0 ? [list, "print(classes[int(y[0].argmax())])"] : ["print(float(y[0, 0]))"];
}

/** How to run the generated file: it holds the module, loads the weights and puts a random batch through. */
export function pytorchSnippet(run: Shipped): string {
  return ["pip install torch safetensors", `python ${nameOf(run, "pytorch", "model.py")} ${nameOf(run, "safetensors", "model.safetensors")}`].join("\n");
}

function nameOf(run: Shipped, kind: Run["artifacts"][number]["kind"], otherwise: string): string {
  return run.artifacts.find((artifact) => artifact.kind === kind)?.fileName ?? otherwise;
}

/** An empty sample of the right shape and type, with a word on what belongs there. */
function sampleOf({ dataset }: Shipped): string {
  if (dataset.text?.unit === "pieces") return `np.array([cut("your text here")[:${dataset.inputShape[0] ?? 1}]], dtype=np.int64)`;
  if (dataset.text) {
    const text = JSON.stringify(dataset.text.unit === "words" ? "your text here" : "anna");
    const pieces = dataset.text.unit === "words" ? `re.findall(pattern, ${text}${dataset.text.lowercase ? ".lower()" : ""})` : text;
    return `np.array([[numbers.get(piece, ${UNKNOWN}) for piece in ${pieces}]], dtype=np.int64)`;
  }
  const shape = [1, ...dataset.inputShape].join(", ");
  const picture = dataset.task !== null && taskNamed(dataset.task).input === "image";
  const call = `np.zeros((${shape}), dtype=np.${picture ? "uint8" : "float32"})`;
  const what = picture ? "0 to 255, white on black as in the data set" : `in this order: ${dataset.columns.join(", ")}`;
  return `${call}  # ${what}`;
}

/** The vocabulary in Python, by token, and for words how a text is cut into them. */
function tokensOf({ unit, tokens, scores = [] }: NonNullable<Run["dataset"]["text"]>): string[] {
  const own = tokens.slice(UNKNOWN + 1);
  if (unit === "pieces") return [`pieces = ${JSON.stringify(own)}`, `scores = ${JSON.stringify(scores.slice(UNKNOWN + 1))}`, ...CUT];
  const list = unit === "characters" ? JSON.stringify(own.join("")) : JSON.stringify(own);
  return [
    ...(unit === "words" ? ["import re", `pattern = r"[^\\W\\d_]+(?:['’][^\\W\\d_]+)*|\\d+|_|[^\\w\\s]"`] : []),
    `numbers = {token: number for number, token in enumerate(${list}, ${UNKNOWN + 1})}`,
  ];
}

/** How the likeliest pieces are found, as core/data/unigram.ts does. */
const CUT = [
  "import unicodedata",
  `known = {piece: (score, number + ${UNKNOWN + 1}) for number, (piece, score) in enumerate(zip(pieces, scores))}`,
  "longest = max(map(len, pieces))",
  "",
  "def cut(text):",
  '    signs = "\u2581" + "\u2581".join(unicodedata.normalize("NFKC", text).split())',
  "    best = [(0.0, 0, 0)] + [(float('-inf'), 0, 0)] * len(signs)",
  "    for start in range(len(signs)):",
  "        for end in range(start + 1, min(len(signs), start + longest) + 1):",
  `            score, number = known.get(signs[start:end], (-1e4 if end == start + 1 else float("-inf"), ${UNKNOWN}))`,
  "            if best[start][0] + score >= best[end][0]: best[end] = (best[start][0] + score, start, number)",
  "    numbers, end = [], len(signs)",
  "    while end > 0:",
  "        _, start, number = best[end]",
  `        if number != ${UNKNOWN} or not numbers or numbers[-1] != ${UNKNOWN}: numbers.append(number)`,
  "        end = start",
  "    return numbers[::-1]",
  "",
];
