"use client";

import { useMutation, useQuery } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { say } from "../../core/language/say.ts";
import { findOpened } from "../../core/pretrained/opened.ts";
import { Button } from "../ui/Button.tsx";
import { formatBytes, formatShort } from "../ui/format.ts";
import { notify } from "../ui/Notices.tsx";
import { Line } from "../ui/Panel.tsx";
import { Failing } from "../ui/States.tsx";
import { type Answers, useTRPC } from "../ui/trpc.ts";

type Opened = Answers["tuning"]["opened"][number];

/** Published networks that are no matter of three clicks: they open on the canvas, with their weights. */
export function OpenedNetworks({ mayChange }: { mayChange: boolean }) {
  const trpc = useTRPC();
  const router = useRouter();
  const list = useQuery(
    trpc.tuning.opened.queryOptions(undefined, { refetchInterval: (query) => (query.state.data?.some(({ weights }) => weights?.at === "on their way") ? 1000 : false) }),
  );
  const fetching = useMutation(
    trpc.tuning.fetch.mutationOptions({
      onSuccess: () => list.refetch(),
      onError: (error) => notify(say("The weights could not be fetched. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  const opening = useMutation(
    trpc.tuning.open.mutationOptions({
      onSuccess: ({ modelId }) => router.push(`/models/${modelId}`),
      onError: (error) => notify(say("The network could not be opened. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  return (
    <section aria-labelledby="opened-networks">
      <h2 id="opened-networks" className="text-lg font-semibold">
        {say("For the canvas")}
      </h2>
      <p className="mb-3 max-w-prose text-ink2">
        {say("Pretrained networks that open as a drawing with their weights, to cut, graft and train there. Their tokenizers do not come along yet.")}
      </p>
      {list.isError && <Failing what={say("The networks")} error={list.error} onRetry={() => void list.refetch()} />}
      <ul className="grid gap-3 lg:grid-cols-2">
        {list.data?.map((one) => (
          <Card
            key={one.id}
            opened={one}
            mayChange={mayChange}
            isBusy={fetching.isPending || opening.isPending}
            onFetch={() => fetching.mutate({ networkId: one.id })}
            onOpen={() => opening.mutate({ networkId: one.id })}
          />
        ))}
      </ul>
    </section>
  );
}

function Card({ opened: { id, weights }, mayChange, isBusy, onFetch, onOpen }: { opened: Opened; mayChange: boolean; isBusy: boolean; onFetch: () => void; onOpen: () => void }) {
  const network = findOpened(id);
  if (!network) return null;
  const { title, doc, input, parameters, accuracy, licence, source, bring } = network;
  const size = formatBytes(network.weights?.sizeBytes ?? 0);
  const isAbsent = weights?.at === "the hub";
  const fetching = weights?.at === "on their way" ? say("{done} of {size}", { done: formatBytes(weights.doneBytes), size }) : say("Fetch, {size}", { size });
  return (
    <li className="min-w-0 rounded-xl border border-line bg-raise px-3.5 py-3">
      <div className="flex items-start justify-between gap-3">
        <h3 className="font-semibold">{title}</h3>
        {mayChange &&
          (weights && weights.at !== "here" ? (
            <Button size="sm" disabled={isBusy || !isAbsent || weights.isOff} onClick={onFetch} aria-label={say("{fetching}: the weights of {title}", { fetching, title })}>
              {fetching}
            </Button>
          ) : (
            <Button size="sm" disabled={isBusy} onClick={onOpen} aria-label={say("Open {title} on the canvas", { title })}>
              {say("Open")}
            </Button>
          ))}
      </div>
      <p className="mt-0.5 text-ink2">{doc}</p>
      {isAbsent && (weights.isOff || weights.failed !== null) && (
        <p className="mt-1 text-warn">{weights.isOff ? say("Not on this machine, and whoever runs it has switched fetching off (HUB=off).") : weights.failed}</p>
      )}
      <dl className="mt-2.5">
        <Line name={say("Takes")} plain>
          {input}
        </Line>
        <Line name={say("Parameters")}>{formatShort(parameters)}</Line>
        <Line name={say("Published accuracy")} plain>
          {accuracy ? (
            <a href={accuracy.source} target="_blank" rel="noreferrer" className="underline">
              {accuracy.text}
            </a>
          ) : (
            say("none for these weights")
          )}
        </Line>
        <Line name={say("Licence")} plain>
          <a href={source} target="_blank" rel="noreferrer" className="underline">
            {licence}
          </a>
        </Line>
      </dl>
      <details className="mt-1 text-ink2">
        <summary className="cursor-pointer">{say("Where the weights come from")}</summary>
        {network.weights ? (
          <p className="mt-1">
            {say("Fetched once from {host}, {size}, and kept only with the SHA-256", { host: new URL(network.weights.url).hostname, size })}{" "}
            <span className="font-mono wrap-anywhere">{network.weights.sha256}</span>.
          </p>
        ) : (
          <p className="mt-1">
            {say("Their publisher has them as a pickle, which is never opened here. Make a file of them, and import it into the opened network:")}{" "}
            <code className="wrap-anywhere">{bring}</code>
          </p>
        )}
      </details>
    </li>
  );
}
