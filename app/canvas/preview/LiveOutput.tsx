"use client";

import type { NodePath } from "../../../core/graph/path.ts";
import { printFixed } from "../../../core/language/numbers.ts";
import { say } from "../../../core/language/say.ts";
import type { Picture } from "../../../core/preview/picture.ts";
import { Button } from "../../ui/Button.tsx";
import { formatCount, formatMetric } from "../../ui/format.ts";
import { Line } from "../../ui/Panel.tsx";
import { useNames } from "./NodePreview.tsx";
import { hidePreview, togglePreview, usePreview } from "./usePreview.ts";
import { Histogram, ValueView } from "./ValueView.tsx";

/** What the selected node gives for the chosen row, large, with its distribution. */
export function LiveOutput({ path, title }: { path: NodePath; title: string }) {
  const on = usePreview((s) => s.on);
  const values = usePreview((s) => s.values.get(path));
  const failure = usePreview((s) => s.failures.get(path));
  const problem = usePreview((s) => s.problem);
  const hidden = usePreview((s) => s.hidden.has(path));
  if (!on)
    return (
      <Button size="sm" onClick={togglePreview}>
        {say("Send a sample through")}
      </Button>
    );
  const shown = (values ?? []).filter((value) => value.large);
  return (
    <div className="space-y-3">
      {shown.map(({ port, large }) => large && <Value key={port} port={shown.length > 1 ? port : null} picture={large} title={title} />)}
      {shown.length === 0 && (
        <p className="text-ink2">{failure ?? problem ?? say("Nothing reaches it yet, or it stands in a branch or a loop, where there is no one value to show.")}</p>
      )}
      {hidden && (
        <Button size="sm" kind="quiet" onClick={() => hidePreview(path, false)}>
          {say("Show it on the canvas")}
        </Button>
      )}
    </div>
  );
}

function Value({ port, picture, title }: { port: string | null; picture: Picture; title: string }) {
  const names = useNames();
  const { shape, count, min, max, mean, std, zeros, bad, view } = picture;
  const number = (value: number | null) => (value === null ? "–" : formatMetric(value));
  return (
    <div className="space-y-2">
      {port !== null && <h4 className="font-mono text-sm text-ink2">{port}</h4>}
      <ValueView picture={picture} names={names} size="large" label={say("What {title} gives, large", { title })} />
      {view.kind === "image" && view.shown < view.channels && !view.natural && (
        <p className="text-sm text-ink2">{say("The first {shown} of {channels} channels.", { shown: view.shown, channels: formatCount(view.channels) })}</p>
      )}
      <Histogram picture={picture} />
      <dl>
        <Line name={say("Shape")}>{shape.join("×") || say("scalar")}</Line>
        <Line name={say("Least, greatest")}>
          {number(min)}, {number(max)}
        </Line>
        <Line name={say("Mean ± deviation")}>
          {number(mean)} ± {number(std)}
        </Line>
        <Line name={say("Zeros")}>{count === 0 ? "–" : `${printFixed((100 * zeros) / count, zeros > 0 && zeros < count ? 1 : 0)}%`}</Line>
        {bad > 0 && <Line name={say("Not finite")}>{formatCount(bad)}</Line>}
      </dl>
    </div>
  );
}
