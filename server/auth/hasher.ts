import { parentPort } from "node:worker_threads";
import { argon2id, argon2Verify } from "hash-wasm";
import type { Done, Work } from "./password.ts";

/** The thread that hashes passwords, one after the other. */
let last: Promise<void> = Promise.resolve();
parentPort?.on("message", (work: Work) => {
  last = last.then(async () => {
    const result =
      work.kind === "hash"
        ? await argon2id({ ...work.cost, password: work.password, salt: work.salt, outputType: "encoded" })
        : await argon2Verify({ password: work.password, hash: work.hash }).catch(() => false);
    parentPort?.postMessage({ id: work.id, result } satisfies Done);
  });
});
