import fc from "fast-check";
import type { Json } from "../../core/graph/document.ts";
import { perAxis } from "../../core/layers/params.ts";
import { expressions } from "../core/expression/draw.ts";

type Given = {
  params: { readonly [name: string]: unknown } /** Sizes of the first wire of each port, at the numbers of one batch. */;
  sizes: { readonly [port: string]: readonly number[] };
  /** It is the batch that gradients are taken of. */
  isTrained: boolean;
};

/**
 * What a layer's record does not say and random cases must know. Everything else is drawn from the record itself: the kinds and
 * ranges of its parameters, its ports, its examples.
 */
export type Hint = {
  /** Values for parameters whose kind says too little, such as texts. */
  params?: { [name: string]: fc.Arbitrary<Json> };
  /** Parameters that every case has so. */
  always?: { [name: string]: Json };
  /** Sizes behind the batch that go with the parameters, where chance would seldom find them. */
  shapes?: (params: { readonly [name: string]: unknown }) => { [port: string]: number[] };
  /** The int64 numbers of a port lie from the first up to the second, which is left out; 0 and 3 where absent. */
  whole?: (given: Given, port: string) => [from: number, to: number];
  /** What the first of every row of its bool inputs is. */
  first?: boolean;
  /** Its whole numbers are all different: among equal ones, which comes first is anyone's choice. */
  distinct?: true;
  /** Whether sizes that are known only at run time are such as the layer can take. */
  fits?: (given: Given) => boolean;
};

const upTo = (name: string): Hint => ({ whole: ({ params }) => [0, Number(params[name])] });
const lengths: Hint = { whole: ({ sizes }) => [1, (sizes.x?.[1] ?? 1) + 1] };
/** Where a batch is its own measure, one number for each channel is not enough. */
const severalEach: Hint = {
  fits: ({ params, sizes: { x = [] }, isTrained }) => (params.track_running_stats !== false && !isTrained) || x.reduce((a, b) => a * b, 1) > (x[1] ?? 1),
};
/** Places along the axis `dim`. */
const places: Hint = { whole: ({ params, sizes: { x = [] } }) => [0, x.at(Number(params.dim)) ?? 1] };
/** PyTorch's modules give NaN for a step that may look nowhere, and ours 0; so each may look at the first. */
const seesFirst: Hint = { first: false };
/** Deeper ones say no more, and their float32 noise grows with each layer. */
const shallow: Hint = { ...seesFirst, params: { num_layers: fc.integer({ min: 1, max: 3 }) } };
/** Mirrors and the opposite side give no more than there is. */
const fewerThanThereAre: Hint = { fits: ({ params, sizes }) => params.padding_mode === "zeros" || (sizes.x ?? []).slice(2).every((size) => size > 9) };

export const hints: { readonly [type: string]: Hint } = {
  embedding: upTo("num_embeddings"),
  embedding_bag: upTo("num_embeddings"),
  one_hot: upTo("num_classes"),
  switch: upTo("cases"),
  // One that fails at its limit has a test of its own: chance reaches the limit.
  while: { always: { at_limit: "stop" } },
  lstm: lengths,
  gru: lengths,
  rnn: lengths,
  last_step: lengths,
  masked_mean: lengths,
  attention_pool: lengths,
  padding_mask: lengths,
  gather: places,
  index_select: places,
  // Of an example with other inputs such a text is refused.
  expression: { params: { expression: expressions(["x"], ["arange(x.shape[0])"]) }, whole: ({ sizes }) => [0, sizes.table?.[0] ?? 3] },
  multihead_attention: seesFirst,
  transformer_encoder_layer: seesFirst,
  transformer_decoder_layer: seesFirst,
  transformer_encoder: shallow,
  transformer_decoder: shallow,
  argmax: { distinct: true },
  argmin: { distinct: true },
  sort: { distinct: true },
  topk: { distinct: true, fits: ({ params, sizes }) => Number(params.k) <= (sizes.x?.at(Number(params.dim)) ?? 0) },
  select: {
    fits: ({ params, sizes }) => {
      const size = sizes.x?.at(Number(params.dim)) ?? 0;
      return Number(params.index) < size && Number(params.index) >= -size;
    },
  },
  // Numbers of a slice lie within sizes that only a run knows.
  slice: {
    fits: ({ params, sizes: { x = [] } }) =>
      String(params.slice)
        .split(",")
        .every((part, axis) => (part.match(/\d+/g) ?? []).every((number) => Number(number) <= (String(params.slice).includes("...") ? Math.min(...x) : (x[axis] ?? 1)))),
  },
  // A mirror and the opposite side give no more than there is.
  pad: { fits: ({ params, sizes: { x = [] } }) => params.mode === "constant" || x.slice(1).every((size) => (params.pad as number[]).every((pad) => pad < size)) },
  glu: { fits: ({ params, sizes }) => (sizes.x?.at(Number(params.dim)) ?? 0) % 2 === 0 },
  positional_encoding: { fits: ({ params, sizes }) => (sizes.x?.[1] ?? 0) <= Number(params.max_len) },
  batch_norm1d: severalEach,
  batch_norm2d: severalEach,
  batch_norm3d: severalEach,
  conv1d: fewerThanThereAre,
  conv2d: fewerThanThereAre,
  conv3d: fewerThanThereAre,
  depthwise_conv2d: fewerThanThereAre,
  separable_conv2d: fewerThanThereAre,
  fold: {
    shapes: ({ output_size, kernel_size, stride, padding, dilation }) => {
      const [size, kernel, step, pad, distance] = [output_size, kernel_size, stride, padding, dilation].map((value) => perAxis(value as number | number[], 2));
      const counts = [0, 1].map((i) => Math.floor(((size?.[i] ?? 1) + 2 * (pad?.[i] ?? 0) - (distance?.[i] ?? 1) * ((kernel?.[i] ?? 1) - 1) - 1) / (step?.[i] ?? 1)) + 1);
      return { x: [2 * (kernel?.[0] ?? 1) * (kernel?.[1] ?? 1), Math.max(1, counts[0] ?? 1) * Math.max(1, counts[1] ?? 1)] };
    },
  },
};
