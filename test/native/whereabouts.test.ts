import { afterAll, expect, it } from "vitest";
import { train } from "../../native/index.ts";
import { Whereabouts } from "../../server/agent/whereabouts.ts";
import { allowed } from "../allowed.ts";
import { networks } from "./networks.ts";
import { specOf, temporaryFolder, writeRows } from "./specs.ts";

const folder = temporaryFolder();
afterAll(folder.remove);

it("an engine says at which node it is, forward and backward, as long as it trains", async () => {
  const network = networks[0];
  if (!network) throw new Error("There is no network.");
  const whereabouts = Whereabouts.open();
  if (whereabouts === null) throw new Error("There is no room for a file.");
  expect(whereabouts.read()).toBeNull();
  const rows = writeRows(folder.path, "rows", network, 512, 1);
  const training = train({ ...specOf(network, { train: rows }, { epochs: 1_000_000 }), placeFile: whereabouts.file, followsBackward: true }, () => {});
  const seen = new Set<string>();
  const nodes = network.graph.nodes.filter(({ type }) => type === "linear").map(({ id }) => id);
  const wanted = [...nodes.flatMap((id) => [`forward ${id}`, `backward ${id}`]), "optimizer null"];
  const deadline = performance.now() + allowed(20_000);
  while (performance.now() < deadline && wanted.some((place) => !seen.has(place))) {
    const place = whereabouts.read();
    if (place) seen.add(`${place.part} ${place.node}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  training.cancel();
  await training.done;
  expect([...seen]).toEqual(expect.arrayContaining(wanted));
  expect(nodes.length).toBeGreaterThan(0);
  expect(whereabouts.read()).toBeNull();
  whereabouts.close();
});
