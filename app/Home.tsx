"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { MoreHorizontal, Plus } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { say } from "../core/language/say.ts";
import { useMayChange } from "./account/useRole.ts";
import { RunBadge } from "./dashboard/RunBadge.tsx";
import { DatasetCard } from "./data/DatasetCard.tsx";
import { isPreparing } from "./data/status.ts";
import { Architectures } from "./models/Architectures.tsx";
import { type Dropped, ImportDialog } from "./models/ImportDialog.tsx";
import { Templates } from "./models/Templates.tsx";
import { Button, ButtonLink, IconButton } from "./ui/Button.tsx";
import { Confirm } from "./ui/Dialog.tsx";
import { formatAgo } from "./ui/format.ts";
import { Menu } from "./ui/Menu.tsx";
import { notify } from "./ui/Notices.tsx";
import { Say } from "./ui/Say.tsx";
import { Empty, Failing, Loading } from "./ui/States.tsx";
import { TopBar } from "./ui/TopBar.tsx";
import { type Answers, useTRPC } from "./ui/trpc.ts";

/** The workspace: what one worked on last, what one can start from, and the data there is. */
export function Home() {
  const trpc = useTRPC();
  const me = useQuery(trpc.workspace.me.queryOptions());
  const projects = useQuery(trpc.projects.list.queryOptions());
  const datasets = useQuery(trpc.datasets.list.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some((d) => isPreparing(d.status)) ? 1500 : false) }));
  const mayChange = useMayChange();
  const create = useCreateModel();
  const [importing, setImporting] = useState(false);
  const [dropped, setDropped] = useState<Dropped>(null);
  const over = useFileDrop((next) => {
    setDropped(next);
    setImporting(true);
  });
  const hasModels = projects.data?.some((project) => project.models.length > 0) ?? false;
  return (
    <>
      <TopBar
        place={[{ label: me.data?.org.name ?? "Tensorloom" }]}
        actions={
          mayChange && (
            <>
              <Button
                onClick={() => {
                  setDropped(null);
                  setImporting(true);
                }}
              >
                {say("Import")}
              </Button>
              <Button kind={hasModels ? "primary" : "plain"} disabled={create.isPending} onClick={() => create.mutate({})}>
                <Plus size={14} /> {say("New model")}
              </Button>
            </>
          )
        }
      />
      <ImportDialog open={importing} onOpen={setImporting} dropped={dropped} />
      {over && (
        <div className="pointer-events-none fixed inset-2 z-50 flex items-center justify-center rounded-xl border-2 border-dashed border-accent bg-[color-mix(in_srgb,var(--accent-soft)_80%,transparent)]">
          <p className="text-lg font-semibold">{say("Drop an ONNX file or PyTorch code")}</p>
        </div>
      )}
      <main className="mx-auto max-w-6xl space-y-8 px-4 py-6">
        {projects.isPending && <Loading label={say("Loading models")} className="h-28" />}
        {projects.isError && <Failing what={say("Your models")} error={projects.error} onRetry={() => void projects.refetch()} />}
        {hasModels && projects.data && <Models projects={projects.data} />}

        {!mayChange && !hasModels && !projects.isPending && (
          <Empty title={say("No models here yet")}>
            <Say text="You may look at what others of {name} build and train. Ask an admin for the role member to build yourself." with={{ name: me.data?.org.name }} />
          </Empty>
        )}
        {/* Not before the models, whose coming would push away what is just clicked. */}
        {mayChange && !projects.isPending && (
          <Templates
            hasModels={hasModels}
            datasets={datasets.data ?? []}
            disabled={create.isPending}
            onStart={(templateId) => create.mutate({ templateId })}
            onEmpty={() => create.mutate({})}
          />
        )}

        {mayChange && !projects.isPending && <Architectures disabled={create.isPending} onStart={(id, choices) => create.mutate({ architecture: { id, ...choices } })} />}

        <section aria-labelledby="data">
          <div className="mb-3 flex items-center justify-between">
            <h2 id="data" className="text-lg font-semibold">
              {say("Data")}
            </h2>
            <ButtonLink kind="quiet" size="sm" href="/data">
              {datasets.data ? say("All {count} data sets", { count: datasets.data.length }) : say("All data sets")}
            </ButtonLink>
          </div>
          {datasets.isPending && <Loading label={say("Loading data sets")} className="h-40" />}
          {datasets.isError && <Failing what={say("The data sets")} error={datasets.error} onRetry={() => void datasets.refetch()} />}
          <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            {datasets.data?.slice(0, FIRST_DATASETS).map((dataset) => (
              <DatasetCard key={dataset.id} dataset={dataset} />
            ))}
          </div>
        </section>
      </main>
    </>
  );
}

/** True while a file is held over the page; letting it go reads it: Python as code, everything else as a file. */
function useFileDrop(onDrop: (dropped: Dropped) => void): boolean {
  const [over, setOver] = useState(false);
  const latest = useRef(onDrop);
  useEffect(() => {
    latest.current = onDrop;
  });
  useEffect(() => {
    const holdsFile = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const onOver = (event: DragEvent) => {
      if (!holdsFile(event) || event.defaultPrevented) return;
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent) => event.relatedTarget === null && setOver(false);
    const onLetGo = (event: DragEvent) => {
      setOver(false);
      const [file] = event.dataTransfer?.files ?? [];
      if (!file || event.defaultPrevented) return;
      event.preventDefault();
      if (/\.(py|txt)$/i.test(file.name)) void file.text().then((code) => latest.current({ code }));
      else latest.current({ file });
    };
    window.addEventListener("dragover", onOver);
    window.addEventListener("dragleave", onLeave);
    window.addEventListener("drop", onLetGo);
    return () => {
      window.removeEventListener("dragover", onOver);
      window.removeEventListener("dragleave", onLeave);
      window.removeEventListener("drop", onLetGo);
    };
  }, []);
  return over;
}

function useCreateModel() {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  return useMutation(
    trpc.models.create.mutationOptions({
      onSuccess: ({ id }) => {
        void queryClient.invalidateQueries(trpc.projects.list.queryFilter());
        router.push(`/models/${id}`);
      },
      onError: (error) => notify(say("The model could not be made. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
}

type Project = Answers["projects"]["list"][number];
type Model = Project["models"][number];

/** How many data sets are shown here, the first ones; all are a click away. */
const FIRST_DATASETS = 6;

/** How many models of a project are shown at first, the last changed ones. */
const FIRST_MODELS = 6;

function Models({ projects }: { projects: Project[] }) {
  const [all, setAll] = useState(false);
  const filled = projects.filter((project) => project.models.length > 0);
  return (
    <section aria-labelledby="models" className="space-y-4">
      <h1 id="models" className="text-title font-semibold">
        {say("Models")}
      </h1>
      {filled.map((project) => (
        <div key={project.id}>
          {filled.length > 1 && <h2 className="section-name mb-1.5">{project.name}</h2>}
          <ul className="overflow-hidden rounded-xl border border-line bg-raise">
            {project.models.slice(0, all ? undefined : FIRST_MODELS).map((model) => (
              <ModelRow key={model.id} model={model} />
            ))}
          </ul>
          {!all && project.models.length > FIRST_MODELS && (
            <Button kind="quiet" size="sm" className="mt-1" onClick={() => setAll(true)}>
              {say("Show all {count} models", { count: project.models.length })}
            </Button>
          )}
        </div>
      ))}
    </section>
  );
}

function ModelRow({ model }: { model: Model }) {
  const trpc = useTRPC();
  const queryClient = useQueryClient();
  const mayChange = useMayChange();
  const [asking, setAsking] = useState(false);
  const refresh = () => queryClient.invalidateQueries(trpc.projects.list.queryFilter());
  const duplicate = useMutation(
    trpc.models.duplicate.mutationOptions({
      onSuccess: refresh,
      onError: (error) => notify(say("{name} could not be copied. {message}", { name: model.name, message: error.message }), { tone: "bad" }),
    }),
  );
  const remove = useMutation(
    trpc.models.delete.mutationOptions({
      onSuccess: refresh,
      onError: (error) => notify(say("{name} could not be deleted. {message}", { name: model.name, message: error.message }), { tone: "bad" }),
    }),
  );
  const run = model.lastRun;
  return (
    <li className="relative flex items-center gap-3 border-b border-line px-3.5 py-2 last:border-b-0 hover:bg-hover">
      {/* The whole row opens the model; the links and buttons on it stand above. */}
      <Link href={`/models/${model.id}`} className="min-w-0 flex-1 truncate font-medium after:absolute after:inset-0">
        {model.name}
      </Link>
      {run ? (
        <Link href={`/runs/${run.id}`} className="relative flex shrink-0 items-center gap-2 text-ink2 hover:underline">
          {say("Run {number}", { number: run.number })} <RunBadge status={run.status} />
        </Link>
      ) : (
        <span className="shrink-0 text-ink2">{say("not trained yet")}</span>
      )}
      <span className="w-24 shrink-0 text-right text-ink2 max-sm:hidden">{formatAgo(model.updatedAt)}</span>
      <span className={mayChange ? "relative" : "hidden"}>
        <Menu
          align="end"
          items={[
            { label: say("Duplicate"), run: () => duplicate.mutate({ modelId: model.id }) },
            { label: say("Delete…"), danger: true, run: () => setAsking(true) },
          ]}
        >
          <IconButton label={say("More for {name}", { name: model.name })}>
            <MoreHorizontal size={15} />
          </IconButton>
        </Menu>
      </span>
      <Confirm
        title={say("Delete {name}?", { name: model.name })}
        text={
          model.runCount > 0
            ? say("Its drawing, its {runCount} {runCount, plural, one {run} other {runs}} and their checkpoints go too. This cannot be undone.", { runCount: model.runCount })
            : say("Its drawing goes for good. This cannot be undone.")
        }
        action={say("Delete")}
        open={asking}
        onOpen={setAsking}
        onConfirm={() => remove.mutate({ modelId: model.id })}
      />
    </li>
  );
}
