import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fstatSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

/** What an engine was at when its process ended. `node`: by its path. */
export type Place = { part: "forward" | "backward"; node: string } | { part: "backward" | "optimizer"; node: null };

/** As native/src/engine/whereabouts.h has them. */
const elsewhere = 0;
const backward = -1_000_000_000;
const optimizer = 1_000_000_000;

/**
 * A file without a name, in memory where the system has such a folder, that an agent and one of its trainers hold: the engine writes there at
 * which node it is, and what it wrote last is there when it has crashed. It goes away with whoever holds it last.
 */
export class Whereabouts {
  readonly file: number;

  private constructor(file: number) {
    this.file = file;
  }

  /** Null where there is no room for it: then a crash is told without its place. */
  static open(): Whereabouts | null {
    const path = join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), `tensorloom-${randomUUID()}`);
    try {
      const file = openSync(path, "wx+", 0o600);
      rmSync(path, { force: true });
      return new Whereabouts(file);
    } catch {
      return null;
    }
  }

  /** Null where the engine was not at work, or between its operators. */
  read(): Place | null {
    const bytes = Buffer.alloc(fstatSync(this.file).size);
    readSync(this.file, bytes, 0, bytes.length, 0);
    if (bytes.length < 4) return null;
    const at = bytes.readInt32LE(0);
    if (at === elsewhere) return null;
    if (at === backward || at === optimizer) return { part: at === backward ? "backward" : "optimizer", node: null };
    const node = z.array(z.string()).parse(JSON.parse(bytes.toString("utf8", 4)))[Math.abs(at) - 1];
    return node === undefined ? null : { part: at > 0 ? "forward" : "backward", node };
  }

  close(): void {
    closeSync(this.file);
  }
}
