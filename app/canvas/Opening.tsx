"use client";

import { say } from "../../core/language/say.ts";
import { Failing } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";

/** What stands there until a model's drawing does, or why it cannot. */
export function Opening({ modelId, error = null, onRetry }: { modelId: string; error?: unknown; onRetry?: () => void }) {
  return (
    <div className="flex h-dvh flex-col">
      <TopBar place={[{ label: "…" }]} modelId={modelId} room="build" />
      <main className="flex flex-1 items-center justify-center p-6">
        {error !== null ? (
          <Failing what={say("This model")} error={error} onRetry={onRetry} />
        ) : (
          <p role="status" className="breathe text-ink2">
            {say("Opening the drawing")}
          </p>
        )}
      </main>
    </div>
  );
}
