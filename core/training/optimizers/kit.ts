import { sayRecord } from "../../language/records.ts";
import { type Param, type Params, p, type Values } from "../../layers/params.ts";
import type { TrainSpec } from "../spec.ts";

/** One optimizer, said once in a file of its own. Defaults are PyTorch's. */
export type Optimizer<N extends string = string, P extends Params = Params> = {
  /** PyTorch's class name. */
  name: N;
  doc: string;
  /** One step, as plain text: g is the gradient, w a weight. */
  formula: string;
  /** When to use it, and when not. */
  when: string;
  source: string;
  /** What it heeds beside the learning rate and weight decay. */
  params: P;
  defaults: { lr: number; weightDecay: number };
  toSpec(params: Values<P>, weightDecay: number): TrainSpec["optimizer"];
  /** How many numbers it keeps for each weight. */
  states(params: Values<P>): number;
  /** PyTorch code that makes it, given the weights' name. */
  torch(params: Values<P>, rates: { lr: number; weightDecay: number }): string;
};

/** Keeps the record's own name and types of parameters. */
export function defineOptimizer<const N extends string, P extends Params>(optimizer: Optimizer<N, P>): Optimizer<N, P> {
  return sayRecord(optimizer);
}

export const optimizerSource = (name: string) => `https://pytorch.org/docs/2.13/generated/torch.optim.${name}.html`;

/** `betas[0]`: how much of the running mean of gradients is kept. */
export const beta1Param = (usual = 0.9): Param<number> =>
  p.float({ min: 0, max: 0.99999, step: 0.01, default: usual, doc: "betas[0]: how much of the running mean of gradients each step keeps." });
/** `betas[1]`: the same for their squares. */
export const beta2Param = (usual = 0.999): Param<number> =>
  p.float({ min: 0, max: 0.9999999, step: 0.001, default: usual, doc: "betas[1]: how much of the running size of gradients each step keeps." });
export const epsParam = (usual: number): Param<number> => p.float({ min: 0, max: 1, default: usual, doc: "Added to the divisor, so that it is never 0." });

/** `torch.optim.Adam(model.parameters(), lr=0.001)`: only what differs from PyTorch's default is written. */
export function optimizerCall(
  name: string,
  { lr, weightDecay }: { lr: number; weightDecay: number },
  usualWeightDecay: number,
  args: { [name: string]: [value: number | boolean | [number, number], defaultValue: number | boolean | [number, number]] } = {},
): string {
  const written = Object.entries(args).flatMap(([key, [value, usual]]) => (String(value) === String(usual) ? [] : [`${key}=${python(value)}`]));
  const decay = weightDecay === usualWeightDecay ? [] : [`weight_decay=${weightDecay}`];
  return `torch.optim.${name}(${["model.parameters()", `lr=${lr}`, ...decay, ...written].join(", ")})`;
}

function python(value: number | boolean | [number, number]): string {
  if (typeof value === "boolean") return value ? "True" : "False";
  return Array.isArray(value) ? `(${value.join(", ")})` : String(value);
}
