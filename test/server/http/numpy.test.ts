import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { evaluationTensors } from "../../../core/export/evaluationTensors.ts";
import { writeNpz } from "../../../core/export/npz.ts";
import { ensureWorkspace } from "../../../server/auth/workspace.ts";
import { missingOracles, runPython } from "../../oracle.ts";
import { openTestDatabase } from "../postgres.ts";
import { browserAt, serveWeb } from "../visitor.ts";
import { temporaryFiles } from "../world.ts";

const { db } = await openTestDatabase();
const files = temporaryFiles();
beforeAll(() => ensureWorkspace(db));
afterAll(() => db.$disconnect());

const noNumPy = missingOracles("numpy");
describe.skipIf(noNumPy.length > 0)(`a data set for NumPy${noNumPy.length > 0 ? ` (not installed: ${noNumPy.join(", ")})` : ""}`, () => {
  test("comes as one .npz or an array at a time, which NumPy reads, and which comes back as the same data set", async () => {
    const visitor = browserAt((await serveWeb(db, files)).base);
    await visitor.fetch("/");
    const client = visitor.client();
    const folder = await mkdtemp(join(tmpdir(), "tensorloom-numpy-"));
    const send = async (file: string) => {
      const answer = await visitor.fetch("/api/uploads", { method: "POST", headers: { "content-type": "application/octet-stream" }, body: await readFile(join(folder, file)) });
      const uploadId = z.object({ uploadId: z.string() }).parse(await answer.json()).uploadId;
      const found = await client.datasets.inspectArrays.mutate({ uploadId });
      if (!found.ok) throw new Error(found.failure.message);
      const made = await client.datasets.createArrays.mutate({ uploadId, fileName: file, name: `Señor "${file}"`, plan: found.plan });
      if (!made.ok) throw new Error(made.failure.message);
      return made.datasetId;
    };
    await runPython(
      `import numpy as np, sys, json
folder = json.load(sys.stdin)
x = np.arange(60 * 5 * 4 * 3).reshape(60, 5, 4, 3) % 251
np.savez(folder + "/own.npz", X=x.astype(np.uint8), y=np.arange(60) % 3, class_names=np.array(["a", "b", "ü"]))
print("null")`,
      folder,
    );
    const datasetId = await send("own.npz");
    const whole = await visitor.fetch(`/api/datasets/${datasetId}`);
    expect([whole.status, whole.headers.get("content-disposition")?.split(";")[1]]).toEqual([200, ' filename="senor-own-npz.npz"']);
    const bytes = new Uint8Array(await whole.arrayBuffer());
    expect(Number(whole.headers.get("content-length"))).toBe(bytes.length);
    await writeFile(join(folder, "back.npz"), bytes);
    const one = await visitor.fetch(`/api/datasets/${datasetId}/validation_x`);
    await writeFile(join(folder, "one.npy"), new Uint8Array(await one.arrayBuffer()));
    const read = await runPython(
      `import numpy as np, sys, json
folder = json.load(sys.stdin)
own, back, one = np.load(folder + "/own.npz"), np.load(folder + "/back.npz"), np.load(folder + "/one.npy")
joined = np.concatenate([back["train_x"], back["validation_x"]]); y = np.concatenate([back["train_y"], back["validation_y"]])
place = {row.tobytes(): label for row, label in zip(np.ascontiguousarray(own["X"].transpose(0, 3, 1, 2)), own["y"])}
print(json.dumps({"names": sorted(back.files), "shape": back["train_x"].shape, "dtype": str(back["train_x"].dtype), "classes": back["class_names"].tolist(),
  "same": all(place[row.tobytes()] == label for row, label in zip(joined, y)), "rows": len(set(r.tobytes() for r in joined)), "one": bool((one == back["validation_x"]).all())}))`,
      folder,
    );
    expect(read).toEqual({
      names: ["class_names", "train_x", "train_y", "validation_x", "validation_y"],
      shape: [48, 3, 5, 4],
      dtype: "uint8",
      classes: ["a", "b", "ü"],
      same: true,
      rows: 60,
      one: true,
    });
    // What was taken along and brought back is the same data set: the same bytes, split as it was.
    const again = await client.datasets.get.query({ datasetId: await send("back.npz") });
    const first = await client.datasets.get.query({ datasetId });
    const hashes = (dataset: typeof first) =>
      (["train", "validation"] as const).map((part) => [
        dataset.manifest?.splits[part].input.sha256,
        dataset.manifest?.splits[part].target.sha256,
        dataset.manifest?.splits[part].classCounts,
      ]);
    expect(hashes(again)).toEqual(hashes(first));
    expect([again.manifest?.classes, again.manifest?.preprocess, again.manifest?.arrays?.plan.split.how]).toEqual([first.manifest?.classes, first.manifest?.preprocess, "given"]);

    for (const path of [`/api/datasets/${datasetId}/manifest`, `/api/datasets/${randomUUID()}`, `/api/artifacts/${datasetId}/x`])
      expect((await visitor.fetch(path)).status).toBe(404);
  });

  test("so do the results of a run", async () => {
    const evaluation = {
      step: 4,
      epoch: 2,
      values: {},
      confusion: [
        [3, 1],
        [0, 5],
      ],
      samples: [
        { row: 7, target: [1], output: [0.25, -1.5] },
        { row: 9, target: [0], output: [null, 2] },
      ],
    };
    const file = join(await mkdtemp(join(tmpdir(), "tensorloom-numpy-")), "results.npz");
    await writeFile(file, writeNpz(evaluationTensors(evaluation, true)));
    const read = await runPython(
      `import numpy as np, sys, json; f = np.load(json.load(sys.stdin)); print(json.dumps({n: [str(f[n].dtype), np.nan_to_num(f[n], nan=-9).tolist()] for n in f.files}))`,
      file,
    );
    expect(read).toEqual({
      confusion: ["int64", evaluation.confusion],
      sample_rows: ["int64", [7, 9]],
      sample_targets: ["int64", [[1], [0]]],
      sample_outputs: [
        "float32",
        [
          [0.25, -1.5],
          [-9, 2],
        ],
      ],
    });
  });
});
