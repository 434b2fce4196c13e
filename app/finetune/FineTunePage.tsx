"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type ReactNode, useId, useState } from "react";
import type { Depth } from "../../core/pretrained/fineTune.ts";
import { findPretrained, type Pretrained } from "../../core/pretrained/index.ts";
import { useMayChange } from "../account/useRole.ts";
import { AddData } from "../data/AddData.tsx";
import { isPreparing } from "../data/status.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { type Dropped, readDropped } from "../ui/dropped.ts";
import { Switch } from "../ui/Field.tsx";
import { formatBytes, formatCount, formatDuration, formatShort } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Line } from "../ui/Panel.tsx";
import { SampleImage } from "../ui/SampleImage.tsx";
import { Segments } from "../ui/Segments.tsx";
import { Empty, Failing, Loading } from "../ui/States.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";

type Dataset = Answers["datasets"]["list"][number];
type Option = Answers["tuning"]["options"]["networks"][number];

/** Three clicks from pictures to a network that knows them: the data, the pretrained network, Train. */
export function FineTunePage({ first }: { first: string | null }) {
  const trpc = useTRPC();
  const mayChange = useMayChange();
  const router = useRouter();
  const me = useQuery(trpc.workspace.me.queryOptions());
  const datasets = useQuery(trpc.datasets.list.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some((d) => isPreparing(d.status)) ? 1500 : false) }));
  const [datasetId, setDatasetId] = useState(first);
  const [networkId, setNetworkId] = useState<string | null>(null);
  const [depth, setDepth] = useState<Depth | null>(null);
  const [compare, setCompare] = useState(false);
  const compareId = useId();
  const [adding, setAdding] = useState(false);
  const [dropped, setDropped] = useState<Dropped | null>(null);
  const options = useQuery(trpc.tuning.options.queryOptions({ datasetId: datasetId ?? "" }, { enabled: datasetId !== null }));
  const start = useMutation(
    trpc.tuning.start.mutationOptions({
      onSuccess: ({ runId }) => router.push(`/finetune/${runId}`),
      onError: (error) => notify(`The training could not be started. ${error.message}`, { tone: "bad" }),
    }),
  );
  const pictures = datasets.data?.filter(({ task }) => task === "image-classification") ?? [];
  const preparing = datasets.data?.filter(({ status }) => isPreparing(status)).length ?? 0;
  const able = options.data?.networks.filter(({ depth }) => depth !== null) ?? [];
  // The first that can is recommended, and taken unless somebody chooses another.
  const chosen = able.find(({ id }) => id === networkId) ?? able[0];
  const plan = chosen && planOf(chosen, depth);
  return (
    <>
      <TopBar place={[{ label: me.data?.org.name ?? "Workspace", href: "/" }, { label: "Fine-tune" }]} />
      <main
        className="mx-auto min-h-[70dvh] max-w-5xl space-y-7 px-4 py-6"
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          const found = adding || !mayChange ? null : readDropped(event.dataTransfer);
          if (!found) return;
          setDropped(found);
          setAdding(true);
        }}
      >
        <header>
          <h1 className="text-title font-semibold">Fine-tune a pretrained network</h1>
          <p className="mt-1 max-w-prose text-ink2">
            It has seen many pictures before and learns yours from a few dozen of each kind.{" "}
            {mayChange
              ? "Choose your pictures, or drop a folder of them here, one folder a class; take a network; press Train."
              : "Training one needs the role member: ask an admin of your organization."}
          </p>
        </header>

        <section aria-labelledby="choose-data">
          <div className="mb-3 flex items-center justify-between gap-3">
            <h2 id="choose-data" className="text-lg font-semibold">
              1. Your pictures
            </h2>
            {mayChange && (
              <Button size="sm" onClick={() => setAdding(true)}>
                Add your own
              </Button>
            )}
          </div>
          <AddData
            open={adding}
            onOpen={(open) => {
              setAdding(open);
              if (!open) setDropped(null);
            }}
            dropped={dropped}
            onAdded={(id) => {
              setAdding(false);
              setDropped(null);
              setDatasetId(id);
            }}
          />
          {datasets.isPending && <Loading label="Loading data sets" className="h-28" />}
          {datasets.isError && <Failing what="The data sets" error={datasets.error} onRetry={() => void datasets.refetch()} />}
          {datasets.data && pictures.length === 0 && (
            <Empty title={preparing > 0 ? "The data sets are being read in" : "There are no pictures in classes yet"}>
              {preparing > 0 ? "They appear here in a moment." : "Add a folder or a ZIP file of pictures, one folder for each class."}
            </Empty>
          )}
          <div role="radiogroup" aria-labelledby="choose-data" className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
            {pictures.map((dataset) => (
              <DataChoice key={dataset.id} dataset={dataset} isChosen={dataset.id === datasetId} onChoose={() => setDatasetId(dataset.id)} />
            ))}
          </div>
        </section>

        <section aria-labelledby="choose-network">
          <h2 id="choose-network" className="mb-3 text-lg font-semibold">
            2. The network
          </h2>
          {datasetId === null && <p className="text-ink2">Choose the pictures first: which network suits them depends on how many there are, and how large.</p>}
          {options.isError && <Failing what="The networks" error={options.error} onRetry={() => void options.refetch()} />}
          {datasetId !== null && options.isPending && <Loading label="Loading the networks" className="h-40" />}
          <div role="radiogroup" aria-labelledby="choose-network" className="grid gap-3 lg:grid-cols-2">
            {options.data?.networks.map((option) => {
              const network = findPretrained(option.id);
              return (
                network && (
                  <NetworkChoice
                    key={option.id}
                    network={network}
                    option={option}
                    isFirst={option.id === able[0]?.id}
                    isChosen={option.id === chosen?.id}
                    onChoose={() => setNetworkId(option.id)}
                  />
                )
              );
            })}
          </div>
        </section>

        {mayChange && chosen && plan && datasetId !== null && options.data?.rows && (
          <section aria-labelledby="train-it" className="rounded-xl border border-line bg-raise p-4">
            <h2 id="train-it" className="sr-only">
              3. Train
            </h2>
            <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3">
              <div className="max-w-prose">
                <p className="font-semibold">
                  About {formatDuration(plan.seconds * 1000)} on this machine
                  {compare && `, and ${formatDuration(plan.scratchSeconds * 1000)} from scratch`}
                </p>
                <p className="text-ink2">
                  {formatCount(options.data.rows.train)} pictures in {options.data.classes} classes, {plan.epochs} epochs. {DEPTH_WORDS[plan.depth]}
                </p>
              </div>
              <div className="flex flex-wrap items-center gap-4">
                <Segments label="What learns" options={DEPTH_NAMES} value={plan.depth} onValue={setDepth} />
                <label htmlFor={compareId} className="flex items-center gap-2">
                  <Switch id={compareId} checked={compare} onChecked={setCompare} />
                  Compare with training from scratch
                </label>
                <Button
                  kind="primary"
                  disabled={start.isPending}
                  onClick={() => start.mutate({ datasetId, networkId: chosen.id, depth: plan.depth, compare, idempotencyKey: crypto.randomUUID() })}
                >
                  {start.isPending ? "Loading the weights" : "Train"}
                </Button>
              </div>
            </div>
          </section>
        )}
      </main>
    </>
  );
}

/** What would be done: as much learns as was asked for, or else as the data can teach. */
function planOf({ plans, depth }: Option, wanted: Depth | null) {
  return plans.find((plan) => plan.depth === (wanted ?? depth));
}

const DEPTH_NAMES = [
  { id: "head", title: "Last layer" },
  { id: "last", title: "Last fifth" },
  { id: "all", title: "All of it" },
] as const;

const DEPTH_WORDS = {
  head: "The new last layer learns; the rest stays as it is.",
  last: "The new last layer learns first, then the last fifth of the network with it, more slowly; the rest stays as it is.",
  all: "The new last layer learns first, then the last fifth of the network, then all of it, each more slowly.",
};

function DataChoice({ dataset, isChosen, onChoose }: { dataset: Dataset; isChosen: boolean; onChoose: () => void }) {
  const trpc = useTRPC();
  const samples = useQuery(
    trpc.datasets.samples.queryOptions(
      { datasetId: dataset.id, split: "train", limit: 12, side: 48 },
      { enabled: dataset.status === "ready", staleTime: Number.POSITIVE_INFINITY },
    ),
  );
  return (
    <Choice group="data" isChosen={isChosen} disabled={dataset.status !== "ready"} name={dataset.name} onChoose={onChoose}>
      <span className="grid grid-cols-6 gap-1">
        {samples.data?.samples.slice(0, 6).map(({ row, input }) => (
          <SampleImage key={row} bytes={input} dtype={samples.data.dtype} shape={samples.data.shape} label="" className="rounded-sm" />
        ))}
      </span>
      <span className="mt-2.5 flex items-baseline justify-between gap-3">
        <span className="truncate font-semibold">{dataset.name}</span>
        <span className="figures shrink-0 text-ink2">{formatCount(dataset.rows.train + dataset.rows.validation)}</span>
      </span>
      <span className="block text-ink2">{dataset.classes.length} classes</span>
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
          {isFirst && <Badge tone="plain">Recommended</Badge>}
        </span>
        <span className="mt-0.5 block text-ink2">{option.why ?? doc}</span>
        {plan && (
          <dl className="mt-2.5 block">
            <Line name="Here, for these pictures">about {formatDuration(plan.seconds * 1000)}</Line>
            <Line name="Parameters">{formatShort(parameters)}</Line>
            <Line name="Weights">{formatBytes(weights.sizeBytes)}, installed</Line>
            <Line name="Sees them as">
              {plan.size} × {plan.size}
            </Line>
            <Line name="Published accuracy" plain>
              {accuracy?.text ?? "none for these weights"}
            </Line>
          </dl>
        )}
      </Choice>
      <details className="px-1 text-ink2">
        <summary className="cursor-pointer">Where the weights come from</summary>
        <p className="mt-1">
          {origin} Licence:{" "}
          <a href={source} target="_blank" rel="noreferrer" className="underline">
            {licence}
          </a>
          .
        </p>
      </details>
    </div>
  );
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
