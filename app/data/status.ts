/** True while ingest has yet to do, or is doing, its work. */
export function isPreparing(status: string): boolean {
  return status === "queued" || status === "ingesting";
}
