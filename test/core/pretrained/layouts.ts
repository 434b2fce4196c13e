import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { countElements, type Tensor } from "../../../core/export/tensor.ts";

const { files } = z
  .object({ about: z.string(), files: z.record(z.string(), z.array(z.string())) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "layouts.json"), "utf8")));

/** The tensors that a network's file has at its hub, by name and shape; their numbers are 0, or what `fill` gives. */
export function publishedTensors(id: string, fill?: (name: string, shape: readonly number[]) => Float32Array): Map<string, Tensor> {
  return new Map(
    (files[id] ?? []).map((line): [string, Tensor] => {
      const [name = "", ...sizes] = line.split(" ");
      const shape = sizes.map(Number);
      return [name, { dtype: "float32", shape, data: fill?.(name, shape) ?? new Float32Array(countElements(shape)) }];
    }),
  );
}
