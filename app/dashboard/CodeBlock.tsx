"use client";

import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { say } from "../../core/language/say.ts";
import { cx } from "../ui/cx.ts";

/** Code to read and to take along. */
export function CodeBlock({ code, label, className }: { code: string; label: string; className?: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="relative">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be in reach of the arrow keys. */}
      <section aria-label={label} tabIndex={0} className={cx("overflow-auto rounded-lg border border-line bg-bg", className)}>
        <pre className="w-fit p-3 pr-16 font-mono text-sm">{code}</pre>
      </section>
      <button
        type="button"
        aria-label={say("Copy {label}", { label })}
        onClick={() => {
          void navigator.clipboard.writeText(code).then(() => {
            setCopied(true);
            setTimeout(() => setCopied(false), 1_500);
          });
        }}
        className="absolute top-2 right-2 flex h-6 items-center gap-1 rounded-md border border-line2 bg-raise px-1.5 text-sm text-ink2 hover:text-ink"
      >
        {copied ? <Check size={12} /> : <Copy size={12} />}
        {copied ? say("Copied") : say("Copy")}
      </button>
    </div>
  );
}
