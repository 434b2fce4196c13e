import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { dirname } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { resnet18Weights } from "../../../core/pretrained/resnet.ts";
import { fetchWeights, type HubError, isHub } from "../../../server/hub/fetch.ts";
import { beginFetch, weightsState } from "../../../server/hub/fetching.ts";
import { hubKey } from "../../../server/ingest/pretrained.ts";
import { openFileStore } from "../../../server/storage/files.ts";
import { temporaryFolder } from "../../native/specs.ts";

/** A real server on this machine, which does what servers do at their worst. */

const content = randomBytes(300_000);
const sha256 = createHash("sha256").update(content).digest("hex");
let folder: ReturnType<typeof temporaryFolder>;
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let asked: (string | undefined)[];
let wanted: { url: string; sha256: string; sizeBytes: number };

beforeEach(async () => {
  folder = temporaryFolder();
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.headers.range);
    answer(request, response);
  });
  await new Promise<void>((go) => server.listen(0, "127.0.0.1", go));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("The server has no port.");
  wanted = { url: `http://127.0.0.1:${address.port}/model.safetensors`, sha256, sizeBytes: content.length };
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((go) => server.close(go));
  folder.remove();
});

const files = () => openFileStore(folder.path);
const fetched = (how: Parameters<typeof fetchWeights>[2] = {}) => fetchWeights(files(), wanted, { allows: () => true, pauseMs: 1, ...how });
const file = () => files().path(hubKey(wanted));
const part = () => `${file()}.part`;
const codeOf = (promise: Promise<void>) =>
  promise.then(
    () => "",
    (error: HubError) => error.code,
  );

/** Sends the file from where it was asked for, at most `most` bytes of it, and then hangs up. */
function sendRange(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array = content, most = Number.POSITIVE_INFINITY): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  response.writeHead(from > 0 ? 206 : 200, {
    "content-length": bytes.length - from,
    ...(from > 0 ? { "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  const some = bytes.subarray(from, Math.min(bytes.length, from + most));
  if (some.length === bytes.length - from) response.end(some);
  else response.write(some, () => setTimeout(() => response.destroy(), 20));
}

it("a file is kept whole under its sum, and is not asked for twice", async () => {
  answer = sendRange;
  const progress: number[] = [];
  await fetched({ onProgress: (done) => progress.push(done) });
  expect(readFileSync(file()).equals(content)).toBe(true);
  expect(progress.at(-1)).toBe(content.length);
  expect(readdirSync(dirname(file()))).toEqual([`${sha256}.safetensors`]);
  await fetched();
  expect(asked).toHaveLength(1);
});

it("a connection that is cut again and again goes on where it stopped", async () => {
  answer = (request, response) => sendRange(request, response, content, 70_000);
  await fetched();
  expect(readFileSync(file()).equals(content)).toBe(true);
  expect(asked[0]).toBeUndefined();
  expect(asked.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ""))).toBe(true);
  expect(asked.length).toBeGreaterThanOrEqual(5);
});

it("what came before a failure is kept, and a later try goes on from it", async () => {
  let isDown = false;
  answer = (request, response) => {
    if (isDown) request.socket.destroy();
    else sendRange(request, response, content, 100_000);
    isDown = true;
  };
  expect(await codeOf(fetched())).toBe("HUB_OFFLINE");
  const kept = statSync(part()).size;
  expect(kept).toBeGreaterThan(0);
  answer = sendRange;
  await fetched();
  expect(asked.at(-1)).toBe(`bytes=${kept}-`);
  expect(readFileSync(file()).equals(content)).toBe(true);
});

it("a server that knows no ranges sends all of it, and the file is right", async () => {
  let times = 0;
  answer = (_, response) => {
    response.writeHead(200);
    if (times++ > 0) response.end(content);
    else response.write(content.subarray(0, 50_000), () => setTimeout(() => response.destroy(), 20));
  };
  await fetched();
  expect(readFileSync(file()).equals(content)).toBe(true);
});

it("bytes that are not the file's leave nothing behind, and are tried again once", async () => {
  const other = Buffer.from(content);
  other[1000] = (other[1000] ?? 0) ^ 1;
  answer = (request, response) => sendRange(request, response, other);
  expect(await codeOf(fetched())).toBe("HUB_CORRUPT");
  expect(asked).toHaveLength(2);
  expect(existsSync(file()) || existsSync(part())).toBe(false);
});

it("a server that sends more than the file is stopped", async () => {
  answer = (_, response) => {
    response.writeHead(200);
    createReadStream("/dev/zero").pipe(response);
  };
  expect(await codeOf(fetched())).toBe("HUB_CORRUPT");
  expect(existsSync(file())).toBe(false);
  expect(statSync(part()).size).toBe(0);
});

it.each([
  ["no such file", 404, "HUB_REFUSED"],
  ["not for us", 403, "HUB_REFUSED"],
  ["out of order", 503, "HUB_OFFLINE"],
])("%s (%i) is said as %s", async (_, status, code) => {
  answer = (_, response) => response.writeHead(status).end();
  expect(await codeOf(fetched())).toBe(code);
});

it("a server that falls silent is not waited for without end", async () => {
  answer = (_, response) => {
    response.writeHead(200);
    response.write(content.subarray(0, 10));
  };
  expect(await codeOf(fetched({ silenceMs: 60 }))).toBe("HUB_OFFLINE");
});

it("no redirect leads to a host that is not ours to choose", async () => {
  answer = (request, response) => (request.url === "/elsewhere" ? sendRange(request, response) : response.writeHead(302, { location: "/elsewhere" }).end());
  await fetched({ allows: (url) => url.hostname === "127.0.0.1" });
  expect(existsSync(file())).toBe(true);
  answer = (_, response) => response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end();
  await files().remove(hubKey(wanted));
  expect(await codeOf(fetched({ allows: (url) => url.hostname === "127.0.0.1" }))).toBe("HUB_REFUSED");
  answer = (_, response) => response.writeHead(302, { location: "/again" }).end();
  expect(await codeOf(fetched())).toBe("HUB_REFUSED");
});

it.each([
  ["https://huggingface.co/timm/x", true],
  ["https://cdn-lfs.hf.co/x", true],
  ["https://cas-bridge.xethub.hf.co/x", true],
  ["http://huggingface.co/x", false],
  ["https://huggingface.co:8443/x", false],
  ["https://huggingface.co.evil.example/x", false],
  ["https://evilhf.co/x", false],
  ["https://user@huggingface.co/x", false],
  ["https://127.0.0.1/x", false],
])("%s: %s", (url, may) => expect(isHub(new URL(url))).toBe(may));

it("the state of a network's weights is said: to fetch, on their way, failed, here", async () => {
  const { weights } = resnet18Weights;
  if (weights.kind !== "hub") throw new Error("These weights come from a hub.");
  const network = { ...resnet18Weights, weights: { ...weights, ...wanted } };
  expect(await weightsState(files(), network, false)).toEqual({ at: "the hub", doneBytes: 0, failed: null, isOff: true });
  const here = (f: typeof fetchWeights) => beginFetch(files(), network.weights, f);
  answer = (_, response) => response.writeHead(404).end();
  const tried = here((store, one, how) => fetchWeights(store, one, { ...how, allows: () => true, pauseMs: 1 }));
  expect(await weightsState(files(), network, true)).toMatchObject({ at: "on their way" });
  await tried;
  expect(await weightsState(files(), network, true)).toMatchObject({ at: "the hub", failed: expect.stringContaining("404") });
  answer = sendRange;
  await here((store, one, how) => fetchWeights(store, one, { ...how, allows: () => true, pauseMs: 1 }));
  expect(await weightsState(files(), network, true)).toEqual({ at: "here" });
});
