"use client";

import { ToggleGroup } from "radix-ui";

/** A choice among a few words that are all seen at once. */
export function Segments<T extends string>({
  label,
  options,
  value,
  onValue,
}: {
  label: string;
  options: readonly { id: T; title: string }[];
  value: T;
  onValue: (value: T) => void;
}) {
  return (
    <ToggleGroup.Root
      type="single"
      aria-label={label}
      value={value}
      onValueChange={(next) => {
        const option = options.find((o) => o.id === next);
        if (option) onValue(option.id);
      }}
      className="inline-flex rounded-md border border-line bg-bg p-px"
    >
      {options.map((option) => (
        <ToggleGroup.Item
          key={option.id}
          value={option.id}
          className="h-6 rounded-[5px] px-2.5 whitespace-nowrap text-ink2 hover:text-ink data-[state=on]:bg-raise data-[state=on]:font-semibold data-[state=on]:text-ink"
        >
          {option.title}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  );
}
