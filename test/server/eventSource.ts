/** An EventSource for Node that sends a cookie: enough of the standard for tRPC's own client. */
export function cookieEventSource(cookie: string) {
  return class {
    static readonly CONNECTING = 0;
    static readonly OPEN = 1;
    static readonly CLOSED = 2;
    readonly CLOSED = 2;
    readyState = 0;
    readonly #listeners = new Map<string, Set<(event: unknown) => void>>();
    readonly #cut = new AbortController();
    constructor(url: string) {
      void this.#read(url);
    }
    addEventListener(type: string, listener: (event: unknown) => void): void {
      this.#listeners.set(type, (this.#listeners.get(type) ?? new Set()).add(listener));
    }
    removeEventListener(type: string, listener: (event: unknown) => void): void {
      this.#listeners.get(type)?.delete(listener);
    }
    close(): void {
      this.readyState = 2;
      this.#cut.abort();
    }
    #emit(type: string, event: unknown): void {
      for (const listener of this.#listeners.get(type) ?? []) listener(event);
    }
    async #read(url: string): Promise<void> {
      try {
        const answer = await fetch(url, { headers: { cookie, accept: "text/event-stream" }, signal: this.#cut.signal });
        this.readyState = 1;
        this.#emit("open", {});
        let text = "";
        for await (const part of (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
          text += part;
          for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
            const fields = new Map(
              text
                .slice(0, end)
                .split("\n")
                .map((line) => [line.split(": ", 1)[0] ?? "", line.slice(line.indexOf(": ") + 2)]),
            );
            text = text.slice(end + 2);
            this.#emit(fields.get("event") ?? "message", { data: fields.get("data") ?? "", lastEventId: fields.get("id") ?? "" });
          }
        }
      } catch {
        if (this.#cut.signal.aborted) return;
        // As a browser whose server does not answer.
        this.readyState = 2;
        this.#emit("error", {});
      }
    }
  };
}
