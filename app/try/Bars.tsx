import { printFixed } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { argmax } from "../../core/training/probability.ts";
import { cx } from "../ui/cx.ts";

/** One bar a class. Without an answer yet, the bars stand empty in their places. */
export function Bars({ classes, chances }: { classes: readonly string[]; chances: readonly number[] | null }) {
  const top = chances ? argmax(chances) : -1;
  const digits = isDigits(classes);
  return (
    <ul aria-label={say("Probabilities")} className="space-y-0.5">
      {classes.map((name, index) => {
        const chance = chances?.[index] ?? 0;
        return (
          <li key={name} className={cx("grid items-center gap-2", digits ? "grid-cols-[16px_1fr_44px]" : "grid-cols-[minmax(48px,88px)_1fr_44px]")}>
            <span aria-hidden className={cx("truncate tabular-nums", index === top && "font-semibold")} title={name}>
              {name}
            </span>
            {/* biome-ignore lint/a11y/useSemanticElements: browsers draw <meter> each in their own way. */}
            <span
              role="meter"
              aria-label={digits ? say("digit {name}", { name }) : name}
              aria-valuemin={0}
              aria-valuemax={1}
              aria-valuenow={Number(chance.toFixed(4))}
              aria-valuetext={`${printFixed(chance * 100, 1)}%`}
              className="block h-3.5 overflow-hidden rounded-sm bg-sunk"
            >
              <span className={cx("block h-full rounded-sm", index === top ? "bg-accent" : "bg-line2")} style={{ width: `${chance * 100}%` }} />
            </span>
            <span aria-hidden className={cx("figures text-right", index === top ? "text-ink" : "text-ink2")}>
              {chances ? `${printFixed(chance * 100, 1)}%` : ""}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

/** Whether the classes are the ten digits. */
export function isDigits(classes: readonly string[]): boolean {
  return classes.length === 10 && classes.every((name, index) => name === String(index));
}
