import { z } from "zod";
import { say } from "../language/say.ts";
import type { Block, Program } from "../program/program.ts";

/** A setting that can be changed while a run goes, and what it becomes. */
export const Turn = z.discriminatedUnion("kind", [
  /** Another learning rate from the next step on. The schedule goes on from there in proportion, or is left where `hold` is true. */
  z.strictObject({ kind: z.literal("lr"), lr: z.number().positive().max(100), hold: z.boolean() }),
  /** Another share to switch off, at one node and what is inside it, or (null) wherever there is dropout. */
  z.strictObject({ kind: z.literal("dropout"), p: z.number().min(0).max(1), node: z.string().max(512).nullable() }),
  /** Another batch size from the beginning of the next epoch on. */
  z.strictObject({ kind: z.literal("batch-size"), batchSize: z.int().min(1).max(65_536), dropLast: z.boolean() }),
]);
export type Turn = z.infer<typeof Turn>;

/** A turn as the engine takes it: in force from the step after `step` on; null: as soon as may be. */
const placed = { id: z.string(), step: z.int().min(0).nullable() };
const [Lr, Dropout, BatchSize] = Turn.options;
export const Knob = z.discriminatedUnion("kind", [Lr.extend(placed), Dropout.extend(placed), BatchSize.extend(placed)]);
export type Knob = z.infer<typeof Knob>;

/** A knob as the run keeps it: who turned it and when, and from which step on it was in force; `step` is null while it waits. */
export const RunKnob = z.strictObject({ id: z.string(), at: z.string(), by: z.string(), turn: Turn, step: z.int().min(0).nullable() });
export type RunKnob = z.infer<typeof RunKnob>;

export function knobOf({ id, step, turn }: RunKnob): Knob {
  return { ...turn, id, step };
}

/** What a turn did, as a sentence. `before` is what was in force, where that is one number; `nameOf` names a node by its path. */
export function describeTurn(turn: Turn, before: number | null, nameOf: (node: string) => string): string {
  switch (turn.kind) {
    case "lr":
      return say("Learning rate{which} {lr}{held}.", { which: before === null ? "" : ` ${figure(before)} →`, lr: figure(turn.lr), held: turn.hold ? say(", held there") : "" });
    case "dropout":
      return turn.node === null ? say("Dropout {p} everywhere.", { p: figure(turn.p) }) : say("Dropout {p} in {node}.", { p: figure(turn.p), node: nameOf(turn.node) });
    case "batch-size":
      return before === null ? say("Batch size {batchSize}.", { batchSize: turn.batchSize }) : say("Batch size {before} → {batchSize}.", { before, batchSize: turn.batchSize });
  }
}

const figure = (value: number) => String(Number(value.toPrecision(4)));

/** A node that drops numbers while training, and the share that it drops. */
export type Droppable = { node: string; p: number };

/** Which argument is the share: that of the dropouts, and of recurrent layers between their stacked ones. */
const SHARE: { [op: string]: number } = {
  "aten::dropout": 1,
  "aten::feature_dropout": 1,
  "aten::alpha_dropout": 1,
  "aten::feature_alpha_dropout": 1,
  "aten::lstm.input": 5,
  "aten::gru.input": 5,
  "aten::rnn_tanh.input": 5,
  "aten::rnn_relu.input": 5,
  "aten::lstm.data": 6,
  "aten::gru.data": 6,
  "aten::rnn_tanh.data": 6,
  "aten::rnn_relu.data": 6,
};

/** Everything whose dropout can be turned while the program trains, in its order, each node once. */
export function droppables({ ops }: Pick<Program, "ops">): Droppable[] {
  const found = new Map<string, number>();
  const look = (some: Block["ops"]) => {
    for (const op of some) {
      if ("blocks" in op) {
        for (const { ops } of op.blocks) look(ops);
        continue;
      }
      const at = SHARE[op.op];
      const share = at === undefined ? undefined : op.args[at];
      if (at === undefined || typeof share !== "number" || found.has(op.node)) continue;
      // A single recurrent layer has nothing between layers to drop.
      if (at > 1 && op.args[at - 1] === 1) continue;
      found.set(op.node, share);
    }
  };
  look(ops);
  return [...found].map(([node, p]) => ({ node, p }));
}

/** What is in force once the knobs that took hold are turned: `lr` is what the run last trained with. */
export function currentSettings(
  start: { lr: number; batchSize: number; dropouts: readonly Droppable[] },
  knobs: readonly RunKnob[],
): { lr: number; batchSize: number; dropouts: Droppable[] } {
  let { batchSize } = start;
  let dropouts = [...start.dropouts];
  for (const { turn } of inOrder(knobs)) {
    if (turn.kind === "batch-size") batchSize = turn.batchSize;
    if (turn.kind === "dropout") dropouts = dropouts.map((one) => (isAt(one.node, turn.node) ? { ...one, p: turn.p } : one));
  }
  return { lr: start.lr, batchSize, dropouts };
}

/** The learning rate that a knob holds, so that no schedule is followed any more; null where one is. */
export function heldRate(knobs: readonly Pick<RunKnob, "step" | "turn">[]): number | null {
  const last = inOrder(knobs).findLast(({ turn }) => turn.kind === "lr");
  return last?.turn.kind === "lr" && last.turn.hold ? last.turn.lr : null;
}

/** Knobs that took hold, in the order in which they did. */
function inOrder<Placed extends Pick<RunKnob, "step" | "turn">>(knobs: readonly Placed[]): (Placed & { step: number })[] {
  return knobs.filter((knob): knob is Placed & { step: number } => knob.step !== null).sort((a, b) => a.step - b.step);
}

/** Whether a node is the one at this path, or inside it; null means anywhere. */
export function isAt(node: string, at: string | null): boolean {
  return at === null || node === at || node.startsWith(`${at}/`);
}
