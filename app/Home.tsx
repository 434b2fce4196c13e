"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { MoreHorizontal, Plus } from "lucide-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { type Template, templates } from "../core/templates/index.ts";
import { useMayChange } from "./account/useRole.ts";
import { checked } from "./canvas/checked.ts";
import { GraphDrawing } from "./canvas/GraphDrawing.tsx";
import { RunBadge } from "./dashboard/RunBadge.tsx";
import { DatasetCard } from "./data/DatasetCard.tsx";
import { isPreparing } from "./data/status.ts";
import { Architectures } from "./models/Architectures.tsx";
import { type Dropped, ImportDialog } from "./models/ImportDialog.tsx";
import { Button, ButtonLink, IconButton } from "./ui/Button.tsx";
import { Confirm } from "./ui/Dialog.tsx";
import { formatAgo, formatCount } from "./ui/format.ts";
import { Menu } from "./ui/Menu.tsx";
import { notify } from "./ui/Notices.tsx";
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
                Import
              </Button>
              <ButtonLink href="/finetune">Fine-tune</ButtonLink>
              <Button kind={hasModels ? "primary" : "plain"} disabled={create.isPending} onClick={() => create.mutate({})}>
                <Plus size={14} /> New model
              </Button>
            </>
          )
        }
      />
      <ImportDialog open={importing} onOpen={setImporting} dropped={dropped} />
      {over && (
        <div className="pointer-events-none fixed inset-2 z-50 flex items-center justify-center rounded-xl border-2 border-dashed border-accent bg-[color-mix(in_srgb,var(--accent-soft)_80%,transparent)]">
          <p className="text-lg font-semibold">Drop an ONNX file or PyTorch code</p>
        </div>
      )}
      <main className="mx-auto max-w-6xl space-y-8 px-4 py-6">
        {projects.isPending && <Loading label="Loading models" className="h-28" />}
        {projects.isError && <Failing what="Your models" error={projects.error} onRetry={() => void projects.refetch()} />}
        {hasModels && projects.data && <Models projects={projects.data} />}

        {!mayChange && !hasModels && !projects.isPending && (
          <Empty title="No models here yet">You may look at what others of {me.data?.org.name} build and train. Ask an admin for the role member to build yourself.</Empty>
        )}
        {mayChange && (
          <section aria-labelledby="templates">
            <h1 id="templates" className={hasModels ? "mb-3 text-lg font-semibold" : "text-title font-semibold"}>
              Start from a template
            </h1>
            {!hasModels && !projects.isPending && (
              <p className="mb-4 max-w-prose text-ink2">Each opens as a drawing you can change. Press Train there, and it learns on real data on this machine.</p>
            )}
            <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              {templates.map((template) => (
                <li key={template.id} className="min-w-0">
                  <TemplateCard
                    template={template}
                    datasetName={datasets.data?.find((d) => d.builtin === template.datasetBuiltin)?.name}
                    disabled={create.isPending}
                    onStart={() => create.mutate({ templateId: template.id })}
                  />
                </li>
              ))}
              <li className="min-w-0">
                <button
                  type="button"
                  disabled={create.isPending}
                  onClick={() => create.mutate({})}
                  className="flex h-full min-h-32 w-full flex-col items-start justify-end rounded-xl border border-dashed border-line2 bg-[radial-gradient(var(--line2)_1px,transparent_1px)] bg-size-[24px_24px] px-3.5 py-3 text-left hover:border-ink3"
                >
                  <span className="font-semibold">Empty canvas</span>
                  <span className="text-ink2">Draw a network of your own, layer by layer.</span>
                </button>
              </li>
            </ul>
          </section>
        )}

        {mayChange && <Architectures disabled={create.isPending} onStart={(id, choices) => create.mutate({ architecture: { id, ...choices } })} />}

        <section aria-labelledby="data">
          <div className="mb-3 flex items-center justify-between">
            <h2 id="data" className="text-lg font-semibold">
              Data
            </h2>
            <ButtonLink kind="quiet" size="sm" href="/data">
              All data sets
            </ButtonLink>
          </div>
          {datasets.isPending && <Loading label="Loading data sets" className="h-40" />}
          {datasets.isError && <Failing what="The data sets" error={datasets.error} onRetry={() => void datasets.refetch()} />}
          <div className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            {datasets.data?.map((dataset) => (
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
      onError: (error) => notify(`The model could not be made. ${error.message}`, { tone: "bad" }),
    }),
  );
}

function TemplateCard({ template, datasetName, disabled, onStart }: { template: Template; datasetName?: string; disabled: boolean; onStart: () => void }) {
  return (
    <article className="group relative h-full overflow-hidden rounded-xl border border-line bg-raise focus-within:border-accent hover:border-line2">
      <div className="h-[120px] border-b border-line bg-panel px-3.5 py-3">
        <GraphDrawing graph={template.graph} label={`Drawing of ${template.title}`} />
      </div>
      <div className="px-3.5 py-3">
        <div className="flex items-baseline justify-between gap-3">
          {/* The button is as large as the card, and is called by its own few words. */}
          <button type="button" disabled={disabled} onClick={onStart} className="text-left font-semibold after:absolute after:inset-0 group-hover:underline">
            <span className="sr-only">Start from </span>
            {template.title}
          </button>
          <span className="figures text-ink2">{formatCount(checked(template.graph).totals.parameters)} parameters</span>
        </div>
        <p className="mt-0.5 text-ink2">{template.doc}</p>
        {datasetName && <p className="mt-2 text-sm text-ink2">On {datasetName}</p>}
      </div>
    </article>
  );
}

type Project = Answers["projects"]["list"][number];
type Model = Project["models"][number];

/** How many models of a project are shown at first, the last changed ones. */
const FIRST_MODELS = 6;

function Models({ projects }: { projects: Project[] }) {
  const [all, setAll] = useState(false);
  const filled = projects.filter((project) => project.models.length > 0);
  return (
    <section aria-labelledby="models" className="space-y-4">
      <h1 id="models" className="text-title font-semibold">
        Models
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
              Show all {project.models.length} models
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
    trpc.models.duplicate.mutationOptions({ onSuccess: refresh, onError: (error) => notify(`${model.name} could not be copied. ${error.message}`, { tone: "bad" }) }),
  );
  const remove = useMutation(
    trpc.models.delete.mutationOptions({ onSuccess: refresh, onError: (error) => notify(`${model.name} could not be deleted. ${error.message}`, { tone: "bad" }) }),
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
          Run {run.number} <RunBadge status={run.status} />
        </Link>
      ) : (
        <span className="shrink-0 text-ink2">not trained yet</span>
      )}
      <span className="w-24 shrink-0 text-right text-ink2 max-sm:hidden">{formatAgo(model.updatedAt)}</span>
      <span className={mayChange ? "relative" : "hidden"}>
        <Menu
          align="end"
          items={[
            { label: "Duplicate", run: () => duplicate.mutate({ modelId: model.id }) },
            { label: "Delete…", danger: true, run: () => setAsking(true) },
          ]}
        >
          <IconButton label={`More for ${model.name}`}>
            <MoreHorizontal size={15} />
          </IconButton>
        </Menu>
      </span>
      <Confirm
        title={`Delete ${model.name}?`}
        text={
          model.runCount > 0
            ? `Its drawing, its ${model.runCount} ${model.runCount === 1 ? "run" : "runs"} and their checkpoints go too. This cannot be undone.`
            : "Its drawing goes for good. This cannot be undone."
        }
        action="Delete"
        open={asking}
        onOpen={setAsking}
        onConfirm={() => remove.mutate({ modelId: model.id })}
      />
    </li>
  );
}
