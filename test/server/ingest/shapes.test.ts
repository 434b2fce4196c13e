import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { shapes } from "../../../server/ingest/shapes.ts";
import { writeDataset } from "../../../server/ingest/write.ts";
import { openFileStore } from "../../../server/storage/files.ts";
import { temporaryFolder } from "../../native/specs.ts";

it("shapes are drawn alike on every machine, with a class for each pixel", async () => {
  const folder = temporaryFolder();
  try {
    const { manifest } = await writeDataset(openFileStore(folder.path), "shapes", await shapes.prepare());
    const { train, validation } = manifest.splits;
    expect([train.rows, train.input.shape, train.target.shape, train.target.dtype]).toEqual([1_200, [3, 64, 64], [64, 64], "uint8"]);
    expect(validation.rows).toBe(300);
    const hashes = [train, validation].flatMap(({ input, target }) => [input.sha256, target.sha256]);
    expect(createHash("sha256").update(hashes.join()).digest("hex")).toBe("e70dac0556e91168f39cdfa55c18d6c4e21aae9c98c14b1069e538e684438f65");
    for (const { rows, classCounts } of [train, validation]) {
      expect(classCounts.reduce((sum, count) => sum + count, 0)).toBe(rows * 64 * 64);
      // Most is background, and each shape has its share.
      expect((classCounts[0] ?? 0) / (rows * 64 * 64)).toBeLessThan(0.9);
      for (const count of classCounts) expect(count / (rows * 64 * 64)).toBeGreaterThan(0.015);
    }
  } finally {
    folder.remove();
  }
});
