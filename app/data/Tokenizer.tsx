"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { TEXT_LIMITS, type TextUnit, type TokenizerPlan, tokenText } from "../../core/data/text.ts";
import { say } from "../../core/language/say.ts";
import { Field, NumberInput, Switch, TextInput } from "../ui/Field.tsx";
import { formatCount, formatPercent } from "../ui/format.ts";
import { Segments } from "../ui/Segments.tsx";
import { Failing, Loading } from "../ui/States.tsx";
import { type Answers, useTRPCClient } from "../ui/trpc.ts";
import type { TextFacts } from "./AddText.tsx";

const units: readonly { id: TextUnit; title: string; vocabulary: number }[] = [
  { id: "characters", title: say("Letters"), vocabulary: 256 },
  { id: "words", title: say("Words"), vocabulary: 8_192 },
  { id: "bpe", title: say("Parts"), vocabulary: 1_024 },
];

/** How texts are cut into tokens. */
export function TokenizerFields({ tokenizer, onTokenizer }: { tokenizer: TokenizerPlan; onTokenizer: (tokenizer: TokenizerPlan) => void }) {
  return (
    <>
      <Field label={say("Read by")} doc={say("Parts: words, of which frequent ones stay whole and rare ones fall into frequent parts (byte-pair encoding).")}>
        {() => (
          <Segments
            label={say("Read by")}
            options={units}
            value={tokenizer.unit}
            onValue={(unit) => onTokenizer({ ...tokenizer, unit, vocabulary: units.find(({ id }) => id === unit)?.vocabulary ?? tokenizer.vocabulary })}
          />
        )}
      </Field>
      <Field label={say("Vocabulary")} doc={say("The most tokens that are kept, the most frequent ones; the rest is unknown to the network.")}>
        {(ids) => (
          <NumberInput
            {...ids}
            whole
            min={TEXT_LIMITS.leastVocabulary}
            max={TEXT_LIMITS.vocabulary}
            value={tokenizer.vocabulary}
            onValue={(vocabulary) => onTokenizer({ ...tokenizer, vocabulary })}
          />
        )}
      </Field>
      <Field label={say("All in lower case")}>
        {(ids) => <Switch {...ids} checked={tokenizer.lowercase} onChecked={(lowercase) => onTokenizer({ ...tokenizer, lowercase })} />}
      </Field>
    </>
  );
}

type Question = Parameters<ReturnType<typeof useTRPCClient>["datasets"]["inspectText"]["mutate"]>[0]["question"];

/** What a tokenizer makes of the texts, asked anew a moment after the question has changed. */
export function useTextFacts(uploadId: string, question: Question | null, first?: TextFacts) {
  const { datasets } = useTRPCClient();
  const [asked, setAsked] = useState(question);
  const wanted = JSON.stringify(question);
  const [firstAsked] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(question), 350);
    return () => clearTimeout(timer);
  }, [wanted]);
  const key = JSON.stringify(asked);
  return useQuery({
    queryKey: ["datasets.inspectText", uploadId, key],
    queryFn: async () => {
      if (!asked) throw new Error(say("There is nothing to look at."));
      const answer: Answers["datasets"]["inspectText"] = await datasets.inspectText.mutate({ uploadId, question: asked });
      if (!answer.ok) throw new Error(answer.failure.message);
      return answer;
    },
    enabled: asked !== null,
    placeholderData: keepPreviousData,
    ...(first && key === firstAsked ? { initialData: first } : {}),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

/** The vocabulary and the first tokens, as they will be: to be looked at before anything is kept. */
export function VocabularyPreview({ query, of }: { query: ReturnType<typeof useTextFacts>; of: string }) {
  const [wanted, setWanted] = useState("");
  if (query.error) return <Failing what={say("The vocabulary")} error={query.error} onRetry={() => void query.refetch()} />;
  if (!query.data) return <Loading label={say("Learning the vocabulary")} className="h-48" />;
  const { size, vocabulary, unknownShare, lengths, tokens, first } = query.data;
  const found = vocabulary.filter(({ token }) => token.includes(wanted));
  return (
    <div aria-busy={query.isPlaceholderData} className="grid gap-3 sm:grid-cols-[minmax(0,1fr)_240px]">
      <section aria-label={say("The first tokens")} className="min-w-0 rounded-lg border border-line px-3 py-2">
        <p className="pb-1.5 text-ink2">
          {say("{tokens} tokens {of}", { tokens: formatCount(tokens), of })}
          {lengths &&
            (lengths.cut > 0
              ? say("; {middle} in a middling text, {most} in the longest; {cut} texts are cut", {
                  middle: formatCount(lengths.middle),
                  most: formatCount(lengths.most),
                  cut: formatCount(lengths.cut),
                })
              : say("; {middle} in a middling text, {most} in the longest", { middle: formatCount(lengths.middle), most: formatCount(lengths.most) }))}
        </p>
        <p className="flex max-h-40 flex-wrap overflow-y-auto leading-6">
          {first.map((token, at) => (
            // Tokens come again; their place tells them apart.
            <span key={at} className="mr-px max-w-full truncate rounded-sm bg-sunk px-0.5 font-mono text-sm whitespace-pre odd:bg-accent-soft">
              {tokenText(token)}
            </span>
          ))}
        </p>
      </section>
      <section aria-label={say("Vocabulary")} className="min-w-0 rounded-lg border border-line px-3 py-2">
        <p className="flex justify-between gap-3">
          <span className="text-ink2">{say("Vocabulary")}</span>
          <span className="figures">{formatCount(size)}</span>
        </p>
        <p className="flex justify-between gap-3 pb-1.5">
          <span className="text-ink2">{say("Not in it")}</span>
          <span className="figures">{formatPercent(unknownShare)}</span>
        </p>
        <TextInput
          aria-label={say("Search the vocabulary")}
          placeholder={say("Search the vocabulary")}
          maxLength={80}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <ul className="max-h-28 overflow-y-auto pt-1 text-sm">
          {found.map(({ token, count }) => (
            <li key={token} className="flex justify-between gap-3">
              <span className="truncate font-mono">{tokenText(token)}</span>
              <span className="figures text-ink2">{formatCount(count)}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p className="text-sm text-ink2">{say("Not among the {count} most frequent.", { count: formatCount(vocabulary.length) })}</p>}
      </section>
    </div>
  );
}
