import type { NodePath } from "../graph/path.ts";
import type { Arg, Block, Op, Program } from "../program/program.ts";

/** The program with these nodes as they are in training, and all others as after it: so one sees what an augmentation does without training. */
export function inTraining(program: Program, nodes: ReadonlySet<NodePath>): Program {
  let values = 1 + Math.max(-1, ...program.inputs.map(({ value }) => value), ...program.weights.map(({ value }) => value), ...program.ops.map(highest));
  const turn = (op: Op): Op[] => {
    const own = nodes.has(op.node);
    if (!("blocks" in op)) return [own ? { ...op, args: op.args.map((arg) => (typeof arg === "object" && arg !== null && "flag" in arg ? true : arg)) } : op];
    // As many blocks as before, so the same kind of operator.
    const turned = { ...op, blocks: op.blocks.map(inside) } as Exclude<Op, { args: Arg[] }>;
    if (!own || !("cond" in turned) || typeof turned.cond === "number") return [turned];
    const cond = values++;
    return [
      { op: "aten::ones", args: [{ ints: [1] }, "bool"], out: [cond], node: op.node },
      { ...turned, cond },
    ];
  };
  const inside = (block: Block): Block => ({ ...block, ops: block.ops.flatMap(turn) });
  return { ...program, ops: program.ops.flatMap(turn) };
}

function highest(op: Op): number {
  const blocks: readonly Block[] = "blocks" in op ? op.blocks : [];
  return Math.max(-1, ...op.out, ...blocks.flatMap(({ inputs, ops }) => [...inputs, ...ops.map(highest)]));
}
