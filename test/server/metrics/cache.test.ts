import { expect, test } from "vitest";
import { ChunkCache } from "../../../server/metrics/cache.ts";

const chunk = (count: number) => ({ steps: null, values: new Float64Array(count) });

test("chunks stay within their bytes, and those not used for the longest go first", () => {
  const cache = new ChunkCache(100);
  cache.put("a", chunk(4));
  cache.put("b", chunk(4));
  cache.put("c", chunk(4));
  expect(cache.get("a")?.values.length).toBe(4);
  cache.put("d", chunk(4));
  expect(cache.get("b")).toBeUndefined();
  expect([cache.get("a"), cache.get("c"), cache.get("d")].every((found) => found !== undefined)).toBe(true);
  cache.put("a", chunk(2));
  expect(cache.bytes).toBe(80);
  cache.put("large", chunk(20));
  expect(cache.bytes).toBe(0);
});
