/**
 * What a table of 100,000 runs costs: the first page and a deep one, by any order, with and without filters.
 *
 *     node test/bench/runs.ts [--runs 100000]
 *
 * Prints lines to read, then one line of JSON.
 */
import { parseArgs } from "node:util";
import { View } from "../../core/runs/view.ts";
import { countRuns, groupRuns, type ListRuns, listColumns, listRuns } from "../../server/runs/list.ts";
import { openWorld } from "../fault/world.ts";
import { seedRuns } from "./seedRuns.ts";

const { values: options } = parseArgs({ options: { runs: { type: "string", default: "100000" } } });
const count = Number(options.runs);
const world = await openWorld();
try {
  const user = await world.db.user.findFirstOrThrow();
  const started = performance.now();
  const { orgId, modelIds } = await seedRuns(world.db, { url: world.postgres.url, orgId: world.orgId, userId: user.id, count });
  console.log(`${count.toLocaleString("en")} runs seeded in ${((performance.now() - started) / 1000).toFixed(0)} s`);
  const question = (part: { [name: string]: unknown }): ListRuns => ({
    ...View.pick({ sort: true, filters: true, search: true, trash: true }).parse({ ...part, modelId: undefined }),
    limit: 100,
    cursor: null,
  });
  const sortedBy = (column: string, descending = true) => ({ sort: { column, descending } });
  const where = (column: string, operator: string, value: string) => ({ column, operator, value });
  const asked: { [name: string]: ListRuns } = {
    "newest first": question({}),
    "by best accuracy": question(sortedBy("validation/accuracy:best")),
    "by lowest loss": question(sortedBy("validation/loss:min", false)),
    "by learning rate": question(sortedBy("settings.lr", false)),
    "by optimizer": question(sortedBy("settings.optimizer", false)),
    "by duration": question(sortedBy("took")),
    "by state": question(sortedBy("state")),
    "by model": question(sortedBy("model", false)),
    "accuracy > 0.99, by learning rate": question({ ...sortedBy("settings.lr"), filters: [where("validation/accuracy:best", ">", "0.99")] }),
    "accuracy > 0.9929, newest first": question({ filters: [where("validation/accuracy:best", ">", "0.9929")] }),
    "optimizer, batch and rate, by accuracy": question({
      ...sortedBy("validation/accuracy:best"),
      filters: [where("settings.optimizer", "=", "SGD"), where("settings.batchSize", "=", "64"), where("settings.lr", "<", "0.001")],
    }),
    "nothing meets it, by accuracy": question({
      ...sortedBy("validation/accuracy:best"),
      filters: [where("settings.optimizer", "=", "SGD"), where("validation/loss:best", "<", "0.0001")],
    }),
    "failed, by learning rate": question({ ...sortedBy("settings.lr"), filters: [where("state", "=", "failed")] }),
    "tag, by accuracy": question({ ...sortedBy("validation/accuracy:best"), filters: [where("tags", "=", "paper")] }),
    "one model, by accuracy": { ...question(sortedBy("validation/accuracy:best")), modelId: modelIds[3] ?? "" },
    "words, newest first": question({ search: "paper" }),
  };
  const quantile = (times: number[], share: number) => times.toSorted((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? Number.NaN;
  const time = async (turns: number, ask: () => Promise<unknown>) => {
    const times: number[] = [];
    for (let turn = 0; turn < turns + 3; turn++) {
      const from = performance.now();
      await ask();
      if (turn >= 3) times.push(performance.now() - from);
    }
    return times;
  };
  const all: number[] = [];
  const figures: { [name: string]: number } = {};
  for (const [name, ask] of Object.entries(asked)) {
    // A page from the middle: what somebody comes to who scrolls far.
    let cursor: string | null = null;
    for (let page = 0; page < 8; page++) cursor = (await listRuns(world.db, orgId, { ...ask, cursor })).next ?? cursor;
    const first = await time(30, () => listRuns(world.db, orgId, ask));
    const deep = await time(30, () => listRuns(world.db, orgId, { ...ask, cursor }));
    all.push(...first, ...deep);
    figures[name] = quantile([...first, ...deep], 0.95);
    console.log(`${name.padEnd(40)} first page p95 ${quantile(first, 0.95).toFixed(1).padStart(6)} ms, a later one ${quantile(deep, 0.95).toFixed(1).padStart(6)} ms`);
  }
  const others = {
    count: () => countRuns(world.db, orgId, question({})),
    "count with a filter": () => countRuns(world.db, orgId, asked["accuracy > 0.99, by learning rate"] as ListRuns),
    groups: () => groupRuns(world.db, orgId, { ...question({}), by: "settings.optimizer", metric: "validation/accuracy:best" }),
    columns: () => listColumns(world.db, orgId),
  };
  for (const [name, ask] of Object.entries(others)) {
    figures[name] = quantile(await time(10, ask), 0.95);
    console.log(`${name.padEnd(40)} p95 ${figures[name].toFixed(1).padStart(6)} ms`);
  }
  console.log(`a page of 100 of ${count.toLocaleString("en")} runs, all orders and filters together: p95 ${quantile(all, 0.95).toFixed(1)} ms`);
  console.log(
    JSON.stringify({
      part: "run table",
      runs: count,
      p95Ms: Number(quantile(all, 0.95).toPrecision(3)),
      each: Object.fromEntries(Object.entries(figures).map(([name, ms]) => [name, Number(ms.toPrecision(3))])),
    }),
  );
} finally {
  await world.close();
}
