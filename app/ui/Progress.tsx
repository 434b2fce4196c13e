import { cx } from "./cx.ts";

/** What is going on, and how far it is: 0 to 1, or null where that is not known. */
export function Progress({ text, share }: { text: string; share: number | null }) {
  return (
    <div role="status" className="mx-auto w-full max-w-64 space-y-2">
      <p className="[overflow-wrap:anywhere]">{text}</p>
      <div className="h-1 overflow-hidden rounded-full bg-sunk">
        <div
          className={cx("h-full bg-accent transition-[width] duration-100", share === null && "breathe w-full")}
          style={share === null ? undefined : { width: `${Math.round(share * 100)}%` }}
        />
      </div>
    </div>
  );
}
