"use client";

import { Search } from "lucide-react";
import Link from "next/link";
import { useDeferredValue, useState } from "react";
import { say } from "../../core/language/say.ts";
import type { Category } from "../../core/layers/kit.ts";
import { TextInput } from "../ui/Field.tsx";

type Entry = { type: string; title: string; category: Category; doc: string; words: string; line: string | null };

/** The index of layers: sections of cards, of which typing leaves those that are meant. */
export function LayerIndex({ entries, sections }: { entries: readonly Entry[]; sections: readonly { category: Category; title: string }[] }) {
  const [typed, setTyped] = useState("");
  const asked = useDeferredValue(typed).toLowerCase().split(/\s+/).filter(Boolean);
  // A title that begins with what was typed is more likely meant than a mention.
  const rank = ({ title }: Entry) => (title.toLowerCase().startsWith(asked[0] ?? "") ? 0 : 1);
  const found = entries.filter(({ words }) => asked.every((word) => words.includes(word)));
  const shown = sections.flatMap(({ category, title }) => {
    const own = found.filter((entry) => entry.category === category);
    return own.length > 0 ? [{ category, title, own: asked.length > 0 ? own.toSorted((a, b) => rank(a) - rank(b)) : own }] : [];
  });
  return (
    <main className="mx-auto grid max-w-6xl gap-x-8 px-4 py-6 lg:grid-cols-[180px_minmax(0,1fr)]">
      <header className="pb-5 lg:col-start-2">
        <h1 className="text-title font-semibold">{say("Layers")}</h1>
        <p className="max-w-prose pt-1 text-ink2">
          {say("{count} kinds of node, each with what it does, why one wants it, and the line of PyTorch that it is. Names and parameters are PyTorch's.", {
            count: entries.length,
          })}
        </p>
        <div className="relative mt-3 max-w-md">
          <Search size={15} aria-hidden className="-translate-y-1/2 pointer-events-none absolute top-1/2 left-2.5 text-ink3" />
          <TextInput
            type="search"
            aria-label={say("Find a layer")}
            placeholder={say("Find a layer, or what it should do")}
            className="pl-8!"
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        <p role="status" className="pt-1.5 text-sm text-ink2">
          {asked.length > 0 && (found.length === 0 ? say("No layer says that. Try another word, such as “image” or “sequence”.") : say("{count} found", { count: found.length }))}
        </p>
      </header>
      <nav aria-label={say("Categories")} className="max-lg:hidden">
        <ul className="sticky top-16 space-y-0.5">
          {shown.map(({ category, title, own }) => (
            <li key={category}>
              <a href={`#${category}`} className="flex items-center gap-2 rounded-md px-2 py-1 text-ink2 hover:bg-hover hover:text-ink">
                <span aria-hidden className="size-2 rounded-[2px]" style={{ background: `var(--category-${category})` }} />
                <span className="flex-1">{title}</span>
                <span className="figures text-ink3">{own.length}</span>
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <div className="space-y-7">
        {shown.map(({ category, title, own }) => (
          <section key={category} id={category} aria-labelledby={`${category}-title`} className="scroll-mt-16">
            <h2 id={`${category}-title`} className="flex items-center gap-2 pb-2 text-lg font-semibold">
              <span aria-hidden className="h-4 w-[3px] rounded-full" style={{ background: `var(--category-${category})` }} />
              {title}
            </h2>
            <ul className="grid gap-2.5 sm:grid-cols-2 xl:grid-cols-3">
              {own.map((entry) => (
                <li key={entry.type} className="min-w-0">
                  <Link href={`/layers/${entry.type}`} prefetch={false} className="group flex h-full gap-3 rounded-lg border border-line bg-raise px-3 py-2.5 hover:border-line2">
                    <span className="min-w-0 flex-1">
                      <span className="block truncate font-semibold group-hover:underline">{entry.title}</span>
                      <span className="line-clamp-3 text-sm text-ink2">{entry.doc}</span>
                    </span>
                    {entry.line && (
                      <svg viewBox="0 0 64 40" aria-hidden className="h-10 w-16 shrink-0">
                        <path d="M0 20H64M32 0V40" stroke="var(--line)" fill="none" />
                        <path d={entry.line} stroke={`var(--category-${category})`} strokeWidth={1.75} strokeLinejoin="round" fill="none" />
                      </svg>
                    )}
                  </Link>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </main>
  );
}
