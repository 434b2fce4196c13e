import { lazy, Suspense } from "react";
import { paramsOf } from "../../../core/graph/check.ts";
import { formatShape, type Shape } from "../../../core/graph/shape.ts";
import { say } from "../../../core/language/say.ts";
import type { Layer } from "../../../core/layers/kit.ts";
import { categoryColor } from "../categories.ts";
import type { AtWork } from "./example.ts";

/** How numbers are spread: how many lie in each of equal bins between two ends. */
export type Spread = { min: number | null; max: number | null; histogram: readonly number[] } | undefined;

const Slide = lazy(() => import("./Slide.tsx"));

/** What a layer does, drawn from its record: its curve, its window on its way, or the tensors that go in and come out at the sizes they have. */
export function LayerPicture({ layer, atWork, spread }: { layer: Layer; atWork: AtWork | null; spread?: Spread | undefined }) {
  if (layer.curve) return <Curve title={layer.title} curve={layer.curve} color={categoryColor(layer.category)} spread={spread} />;
  if (!atWork) return null;
  const flow = <Flow layer={layer} atWork={atWork} />;
  const { x } = atWork.types.inputs;
  const slides = layer.slides && x && !Array.isArray(x) ? { ...layer.slides(paramsOf(layer, atWork.node)), size: x.shape.slice(2).slice(-2) } : null;
  if (!slides || slides.size.length === 0) return flow;
  return (
    <div className="space-y-2">
      {flow}
      <Suspense fallback={<div className="h-44 max-w-[380px] rounded-md border border-line bg-bg" />}>
        <Slide key={JSON.stringify(slides)} title={layer.title} color={categoryColor(layer.category)} {...slides} />
      </Suspense>
    </div>
  );
}

const WIDTH = 276;

const SPAN = 4;
const CURVE_HEIGHT = 132;

/** A curve between −4 and 4. */
export function Curve({ title, curve, color, spread }: { title: string; curve: (x: number) => number; color: string; spread?: Spread }) {
  const { top, bottom } = rangeOf(curve);
  const px = (x: number) => ((x + SPAN) / (2 * SPAN)) * WIDTH;
  const py = (y: number) => ((top - y) / (top - bottom)) * CURVE_HEIGHT;
  const line = curveLine(curve, { width: WIDTH, height: CURVE_HEIGHT });
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${CURVE_HEIGHT}`}
      role="img"
      aria-label={say("Curve of {title} from −{span} to {span}", { title, span: SPAN })}
      className="block w-full max-w-[380px] rounded-md border border-line bg-bg"
    >
      {binsOf(spread).map(({ from, to, share }) => (
        <rect key={from} x={px(from)} y={CURVE_HEIGHT - 34 * share} width={Math.max(0.5, px(to) - px(from) - 0.5)} height={34 * share} fill="var(--series-1)" fillOpacity={0.3} />
      ))}
      {spread && (
        <text x={4} y={11} className="fill-ink2 text-[9.5px]">
          {say("bars: what comes in")}
        </text>
      )}
      <path d={`M0 ${py(0)}H${WIDTH}M${px(0)} 0V${CURVE_HEIGHT}`} stroke="var(--line2)" fill="none" />
      {top > 1.1 && <path d={`M${px(0) - 3} ${py(1)}h6`} stroke="var(--ink3)" />}
      {[-2, 2].map((x) => (
        <text key={x} x={px(x)} y={Math.min(CURVE_HEIGHT - 4, py(0) + 12)} textAnchor="middle" className="fill-ink3 font-mono text-[9.5px]">
          {x < 0 ? `−${-x}` : x}
        </text>
      ))}
      {top > 1.1 && (
        <text x={px(0) + 6} y={py(1) + 3} className="fill-ink3 font-mono text-[9.5px]">
          1
        </text>
      )}
      <path d={line} stroke={color} strokeWidth={2} strokeLinejoin="round" strokeLinecap="round" fill="none" />
      <circle r={3.5} fill={color} className="motion-only">
        <animateMotion path={line} dur="5s" repeatCount="indefinite" keyPoints="0;1;0" keyTimes="0;0.5;1" calcMode="linear" />
      </circle>
    </svg>
  );
}

const curvePoints = (curve: (x: number) => number) =>
  Array.from({ length: 193 }, (_, i) => {
    const x = -SPAN + (2 * SPAN * i) / 192;
    return { x, y: curve(x) };
  });

/** The heights that a picture of a curve reaches to. */
function rangeOf(curve: (x: number) => number): { top: number; bottom: number } {
  const seen = curvePoints(curve).flatMap(({ y }) => (Number.isFinite(y) ? [Math.min(SPAN, Math.max(-SPAN, y))] : []));
  return { top: Math.max(1, ...seen) + 0.25, bottom: Math.min(-0.25, Math.min(...seen) - 0.25) };
}

/** A curve from −4 to 4 as an SVG path that fills a box. */
export function curveLine(curve: (x: number) => number, { width, height }: { width: number; height: number }): string {
  const { top, bottom } = rangeOf(curve);
  const px = (x: number) => ((x + SPAN) / (2 * SPAN)) * width;
  const py = (y: number) => ((top - y) / (top - bottom)) * height;
  let line = "";
  let before: number | null = null;
  for (const { x, y } of curvePoints(curve)) {
    if (!Number.isFinite(y) || y > top + 1 || y < bottom - 1) {
      before = null;
      continue;
    }
    // A jump is no steep line.
    line += `${before === null || Math.abs(y - before) > 0.4 ? "M" : "L"}${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
    before = y;
  }
  return line;
}

/** The bins that the picture shows, with how full each is beside the fullest. */
function binsOf(spread: Spread): { from: number; to: number; share: number }[] {
  if (!spread || spread.min === null || spread.max === null) return [];
  const { min, max, histogram } = spread;
  const most = Math.max(...histogram);
  const edge = (i: number) => Math.min(SPAN, Math.max(-SPAN, min + ((max - min) * i) / histogram.length));
  return histogram.flatMap((count, i) => (count > 0 && edge(i + 1) > edge(i) ? [{ from: edge(i), to: edge(i + 1), share: count / most }] : []));
}

const ROW = 58;
const NODE = { width: 84, height: 26 };
const GLYPH = 34;

function Flow({ layer, atWork: { types } }: { layer: Layer; atWork: AtWork }) {
  const list = (ports: { [port: string]: { shape: Shape } | { shape: Shape }[] | undefined }) =>
    Object.entries(ports).flatMap(([port, type]) => (type === undefined ? [] : [type].flat().map(({ shape }, i) => ({ key: `${port}${i}`, port, shape }))));
  const [inputs, outputs] = [list(types.inputs).slice(0, 4), list(types.outputs).slice(0, 4)];
  const rows = Math.max(1, inputs.length, outputs.length);
  const height = rows * ROW + 8;
  const middle = height / 2;
  const at = (count: number, i: number) => middle + (i - (count - 1) / 2) * ROW;
  const [left, right] = [46, WIDTH - 46];
  const [nodeLeft, nodeRight] = [(WIDTH - NODE.width) / 2, (WIDTH + NODE.width) / 2];
  const portsText = (ends: { port: string; shape: Shape }[]) => ends.map(({ port, shape }) => `${port} ${formatShape(shape)}`).join(", ") || say("nothing");
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={say("{title} takes {inputs} and gives {outputs}", { title: layer.title, inputs: portsText(inputs), outputs: portsText(outputs) })}
      className="block w-full max-w-[380px] rounded-md border border-line bg-bg"
    >
      {inputs.map(({ key }, i) => (
        <path key={key} d={wire(left + GLYPH / 2 + 1, at(inputs.length, i) - 6, nodeLeft, middle)} stroke="var(--line2)" strokeWidth={1.5} fill="none" />
      ))}
      {outputs.map(({ key }, i) => (
        <path key={key} d={wire(nodeRight, middle, right - GLYPH / 2 - 1, at(outputs.length, i) - 6)} stroke="var(--line2)" strokeWidth={1.5} fill="none" />
      ))}
      {[
        ...inputs.map(({ key }, i) => ({ key: `in ${key}`, path: wire(left + GLYPH / 2 + 1, at(inputs.length, i) - 6, nodeLeft, middle), begin: 0 })),
        ...outputs.map(({ key }, i) => ({ key: `out ${key}`, path: wire(nodeRight, middle, right - GLYPH / 2 - 1, at(outputs.length, i) - 6), begin: 1 })),
      ].map(({ key, path, begin }) => (
        <circle key={key} r={2.5} fill={categoryColor(layer.category)} className="motion-only" opacity={0}>
          <animateMotion path={path} dur="2.4s" repeatCount="indefinite" keyPoints={begin === 0 ? "0;1;1" : "0;0;1"} keyTimes="0;0.5;1" calcMode="linear" />
          <animate attributeName="opacity" dur="2.4s" repeatCount="indefinite" values={begin === 0 ? "1;1;0;0" : "0;0;1;1"} keyTimes="0;0.5;0.5;1" />
        </circle>
      ))}
      {[
        { ends: inputs, x: left },
        { ends: outputs, x: right },
      ].map(({ ends, x }) =>
        ends.map(({ key, port, shape }, i) => (
          <g key={`${x} ${key}`} transform={`translate(${x} ${at(ends.length, i) - 6})`}>
            <Tensor shape={shape} />
            <text y={GLYPH / 2 + 13} textAnchor="middle" className="font-mono text-[9.5px]">
              {ends.length > 1 && <tspan className="fill-ink3">{port} </tspan>}
              <tspan className="fill-ink2">{formatShape(shape)}</tspan>
            </text>
          </g>
        )),
      )}
      <rect x={nodeLeft} y={middle - NODE.height / 2} width={NODE.width} height={NODE.height} rx={6} className="fill-raise" stroke="var(--line2)" />
      <rect x={nodeLeft + 4} y={middle - NODE.height / 2 + 5} width={3} height={NODE.height - 10} rx={1.5} fill={categoryColor(layer.category)} />
      <text x={nodeLeft + 12} y={middle + 3.5} className="fill-ink text-[10px] font-semibold">
        {layer.title.length > 13 ? `${layer.title.slice(0, 12)}…` : layer.title}
      </text>
    </svg>
  );
}

const wire = (x1: number, y1: number, x2: number, y2: number) => `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;

const sized = (dim: Shape[number] | undefined) => (typeof dim === "number" ? dim : 16);
const long = (dim: Shape[number] | undefined) => Math.min(GLYPH, 6 + Math.log2(sized(dim) + 1) * 5.6);

/** One sample of a tensor: a dot, a bar of features, a table of steps, or as many sheets as it has channels (six stand for more). */
function Tensor({ shape }: { shape: Shape }) {
  const sizes = shape[0] === "B" ? shape.slice(1) : shape;
  const paint = { fill: "var(--raise)", stroke: "var(--ink3)" };
  if (sizes.length === 0) return <circle r={4} {...paint} />;
  if (sizes.length === 1) return <rect x={-3.5} y={-long(sizes[0]) / 2} width={7} height={long(sizes[0])} rx={1.5} {...paint} />;
  if (sizes.length === 2) {
    const [w, h] = [long(sizes[1]), long(sizes[0])];
    const rows = Math.min(6, sized(sizes[0]));
    return (
      <g transform={`translate(${-w / 2} ${-h / 2})`}>
        <rect width={w} height={h} rx={1.5} {...paint} />
        <path d={Array.from({ length: rows - 1 }, (_, i) => `M0 ${(((i + 1) * h) / rows).toFixed(1)}h${w}`).join("")} stroke="var(--line2)" />
      </g>
    );
  }
  const [channels, ...space] = sizes;
  const sheets = Math.min(6, sized(channels));
  const [w, h] = [long(space.at(-1)) * 0.8, long(space.at(-2)) * 0.8];
  const shift = 2.2;
  return (
    <g transform={`translate(${(-w - (sheets - 1) * shift) / 2} ${(-h + (sheets - 1) * shift) / 2})`}>
      {Array.from({ length: sheets }, (_, i) => sheets - 1 - i).map((i) => (
        <rect key={i} x={i * shift} y={-i * shift} width={w} height={h} rx={1.5} {...paint} />
      ))}
    </g>
  );
}
