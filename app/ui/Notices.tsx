"use client";

import { X } from "lucide-react";
import { create } from "zustand";
import { say } from "../../core/language/say.ts";
import { cx } from "./cx.ts";

type Notice = { id: number; tone: "plain" | "bad"; text: string; action?: { label: string; run: () => void } };

const useNotices = create<{ notices: Notice[] }>(() => ({ notices: [] }));
let nextId = 1;

function dismiss(id: number): void {
  useNotices.setState(({ notices }) => ({ notices: notices.filter((n) => n.id !== id) }));
}

/** Says something once, at the foot of the page. Bad news stays until it is dismissed. */
export function notify(text: string, options: { tone?: Notice["tone"]; action?: Notice["action"] } = {}): void {
  const id = nextId++;
  const tone = options.tone ?? "plain";
  useNotices.setState(({ notices }) => ({ notices: [...notices.filter((n) => n.text !== text).slice(-2), { id, tone, text, action: options.action }] }));
  if (tone === "plain") setTimeout(() => dismiss(id), 6_000);
}

/** Where `notify` speaks. Mounted once. */
export function Notices() {
  const notices = useNotices((s) => s.notices);
  return (
    <div
      role="status"
      aria-live="polite"
      // What has its buttons at the foot of the page keeps them free: then this stands at the head.
      className="pointer-events-none fixed inset-x-3 bottom-3 z-50 flex flex-col items-center gap-2 [body:has([data-foot])_&]:top-14 [body:has([data-foot])_&]:bottom-auto"
    >
      {notices.map((notice) => (
        <div
          key={notice.id}
          className={cx(
            "appear pointer-events-auto flex max-w-lg items-center gap-3 rounded-lg border bg-raise py-2 pr-2 pl-3 shadow-float",
            notice.tone === "bad" ? "border-bad text-bad" : "border-line2",
          )}
        >
          <span className="min-w-0">{notice.text}</span>
          {notice.action && (
            <button
              type="button"
              className="shrink-0 font-medium text-accent hover:underline"
              onClick={() => {
                notice.action?.run();
                dismiss(notice.id);
              }}
            >
              {notice.action.label}
            </button>
          )}
          <button type="button" aria-label={say("Dismiss")} className="shrink-0 rounded-sm p-1 text-ink3 hover:bg-hover hover:text-ink" onClick={() => dismiss(notice.id)}>
            <X size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
