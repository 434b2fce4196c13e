"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { decodeText } from "../../core/data/text.ts";
import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import type { Depth } from "../../core/pretrained/fineTune.ts";
import { findPretrained, type Pretrained } from "../../core/pretrained/index.ts";
import { taskNamed } from "../../core/tasks/index.ts";
import { AddData } from "../data/AddData.tsx";
import { isPreparing } from "../data/status.ts";
import { useDataDrop } from "../data/useDataDrop.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Switch } from "../ui/Field.tsx";
import { formatBytes, formatCount, formatDuration, formatMetric, formatShort } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Line } from "../ui/Panel.tsx";
import { SampleImage } from "../ui/SampleImage.tsx";
import { Say } from "../ui/Say.tsx";
import { Segments } from "../ui/Segments.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { decodeTensor } from "../ui/tensorBytes.ts";
import { type Answers, useTRPC } from "../ui/trpc.ts";
import { OpenedNetworks } from "./OpenedNetworks.tsx";

type Dataset = Answers["datasets"]["list"][number];
type Option = Answers["tuning"]["options"]["networks"][number];
type OwnRun = Answers["tuning"]["ownRuns"][number];

/** Three clicks from pictures or texts to a network that knows them: the data, the pretrained network, Train. */
export function FineTunePage({ first }: { first: string | null }) {
  const trpc = useTRPC();
  const { mayChange, add, close, page, dialog } = useDataDrop();
  const router = useRouter();
  const me = useQuery(trpc.workspace.me.queryOptions());
  const datasets = useQuery(trpc.datasets.list.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some((d) => isPreparing(d.status)) ? 1500 : false) }));
  const [datasetId, setDatasetId] = useState(first);
  const [networkId, setNetworkId] = useState<string | null>(null);
  const [runId, setRunId] = useState<string | null>(null);
  const [depth, setDepth] = useState<Depth | null>(null);
  const [compare, setCompare] = useState(false);
  const compareId = useId();
  const options = useQuery(
    trpc.tuning.options.queryOptions(
      { datasetId: datasetId ?? "" },
      { enabled: datasetId !== null, refetchInterval: (query) => (query.state.data?.networks.some(({ weights }) => weights.at === "on their way") ? 1000 : false) },
    ),
  );
  const start = useMutation(
    trpc.tuning.start.mutationOptions({
      onSuccess: ({ runId }) => router.push(`/finetune/${runId}`),
      onError: (error) => notify(say("The training could not be started. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const ownRuns = useQuery(trpc.tuning.ownRuns.queryOptions({ datasetId: datasetId ?? "" }, { enabled: datasetId !== null }));
  const goOn = useMutation(
    trpc.tuning.startFromRun.mutationOptions({
      onSuccess: ({ runId }) => router.push(kind === "rows" ? `/runs/${runId}` : `/finetune/${runId}`),
      onError: (error) => notify(say("The training could not be started. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const fetching = useMutation(
    trpc.tuning.fetch.mutationOptions({
      onSuccess: () => options.refetch(),
      onError: (error) => notify(say("The weights could not be fetched. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  // Rows that a network has read its own way are the same texts once more.
  const usable =
    datasets.data?.filter(({ status, isReadFor }) => status === "ready" && !isReadFor).sort((a, b) => Number(b.classes.length > 0) - Number(a.classes.length > 0)) ?? [];
  const kind = kindOf(usable.find(({ id }) => id === datasetId));
  const preparing = datasets.data?.filter(({ status }) => isPreparing(status)).length ?? 0;
  const able = options.data?.networks.filter(({ depth }) => depth !== null) ?? [];
  // The first that can is recommended, and taken unless somebody chooses another.
  const ownRun = ownRuns.data?.find((run) => run.runId === runId) ?? (able.length === 0 ? ownRuns.data?.[0] : undefined);
  const chosen = ownRun ? undefined : (able.find(({ id }) => id === networkId) ?? able[0]);
  const plan = chosen && planOf(chosen, depth);
  useMeasuring(mayChange ? able.filter((option) => isHere(option) || option === chosen) : [], () => options.refetch());
  return (
    <>
      <TopBar place={[{ label: me.data?.org.name ?? say("Workspace"), href: "/" }, { label: say("Fine-tune") }]} />
      <main className="mx-auto min-h-[70dvh] max-w-5xl space-y-7 px-4 py-6" {...page}>
        <header>
          <h1 className="text-title font-semibold">{say("Fine-tune a pretrained network")}</h1>
          <p className="mt-1 max-w-prose text-ink2">
            {say("It has seen many pictures, or read many texts, before and learns yours from a few dozen of each kind. {next}", {
              next: mayChange
                ? say("Choose your data, or drop it here: a folder of pictures, one folder a class, or a table with a column of texts. Take a network; press Train.")
                : say("Training one needs the role member: ask an admin of your organization."),
            })}
          </p>
        </header>

        <section aria-labelledby="choose-data">
          <div className="mb-3 flex items-center justify-between gap-3">
            <h2 id="choose-data" className="text-lg font-semibold">
              {say("1. Your data")}
            </h2>
            {mayChange && (
              <Button size="sm" onClick={add}>
                {say("Add your own")}
              </Button>
            )}
          </div>
          <AddData
            {...dialog}
            onAdded={(id) => {
              close();
              setDatasetId(id);
            }}
          />
          {datasets.isPending && <Loading label={say("Loading data sets")} className="h-28" />}
          {datasets.isError && <Failing what={say("The data sets")} error={datasets.error} onRetry={() => void datasets.refetch()} />}
          {datasets.data && usable.length === 0 && (
            <Empty title={preparing > 0 ? say("The data sets are being read in") : say("There is no data in classes yet")}>
              {preparing > 0
                ? say("They appear here in a moment.")
                : say("Add a folder or a ZIP file of pictures, one folder for each class, or a table with a column of texts and one of their classes.")}
            </Empty>
          )}
          <div role="radiogroup" aria-labelledby="choose-data" className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            {usable.map((dataset) => (
              <DataChoice key={dataset.id} dataset={dataset} isChosen={dataset.id === datasetId} onChoose={() => setDatasetId(dataset.id)} />
            ))}
          </div>
        </section>

        <section aria-labelledby="choose-network">
          <h2 id="choose-network" className="mb-3 text-lg font-semibold">
            {say("2. The network")}
          </h2>
          {datasetId === null && <p className="text-ink2">{say("Choose the data first: which network suits it depends on what it is, and how much of it there is.")}</p>}
          {options.isError && <Failing what={say("The networks")} error={options.error} onRetry={() => void options.refetch()} />}
          {datasetId !== null && options.isPending && <Loading label={say("Loading the networks")} className="h-40" />}
          <div role="radiogroup" aria-labelledby="choose-network" className="grid gap-3 lg:grid-cols-2">
            {options.data?.networks.map((option) => {
              const network = findPretrained(option.id);
              return (
                network &&
                (network.takes === kind || kind === null) && (
                  <NetworkChoice
                    key={option.id}
                    network={network}
                    option={option}
                    isFirst={option.id === able[0]?.id}
                    isChosen={option.id === chosen?.id}
                    onChoose={() => {
                      setNetworkId(option.id);
                      setRunId(null);
                    }}
                  />
                )
              );
            })}
          </div>
          {kind === "rows" && options.data && (
            <p className="max-w-prose text-ink2">
              {say(
                "No published network reads rows like these: what a column or a series means differs from one data set to the next. A run of your own on rows of the same form can be the start.",
              )}
            </p>
          )}
          {datasetId !== null && ownRuns.data && ownRuns.data.length > 0 && (
            <div className="mt-5">
              <h3 id="choose-run" className="mb-2 font-semibold">
                {say("Or go on from a run of your own")}
              </h3>
              <div role="radiogroup" aria-labelledby="choose-run" className="grid gap-3 lg:grid-cols-2">
                {ownRuns.data.map((run) => (
                  <OwnRunChoice
                    key={run.runId}
                    run={run}
                    isChosen={run.runId === ownRun?.runId}
                    onChoose={() => {
                      setRunId(run.runId);
                      setDepth(null);
                    }}
                  />
                ))}
              </div>
            </div>
          )}
          {kind === "rows" && ownRuns.data?.length === 0 && (
            <p className="mt-2">
              <Link href={`/data/${datasetId}`} className="underline">
                {say("There is none yet: train a network on these data first.")}
              </Link>
            </p>
          )}
        </section>

        {mayChange && ownRun && datasetId !== null && (
          <section aria-label={say("Train it")} className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 rounded-xl border border-line bg-raise p-4">
            <div className="max-w-prose">
              <p className="font-semibold">{say("From run {number} of {model}", { number: ownRun.number, model: ownRun.model })}</p>
              <p className="text-ink2">
                {ownRun.isNewHead ? say("The last layer is drawn anew for these classes.") : say("The classes are the same, so its last layer goes on too.")}{" "}
                {depth === "head"
                  ? say("Only the last layer learns.")
                  : ownRun.isNewHead
                    ? say("The rest follows more slowly.")
                    : say("All of it learns, more slowly than before.")}{" "}
                {say("{count, plural, one {# epoch.} other {# epochs.}}", { count: ownRun.epochs })}
              </p>
            </div>
            <div className="flex flex-wrap items-center gap-4">
              <Segments label={say("What learns")} options={OWN_DEPTH_NAMES} value={depth === "head" ? "head" : "all"} onValue={setDepth} />
              <Button
                kind="primary"
                disabled={goOn.isPending}
                onClick={() => goOn.mutate({ datasetId, runId: ownRun.runId, depth: depth === "head" ? "head" : "all", idempotencyKey: crypto.randomUUID() })}
              >
                {goOn.isPending ? say("Loading the weights") : say("Train")}
              </Button>
            </div>
          </section>
        )}

        {mayChange && chosen && plan && datasetId !== null && options.data?.rows && (
          <section aria-labelledby="train-it" className="rounded-xl border border-line bg-raise p-4">
            <h2 id="train-it" className="sr-only">
              {say("3. Train")}
            </h2>
            <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
              <div className="max-w-prose">
                <p className="font-semibold">
                  {say("About {seconds} on this machine", { seconds: formatDuration(plan.seconds * 1000) })}
                  {compare && say(", and {scratchSeconds} from scratch", { scratchSeconds: formatDuration(plan.scratchSeconds * 1000) })}
                </p>
                <p className="text-ink2">
                  {say("{train} {kind} in {classes} classes, {epochs} epochs. {DEPTH_WORDS}", {
                    train: formatCount(options.data.rows.train),
                    kind: kind ?? say("rows"),
                    classes: options.data.classes,
                    epochs: plan.epochs,
                    DEPTH_WORDS: DEPTH_WORDS[plan.depth],
                  })}
                </p>
              </div>
              <div className="flex flex-wrap items-center gap-4">
                <Segments label={say("What learns")} options={DEPTH_NAMES} value={plan.depth} onValue={setDepth} />
                <label htmlFor={compareId} className="flex items-center gap-2">
                  <Switch id={compareId} checked={compare} onChecked={setCompare} />
                  {say("Compare with training from scratch")}
                </label>
                {isHere(chosen) ? (
                  <Button
                    kind="primary"
                    disabled={start.isPending}
                    onClick={() => start.mutate({ datasetId, networkId: chosen.id, depth: plan.depth, compare, idempotencyKey: crypto.randomUUID() })}
                  >
                    {start.isPending ? say("Loading the weights") : say("Train")}
                  </Button>
                ) : (
                  <Button
                    kind="primary"
                    disabled={fetching.isPending || chosen.weights.at !== "the hub" || chosen.weights.isOff}
                    onClick={() => fetching.mutate({ networkId: chosen.id })}
                  >
                    {chosen.weights.at === "on their way"
                      ? say("Fetching the weights")
                      : say("Fetch the weights, {sizeBytes}", { sizeBytes: formatBytes(findPretrained(chosen.id)?.weights.sizeBytes ?? 0) })}
                  </Button>
                )}
              </div>
            </div>
          </section>
        )}
        <OpenedNetworks mayChange={mayChange} />
      </main>
    </>
  );
}

/** What a data set is made of, as networks take it; `rows` of numbers no published one does. */
function kindOf(dataset: Dataset | undefined): Pretrained["takes"] | "rows" | null {
  if (!dataset) return null;
  if (dataset.text) return dataset.classes.length > 0 ? "texts" : "rows";
  return dataset.task === "image-classification" ? "pictures" : "rows";
}

/** Has networks measured, one after the other, that nobody measured on this machine before. */
function useMeasuring(options: readonly Option[], onMeasured: () => unknown): void {
  const trpc = useTRPC();
  const tried = useRef(new Set<string>());
  const { mutate, isPending } = useMutation(trpc.tuning.measure.mutationOptions({ onSuccess: onMeasured }));
  const next = options.find(({ id, row }) => row && !row.isMeasured && !tried.current.has(id))?.id;
  useEffect(() => {
    if (next === undefined || isPending) return;
    // A network that cannot be measured keeps its estimate.
    tried.current.add(next);
    mutate({ networkId: next });
  }, [next, isPending, mutate]);
}

/** What would be done: as much learns as was asked for, or else as the data can teach. */
function planOf({ plans, depth }: Option, wanted: Depth | null) {
  return plans.find((plan) => plan.depth === (wanted ?? depth));
}

const DEPTH_NAMES = [
  { id: "head", title: say("Last layer") },
  { id: "last", title: say("Upper part") },
  { id: "all", title: say("All of it") },
] as const;

const OWN_DEPTH_NAMES = [
  { id: "head", title: say("Last layer") },
  { id: "all", title: say("All of it") },
] as const;

const DEPTH_WORDS = {
  head: say("The new last layer learns; the rest stays as it is."),
  last: say("The new last layer learns first, then the upper part of the network with it, more slowly; the rest stays as it is."),
  all: say("The new last layer learns first, then the upper part of the network, then all of it, each more slowly."),
};

function DataChoice({ dataset, isChosen, onChoose }: { dataset: Dataset; isChosen: boolean; onChoose: () => void }) {
  const trpc = useTRPC();
  const samples = useQuery(
    trpc.datasets.samples.queryOptions(
      { datasetId: dataset.id, split: "train", ...(dataset.text ? { limit: 2 } : { limit: 12, side: 48 }) },
      { enabled: dataset.status === "ready" && (dataset.text !== null || dataset.inputShape.length === 3), staleTime: Number.POSITIVE_INFINITY },
    ),
  );
  return (
    <Choice group="data" isChosen={isChosen} disabled={dataset.status !== "ready"} name={dataset.name} onChoose={onChoose}>
      {dataset.text ? (
        <span className="block h-12 space-y-0.5 overflow-hidden text-sm text-ink2">
          {samples.data?.samples.slice(0, 2).map(({ row, input }) => (
            <span key={row} className="block truncate">
              {dataset.text && decodeText(decodeTensor(input, samples.data.dtype).slice(0, 40), dataset.text)}
            </span>
          ))}
        </span>
      ) : kindOf(dataset) === "rows" && dataset.inputShape.length !== 3 ? (
        <span className="block h-12 overflow-hidden text-sm text-ink2">
          <span className="line-clamp-2">
            {dataset.columns.length > 0 ? dataset.columns.join(", ") : say("Rows of {sizes} numbers", { sizes: dataset.inputShape.join(" × ") })}
          </span>
        </span>
      ) : (
        <span className="grid grid-cols-6 gap-1">
          {samples.data?.samples.slice(0, 6).map(({ row, input }) => (
            <SampleImage key={row} bytes={input} dtype={samples.data.dtype} shape={samples.data.shape} label="" className="rounded-sm" />
          ))}
        </span>
      )}
      <span className="mt-2.5 flex items-baseline justify-between gap-3">
        <span className="truncate font-semibold">{dataset.name}</span>
        <span className="figures shrink-0 text-ink2">{formatCount(dataset.rows.train + dataset.rows.validation)}</span>
      </span>
      <span className="block text-ink2">
        {dataset.classes.length > 0 ? say("{count} classes", { count: dataset.classes.length }) : dataset.task && taskNamed(dataset.task).title}
      </span>
    </Choice>
  );
}

function NetworkChoice({ network, option, isFirst, isChosen, onChoose }: { network: Pretrained; option: Option; isFirst: boolean; isChosen: boolean; onChoose: () => void }) {
  const { title, doc, parameters, weights, licence, origin, accuracy, source } = network;
  const plan = planOf(option, null);
  return (
    <div className="space-y-2">
      <Choice group="network" isChosen={isChosen} disabled={option.depth === null} name={title} onChoose={onChoose}>
        <span className="flex items-baseline justify-between gap-3">
          <span className="font-semibold">{title}</span>
          {isFirst && <Badge tone="plain">{say("Recommended")}</Badge>}
        </span>
        <span className="mt-0.5 block text-ink2">{option.why ?? doc}</span>
        {option.weights.at === "the hub" && (option.weights.isOff || option.weights.failed !== null) && (
          <span className="mt-1 block text-warn">
            {option.weights.isOff ? say("Not on this machine, and whoever runs it has switched fetching off (HUB=off).") : option.weights.failed}
          </span>
        )}
        {plan && (
          <dl className="mt-2.5 block">
            <Line name={say("Here, for these {takes}", { takes: network.takes })}>{say("about {seconds}", { seconds: formatDuration(plan.seconds * 1000) })}</Line>
            {option.row && (
              <Line name={say("Speed here")}>
                {say(
                  "{isMeasured, select, yes {{ms} ms {takes, select, texts {a text} other {a picture}}, measured} other {about {ms} ms {takes, select, texts {a text} other {a picture}}}}",
                  {
                    isMeasured: option.row.isMeasured ? "yes" : "no",
                    takes: network.takes,
                    ms: option.row.ms < 10 ? printFixed(option.row.ms, 1) : formatCount(Math.round(option.row.ms)),
                  },
                )}
              </Line>
            )}
            <Line name={say("Parameters")}>{formatShort(parameters)}</Line>
            <Line name={say("Weights")}>{weightsText(option.weights, weights.sizeBytes)}</Line>
            <Line name={network.takes === "texts" ? say("Reads of each") : say("Sees them as")}>
              {network.takes === "texts" ? say("{count} pieces of words", { count: plan.size }) : `${plan.size} × ${plan.size}`}
            </Line>
            <Line name={say("Published accuracy")} plain>
              {accuracy?.text ?? say("none for these weights")}
            </Line>
          </dl>
        )}
      </Choice>
      <details className="px-1 text-ink2">
        <summary className="cursor-pointer">{say("Where the weights come from")}</summary>
        <p className="mt-1">
          <Say
            text="{origin} Licence: {licence}."
            with={{
              origin,
              licence: (
                <a href={source} target="_blank" rel="noreferrer" className="underline">
                  {licence}
                </a>
              ),
            }}
          />{" "}
          {weights.kind === "hub" && (
            <>
              <Say
                text="Fetched once from {hostname}, {sizeBytes}, and kept only with the SHA-256 {sha256}."
                with={{
                  hostname: new URL(weights.url).hostname,
                  sizeBytes: formatBytes(weights.sizeBytes),
                  sha256: <span className="font-mono wrap-anywhere">{weights.sha256}</span>,
                }}
              />{" "}
            </>
          )}
          {accuracy && (
            <a href={accuracy.source} target="_blank" rel="noreferrer" className="underline">
              {say("Where its accuracy is published")}
            </a>
          )}
        </p>
      </details>
    </div>
  );
}

function OwnRunChoice({ run, isChosen, onChoose }: { run: OwnRun; isChosen: boolean; onChoose: () => void }) {
  return (
    <Choice group="network" isChosen={isChosen} disabled={false} name={say("Run {number} of {model}", { number: run.number, model: run.model })} onChoose={onChoose}>
      <span className="block truncate font-semibold">{say("Run {number} of {model}", { number: run.number, model: run.model })}</span>
      <span className="block truncate text-ink2">
        {say("Learned from {dataset}", { dataset: run.dataset })}
        {run.judged && `, ${run.judged.metric} ${formatMetric(run.judged.value)}`}
      </span>
    </Choice>
  );
}

/** Whether training can start: the weights are on this machine. */
function isHere({ weights: { at } }: Option): boolean {
  return at === "installed" || at === "here";
}

function weightsText(state: Option["weights"], sizeBytes: number): string {
  const size = formatBytes(sizeBytes);
  if (state.at === "installed") return say("{size}, installed", { size });
  if (state.at === "here") return say("{size}, fetched", { size });
  if (state.at === "on their way") return say("{done} of {size}", { done: formatBytes(state.doneBytes), size });
  return state.doneBytes > 0 ? say("{size} to fetch, {doneBytes} here", { size, doneBytes: formatBytes(state.doneBytes) }) : say("{size} to fetch", { size });
}

/** A card of a group of which one is chosen. */
function Choice({
  group,
  name,
  isChosen,
  disabled,
  onChoose,
  children,
}: {
  group: string;
  name: string;
  isChosen: boolean;
  disabled: boolean;
  onChoose: () => void;
  children: ReactNode;
}) {
  return (
    <label
      className={cx(
        "block w-full min-w-0 cursor-pointer rounded-xl border bg-raise px-3.5 py-3 focus-within:ring-2 focus-within:ring-accent has-disabled:cursor-default has-disabled:opacity-60",
        isChosen ? "border-accent ring-1 ring-accent" : "border-line hover:border-line2",
      )}
    >
      <input type="radio" name={group} aria-label={name} checked={isChosen} disabled={disabled} onChange={onChoose} className="sr-only" />
      {children}
    </label>
  );
}
