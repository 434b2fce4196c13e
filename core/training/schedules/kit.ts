import { sayRecord } from "../../language/records.ts";
import type { Params, Values } from "../../layers/params.ts";
import type { TrainSpec } from "../spec.ts";

/** Where a run stands: the first optimizer step is 0. `lr` is the learning rate that factors multiply. */
export type ScheduleAt = { step: number; totalSteps: number; stepsPerEpoch: number; lr: number };

type Words<N extends string, P extends Params> = {
  name: N;
  title: string;
  doc: string;
  /** The factor of the learning rate, as plain text: e counts epochs. */
  formula: string;
  /** When to use it, and when not. */
  when: string;
  source: string;
  /** Times are in epochs, as PyTorch's schedulers count when stepped once an epoch. */
  params: P;
};

/** One learning-rate schedule, said once in a file of its own. The panel draws its curve, the spec holds its table. */
export type Schedule<N extends string = string, P extends Params = Params> = Words<N, P> &
  (
    | {
        /** Multiplies the learning rate of the Train panel, step by step. */
        factor(params: Values<P>, at: ScheduleAt): number;
        /** Whether the setting `warmupSteps` is heeded: the schedule then begins after the warm-up. */
        usesWarmup: boolean;
      }
    | {
        /** Decided by the engine, from what each evaluation finds. */
        plateau(params: Values<P>): Extract<TrainSpec["lr"]["schedule"], { kind: "plateau" }>;
        usesWarmup: false;
      }
  );

/** Keeps the record's own name and types of parameters. */
export function defineSchedule<const N extends string, P extends Params>(schedule: Schedule<N, P>): Schedule<N, P> {
  return sayRecord(schedule);
}

export const scheduleSource = (name: string) => `https://pytorch.org/docs/2.13/generated/torch.optim.lr_scheduler.${name}.html`;

/** Steps that a time in epochs takes; 0 means the whole run. */
export function stepsOf(epochs: number, { stepsPerEpoch, totalSteps }: ScheduleAt): number {
  return epochs > 0 ? epochs * stepsPerEpoch : totalSteps;
}

/** Half a cosine from `from` (share 0) to `to` (share 1). A phase of no length has no share, and is over. */
export function anneal(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * (Number.isNaN(share) ? 1 : share)));
}
