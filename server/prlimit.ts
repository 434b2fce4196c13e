import { existsSync } from "node:fs";

const TOOL = "/usr/bin/prlimit";

/** Linux's prlimit(1) in front of a command: memory in bytes, processor time in seconds, open files. Where there is none the command stands without. */
export function prlimit({ dataBytes, openFiles, cpuSeconds }: { dataBytes: number; openFiles: number; cpuSeconds?: number }): string[] {
  if (!existsSync(TOOL)) return [];
  return [TOOL, ...(cpuSeconds === undefined ? [] : [`--cpu=${cpuSeconds}`]), `--data=${dataBytes}`, `--nofile=${openFiles}`, "--core=0", "--"];
}
