"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { type Text, tokenText } from "../../../core/data/text.ts";
import { namesApart } from "../../../core/graph/find.ts";
import { say } from "../../../core/language/say.ts";
import type { ExplainAnswer, Heat } from "../../../core/preview/study.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { toProbabilities } from "../../../core/training/probability.ts";
import { Button } from "../../ui/Button.tsx";
import { Select, TextInput } from "../../ui/Field.tsx";
import { formatMetric, formatPercent } from "../../ui/format.ts";
import { SampleImage } from "../../ui/SampleImage.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { Failing, Loading } from "../../ui/States.tsx";
import { decodeTensor } from "../../ui/tensorBytes.ts";
import { useTRPC } from "../../ui/trpc.ts";
import { isActive, type Run } from "../run.ts";

type Way = "maps" | "gradient" | "attention";
const TITLES: { [way in Way]: string } = { maps: "Grad-CAM", gradient: say("Gradient"), attention: say("Attention") };

/** Whether there is anything to show of how a network comes to its answers: it sees pictures, or it may attend. */
export function canExplain({ dataset, checkpoints }: Pick<Run, "dataset" | "checkpoints">): boolean {
  const task = dataset.task && taskNamed(dataset.task);
  return checkpoints.length > 0 && task !== null && (task.input === "image" ? task.show === undefined : dataset.text !== null);
}

/** What in one validation row speaks for the network's answer: heat over a picture, or which steps look at which. */
export function Explain({ run }: { run: Run }) {
  const trpc = useTRPC();
  const { dataset, evaluation, graph } = run;
  const offered = useMemo(() => evaluation?.samples.slice(0, 8).map(({ row }) => row) ?? [0], [evaluation]);
  const [asked, setAsked] = useState(false);
  const [row, setRow] = useState(offered[0] ?? 0);
  const [draft, setDraft] = useState(String(row));
  const [at, setAt] = useState<number | null>(null);
  const [node, setNode] = useState<string | null>(null);
  const [wish, setWish] = useState<Way | null>(null);
  const waits = isActive(run.status) && !asked;
  const answer = useQuery(
    trpc.runs.explain.queryOptions(
      { runId: run.id, step: evaluation?.step ?? null, row, at, node },
      { enabled: !waits, staleTime: Number.POSITIVE_INFINITY, placeholderData: keepPreviousData, retry: false },
    ),
  );
  const pictures = dataset.task !== null && taskNamed(dataset.task).input === "image";
  const shown = useMemo(() => [...new Set([...(pictures ? offered : []), row])], [offered, row, pictures]);
  const samples = useQuery(
    trpc.datasets.samples.queryOptions({ datasetId: dataset.id, split: "validation", rows: shown }, { staleTime: Number.POSITIVE_INFINITY, placeholderData: keepPreviousData }),
  );
  const inputs = new Map(samples.data?.samples.map((sample) => [sample.row, sample]));
  const choose = (next: number) => {
    setRow(next);
    setDraft(String(next));
  };
  const { data } = answer;
  const ways = (["maps", "gradient", "attention"] as const).filter((way) => (way === "attention" ? (data?.attention.length ?? 0) > 0 : data?.[way] != null));
  const way = wish !== null && ways.includes(wish) ? wish : ways[0];
  const chances = data && dataset.classes.length > 0 ? toProbabilities(data.output, dataset.classes.length) : null;
  const name = (index: number) => dataset.classes[index] ?? say("output {index}", { index });
  const sample = inputs.get(row);
  const names = namesApart(graph, [...(data?.nodes ?? []), ...(data?.attention.map((map) => map.node) ?? [])]);

  return (
    <section aria-label={say("What it looks at")} className="space-y-2">
      <header className="flex items-baseline justify-between gap-3">
        <h3 className="section-name text-ink2">{say("What it looks at")}</h3>
        {data && <span className="text-xs text-ink2">{say("epoch {epoch}", { epoch: data.epoch })}</span>}
      </header>
      {waits ? (
        <div className="flex items-center justify-between gap-3 rounded-md border border-dashed border-line2 px-3 py-2.5">
          <p className="text-ink2">{say("The run still trains: this takes some of its time.")}</p>
          <Button size="sm" onClick={() => setAsked(true)}>
            {say("Look")}
          </Button>
        </div>
      ) : (
        <>
          <form
            className="flex flex-wrap items-center gap-1.5"
            onSubmit={(event) => {
              event.preventDefault();
              const wanted = Number(draft);
              if (Number.isInteger(wanted) && wanted >= 0 && wanted < dataset.rows.validation) setRow(wanted);
              else setDraft(String(row));
            }}
          >
            {pictures &&
              offered.map((one) => {
                const there = inputs.get(one);
                return (
                  <button
                    key={one}
                    type="button"
                    aria-label={say("Row {one}", { one })}
                    aria-pressed={one === row}
                    onClick={() => choose(one)}
                    className={`size-8 overflow-hidden rounded-sm border ${one === row ? "border-accent ring-1 ring-accent" : "border-line2"}`}
                  >
                    {there && samples.data && <SampleImage bytes={there.input} dtype={samples.data.dtype} shape={samples.data.shape} label="" />}
                  </button>
                );
              })}
            <span className="ml-auto flex items-center gap-1.5 text-sm text-ink2">
              <span aria-hidden>{say("Row")}</span>
              <TextInput
                aria-label={say("Row")}
                className="figures max-w-20"
                inputMode="numeric"
                value={draft}
                onChange={(event) => setDraft(event.target.value)}
                title={say("0 to {validation}", { validation: dataset.rows.validation - 1 })}
              />
            </span>
          </form>
          {answer.error ? (
            <Failing what={say("What it looks at")} error={answer.error} onRetry={() => void answer.refetch()} />
          ) : !data ? (
            <Loading label={say("Loading what it looks at")} className="h-64" />
          ) : way === undefined ? (
            <p className="text-ink2">{pictures ? say("Nothing in this picture changes the answer.") : say("This network has no attention to look at.")}</p>
          ) : (
            <>
              {ways.length > 1 && <Segments label={say("How it is shown")} options={ways.map((id) => ({ id, title: TITLES[id] }))} value={way} onValue={setWish} />}
              {way === "attention" ? (
                <Attention
                  maps={data.attention}
                  nameOf={(path) => names.get(path) ?? path}
                  tokens={sample && dataset.text && samples.data ? Array.from(decodeTensor(sample.input, samples.data.dtype)) : null}
                  text={dataset.text}
                />
              ) : (
                <>
                  {sample && samples.data && data[way] && (
                    <div className="relative overflow-hidden rounded-md border border-line2">
                      <SampleImage bytes={sample.input} dtype={samples.data.dtype} shape={samples.data.shape} muted label={say("Row {row}", { row })} />
                      <HeatOver heat={data[way]} smooth={way === "maps"} label={say("{way}: what speaks for {at}", { way: TITLES[way], at: name(data.at) })} />
                    </div>
                  )}
                  <div className="grid grid-cols-2 gap-2">
                    {data.output.length > 1 && (
                      <div className="text-sm text-ink2">
                        <span aria-hidden>{say("What speaks for")}</span>
                        <Select aria-label={say("What speaks for")} value={at ?? ""} onChange={(event) => setAt(event.target.value === "" ? null : Number(event.target.value))}>
                          <option value="">{say("its answer: {output}", { output: name(data.output.length > 0 ? largestOf(data.output) : 0) })}</option>
                          {data.output.map((_, index) => (
                            <option key={index} value={index}>
                              {name(index)}
                              {chances ? `, ${formatPercent(chances[index])}` : ""}
                            </option>
                          ))}
                        </Select>
                      </div>
                    )}
                    {way === "maps" && data.nodes.length > 1 && (
                      <div className="text-sm text-ink2">
                        <span aria-hidden>{say("By the maps of")}</span>
                        <Select aria-label={say("By the maps of")} value={data.node ?? ""} onChange={(event) => setNode(event.target.value)}>
                          {data.nodes.map((path) => (
                            <option key={path} value={path}>
                              {names.get(path)}
                            </option>
                          ))}
                        </Select>
                      </div>
                    )}
                  </div>
                  <p className="text-ink2">
                    {chances && sample
                      ? say("{at}: {chances}; true is {target}.", { at: name(data.at), chances: formatPercent(chances[data.at]), target: name(sample.target[0] ?? 0) })
                      : say("It says {output}.", { output: formatMetric(data.output[data.at] ?? null) })}{" "}
                    {way === "maps" ? say("Warm places speak for it.") : say("Where it is warm, a small change changes the answer most.")}
                  </p>
                </>
              )}
            </>
          )}
        </>
      )}
    </section>
  );
}

const largestOf = (values: readonly (number | null)[]) =>
  values.reduce<number>((best, value, at) => ((value ?? Number.NEGATIVE_INFINITY) > (values[best] ?? Number.NEGATIVE_INFINITY) ? at : best), 0);

/** Heat laid over a picture: from nothing over orange to a bright yellow. */
function HeatOver({ heat, smooth, label }: { heat: Heat; smooth: boolean; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const picture = context.createImageData(heat.width, heat.height);
    const bytes = atob(heat.bytes);
    for (let at = 0; at < heat.width * heat.height; at++) {
      const share = bytes.charCodeAt(at) / 255;
      picture.data.set([235, Math.round(60 + 170 * share), Math.round(20 + 40 * share), Math.round(215 * share ** 0.8)], at * 4);
    }
    context.putImageData(picture, 0, 0);
  }, [heat]);
  return (
    <canvas
      ref={canvas}
      width={heat.width}
      height={heat.height}
      role="img"
      aria-label={label}
      className={`absolute inset-0 h-full w-full ${smooth ? "" : "[image-rendering:pixelated]"}`}
    />
  );
}

/** Steps that are shown as words. */
const MOST_TOKENS = 160;

/** Which step looks at which: rows look, columns are looked at. Of a text, a word that is pressed shows what it looks at. */
function Attention({ maps, nameOf, tokens, text }: { maps: ExplainAnswer["attention"]; nameOf: (path: string) => string; tokens: readonly number[] | null; text: Text | null }) {
  const [which, setWhich] = useState(0);
  const [head, setHead] = useState<number | null>(null);
  const [step, setStep] = useState<number | null>(null);
  const map = maps[Math.min(which, maps.length - 1)];
  const shares = useMemo(() => (map ? headOf(map, head) : new Float32Array()), [map, head]);
  if (!map) return null;
  const words = tokens && text ? tokens.slice(0, Math.min(map.columns, MOST_TOKENS)).map((token) => tokenText(text.tokens[token] ?? "")) : null;
  const looking = Math.min(step ?? map.rows - 1, map.rows - 1);
  const most = Math.max(1e-6, ...shares.subarray(looking * map.columns, (looking + 1) * map.columns));
  return (
    <>
      <div className="grid grid-cols-2 gap-2">
        {maps.length > 1 && (
          <Select aria-label={say("Layer")} value={which} onChange={(event) => setWhich(Number(event.target.value))}>
            {maps.map(({ node }, at) => (
              <option key={at} value={at}>
                {nameOf(node)}
              </option>
            ))}
          </Select>
        )}
        {map.heads > 1 && (
          <Select aria-label={say("Head")} value={head ?? ""} onChange={(event) => setHead(event.target.value === "" ? null : Number(event.target.value))}>
            <option value="">{say("mean of {heads} heads", { heads: map.heads })}</option>
            {Array.from({ length: map.heads }, (_, at) => (
              <option key={at} value={at}>
                {say("head {at}", { at: at + 1 })}
              </option>
            ))}
          </Select>
        )}
      </div>
      <ShareMap
        shares={shares}
        rows={map.rows}
        columns={map.columns}
        label={say("Attention of {node}: {rows} steps by {columns}", { node: nameOf(map.node), rows: map.rows, columns: map.columns })}
      />
      <p className="text-xs text-ink2">{say("Each row is a step and shows which steps it looks at, from left to right.")}</p>
      {words && (
        <p className="max-h-48 overflow-y-auto rounded-md border border-line2 bg-raise p-2 leading-6 [overflow-wrap:anywhere]">
          {words.map((word, at) => (
            <button
              key={at}
              type="button"
              aria-pressed={at === looking}
              aria-label={say('What "{word}" at {at} looks at', { word, at: at + 1 })}
              onClick={() => setStep(at)}
              disabled={at >= map.rows}
              title={formatPercent(shares[looking * map.columns + at] ?? 0)}
              className={`rounded-[2px] px-px font-mono text-sm whitespace-pre ${at === looking ? "outline-1 outline-accent" : ""}`}
              style={{ background: `color-mix(in oklab, var(--warn) ${Math.round((70 * (shares[looking * map.columns + at] ?? 0)) / most)}%, transparent)` }}
            >
              {word}
            </button>
          ))}
        </p>
      )}
    </>
  );
}

/** Shares of one head, or the mean of all. */
function headOf({ heads, rows, columns, bytes }: ExplainAnswer["attention"][number], head: number | null): Float32Array {
  const raw = atob(bytes);
  const size = rows * columns;
  const out = new Float32Array(size);
  for (let at = 0; at < size; at++) {
    let sum = 0;
    for (let one = head ?? 0; one < (head === null ? heads : head + 1); one++) sum += raw.charCodeAt(one * size + at) / 255;
    out[at] = sum / (head === null ? heads : 1);
  }
  return out;
}

function ShareMap({ shares, rows, columns, label }: { shares: Float32Array; rows: number; columns: number; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const picture = context.createImageData(columns, rows);
    let most = 1e-6;
    for (const share of shares) most = Math.max(most, share);
    for (let at = 0; at < rows * columns; at++) picture.data.set([224, 122, 40, Math.round(255 * Math.sqrt((shares[at] ?? 0) / most))], at * 4);
    context.putImageData(picture, 0, 0);
  }, [shares, rows, columns]);
  return (
    <canvas
      ref={canvas}
      width={columns}
      height={rows}
      role="img"
      aria-label={label}
      className="block w-full rounded-md border border-line2 bg-raise [image-rendering:pixelated]"
      style={{ aspectRatio: `${columns} / ${Math.max(rows, columns / 6)}` }}
    />
  );
}
