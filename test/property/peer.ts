import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { type Tensor, tensorBytes, tensorFromBytes, type Weights } from "../../core/export/tensor.ts";
import { oracleEnv } from "../oracle.ts";

const Encoded = z
  .object({ dtype: z.enum(["float32", "int64", "bool", "uint8"]), shape: z.array(z.int()), data: z.string() })
  .transform(({ dtype, shape, data }): Tensor => tensorFromBytes(dtype, shape, Buffer.from(data, "base64")));
const Gradients = z.union([
  z.object({ mode: z.enum(["train", "eval"]), left: z.string() }),
  z.object({
    mode: z.enum(["train", "eval"]),
    loss: z.number(),
    inputs: z.array(Encoded.nullable()),
    weights: z.record(z.string(), Encoded.nullable()),
    buffers: z.record(z.string(), Encoded),
  }),
]);
export type Gradients = z.infer<typeof Gradients>;
const Answer = z.union([z.object({ error: z.string() }), z.object({ outputs: z.array(z.array(Encoded)), gradients: Gradients.nullable() })]);
export type Answer = z.infer<typeof Answer>;

/** `projections`: a number for each of each output's, whose gradients are asked for; null where an output has none, or nothing is asked. */
export type Question = { code: string; weights: Weights; batches: Tensor[][]; projections: (Tensor | null)[] | null };

export type Peer = { ask(questions: readonly Question[]): Promise<Answer[]>; stop(): void };

/** Python's PyTorch, which stays up so that importing it costs no case anything. */
export function startPeer(): Peer {
  const child = spawn("python3", [join(import.meta.dirname, "peer.py")], { env: { ...oracleEnv, OMP_NUM_THREADS: "1" }, stdio: ["pipe", "pipe", "inherit"] });
  const waiting: { done: (line: string) => void; fail: (error: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.done(line));
  child.on("close", (code) => {
    for (const { fail } of waiting.splice(0)) fail(new Error(`Python ended with ${code}.`));
  });
  child.stdin.on("error", () => {});
  return {
    async ask(questions) {
      const line = new Promise<string>((done, fail) => waiting.push({ done, fail }));
      child.stdin.write(
        `${JSON.stringify(
          questions.map(({ code, weights, batches, projections }) => ({
            code,
            weights: Object.fromEntries([...weights].map(([name, tensor]) => [name, encode(tensor)])),
            batches: batches.map((inputs) => inputs.map(encode)),
            projections: projections?.map((tensor) => tensor && encode(tensor)) ?? null,
          })),
        )}\n`,
      );
      return z.array(Answer).parse(JSON.parse(await line));
    },
    stop: () => child.stdin.end(),
  };
}

function encode(tensor: Tensor): { dtype: string; shape: number[]; data: string } {
  return { dtype: tensor.dtype, shape: tensor.shape, data: Buffer.from(tensorBytes(tensor)).toString("base64") };
}
