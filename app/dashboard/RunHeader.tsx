"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { MoreHorizontal } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useCallback, useState } from "react";
import { say } from "../../core/language/say.ts";
import { useMayChange } from "../account/useRole.ts";
import ShareDialog from "../shared/ShareDialog.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { formatCount } from "../ui/format.ts";
import { Menu } from "../ui/Menu.tsx";
import { notify } from "../ui/Notices.tsx";
import { Say } from "../ui/Say.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { formatClock } from "./figures.ts";
import { RunBadge } from "./RunBadge.tsx";
import { type Checkpoint, isActive, type Run } from "./run.ts";
import { useOrganize } from "./table/Selection.tsx";
import type { Connection } from "./useRun.ts";

/** Starts a run of its own from a checkpoint, and goes there. */
export function useFork(runId: string) {
  const trpc = useTRPC();
  const router = useRouter();
  const fork = useMutation(
    trpc.runs.fork.mutationOptions({
      onSuccess: ({ runId }) => router.push(`/runs/${runId}`),
      onError: (error) => notify(say("This checkpoint could not be forked: {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const { mutate } = fork;
  const forkFrom = useCallback((checkpoint: Checkpoint) => mutate({ runId, checkpointId: checkpoint.id }), [mutate, runId]);
  return { forking: fork.isPending, forkFrom };
}

/** Makes a model out of a checkpoint, and goes there. */
export function useOpenCheckpoint(runId: string) {
  const trpc = useTRPC();
  const router = useRouter();
  const open = useMutation(
    trpc.runs.openCheckpoint.mutationOptions({
      onSuccess: ({ modelId }) => router.push(`/models/${modelId}`),
      onError: (error) => notify(say("This checkpoint could not be opened: {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const { mutate } = open;
  const openModel = useCallback((checkpoint: Checkpoint) => mutate({ runId, checkpointId: checkpoint.id }), [mutate, runId]);
  return { opening: open.isPending, openModel };
}

/** Name, state, who and what of a run, and what can be done with it now. */
export function RunHeader({ run, connection }: { run: Run; connection: Connection }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const refresh = () => {
    void queryClient.invalidateQueries({ queryKey: trpc.runs.get.queryKey({ runId: run.id }) });
    void queryClient.invalidateQueries({ queryKey: trpc.runs.list.queryKey() });
  };
  const refused = (what: string) => (error: { message: string }) => notify(`${what} ${error.message}`, { tone: "bad" });
  const cancel = useMutation(trpc.runs.cancel.mutationOptions({ onSuccess: refresh, onError: refused(say("The run could not be stopped.")) }));
  const keepBest = useMutation(trpc.runs.stop.mutationOptions({ onSuccess: refresh, onError: refused(say("The run could not be stopped.")) }));
  const pause = useMutation(trpc.runs.pause.mutationOptions({ onSuccess: refresh, onError: refused(say("The run could not be paused.")) }));
  const resume = useMutation(trpc.runs.resume.mutationOptions({ onSuccess: refresh, onError: refused(say("The run could not be resumed.")) }));
  const repeat = useMutation(
    trpc.runs.repeat.mutationOptions({
      onSuccess: ({ runId }) => {
        void queryClient.invalidateQueries({ queryKey: trpc.runs.list.queryKey() });
        router.push(`/runs/${runId}`);
      },
      onError: refused(say("The run could not be repeated.")),
    }),
  );
  const organize = useOrganize();
  const { forkFrom, forking } = useFork(run.id);
  const active = isActive(run.status);
  const [sharing, setSharing] = useState(false);
  const mayChange = useMayChange();
  const stopping = active && (cancel.isPending || keepBest.isPending || run.cancelling);
  const best = run.checkpoints.find(({ isBest }) => isBest) ?? run.checkpoints.at(-1);
  const paused = run.status === "paused";
  const pausing = active && !stopping && (pause.isPending || run.pausing);
  const canResume = paused || run.status === "cancelled" || run.status === "failed";

  return (
    <header className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <h1 className="text-title font-semibold">{say("Run {number}", { number: run.number })}</h1>
      <RunBadge status={run.status} stopping={stopping} pausing={pausing} />
      <p className="min-w-0 text-ink2 max-md:order-last max-md:w-full">
        {say("{startedAt} by {createdByName}, model v{modelVersion}, {name}, seed {seed}", {
          startedAt: run.startedAt ? say("started {startedAt}", { startedAt: formatClock(run.startedAt) }) : say("queued {createdAt}", { createdAt: formatClock(run.createdAt) }),
          createdByName: run.createdByName,
          modelVersion: run.modelVersion,
          name: run.dataset.name,
          seed: run.settings.seed,
        })}
        {run.forkedFrom && (
          <Say
            text=", forked from <link>run {number} at step {step}</link>"
            with={{
              link: <Link href={`/runs/${run.forkedFrom.runId}`} className="text-accent hover:underline" />,
              number: run.forkedFrom.number,
              step: formatCount(run.forkedFrom.step),
            }}
          />
        )}
      </p>
      {run.deletedAt !== null && <p className="text-warn">{say("In the trash since {deletedAt}", { deletedAt: formatClock(run.deletedAt) })}</p>}
      {connection === "lost" && active && (
        <p role="status" className="text-warn">
          {say("Connection lost, trying again")}
        </p>
      )}
      <div className={mayChange ? "ml-auto flex items-center gap-2" : "hidden"}>
        {(active || paused) && (
          <Button disabled={stopping} title={say("Ends after the current step. It can be resumed from its last checkpoint.")} onClick={() => cancel.mutate({ runId: run.id })}>
            {stopping ? say("Stopping") : say("Cancel")}
          </Button>
        )}
        {active && (
          <Button
            disabled={stopping || pausing}
            title={say("Rests after the current step, with a checkpoint, and frees its place for other runs until it is resumed.")}
            onClick={() => pause.mutate({ runId: run.id })}
          >
            {pausing ? say("Pausing") : say("Pause")}
          </Button>
        )}
        {(run.status === "running" || paused) && (
          <Button
            disabled={stopping || !best?.isBest}
            title={
              best?.isBest
                ? paused
                  ? say("Ends here as finished, and exports the checkpoint of epoch {epoch}, the best so far.", { epoch: best.epoch })
                  : say("Ends after the current step as finished, and exports the checkpoint of epoch {epoch}, the best so far.", { epoch: best.epoch })
                : say("There is a best checkpoint once the first epoch has been evaluated.")
            }
            onClick={() => keepBest.mutate({ runId: run.id })}
          >
            {say("Stop and keep best")}
          </Button>
        )}
        {canResume && (
          <Button
            kind="primary"
            disabled={resume.isPending}
            title={
              run.checkpoints.length > 0
                ? say("Goes on from step {value}.", { value: Math.max(...run.checkpoints.map(({ step }) => step)) })
                : say("Starts again from the first step: no checkpoint was kept.")
            }
            onClick={() => resume.mutate({ runId: run.id })}
          >
            {say("Resume")}
          </Button>
        )}
        <Menu
          align="end"
          items={[
            { label: say("Run again, bit for bit"), disabled: repeat.isPending, run: () => repeat.mutate({ runId: run.id }) },
            { label: best?.isBest ? say("Fork from the best checkpoint") : say("Fork from the last checkpoint"), disabled: !best || forking, run: () => best && forkFrom(best) },
            { label: say("Open the model in the studio"), run: () => router.push(`/models/${run.modelId}`) },
            { label: say("Share by link"), run: () => setSharing(true) },
            "rule",
            {
              label: run.locked ? say("Unlock") : say("Lock, so that it is not deleted"),
              run: () => organize.mutate({ runIds: [run.id], action: { kind: "lock", locked: !run.locked } }),
            },
            run.deletedAt === null
              ? { label: say("Move to trash"), danger: true, disabled: active || paused || run.locked, run: () => organize.mutate({ runIds: [run.id], action: { kind: "trash" } }) }
              : { label: say("Restore from the trash"), run: () => organize.mutate({ runIds: [run.id], action: { kind: "restore" } }) },
          ]}
        >
          <IconButton label={say("More actions")}>
            <MoreHorizontal size={16} />
          </IconButton>
        </Menu>
        <ShareDialog of={{ runId: run.id }} charts={Object.keys(run.summary)} open={sharing} onOpen={setSharing} />
      </div>
    </header>
  );
}
