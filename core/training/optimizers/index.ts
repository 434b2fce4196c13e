import { adadelta } from "./adadelta.ts";
import { adagrad } from "./adagrad.ts";
import { adam } from "./adam.ts";
import { adamax } from "./adamax.ts";
import { adamW } from "./adamW.ts";
import type { Optimizer } from "./kit.ts";
import { lbfgs } from "./lbfgs.ts";
import { lion } from "./lion.ts";
import { nadam } from "./nadam.ts";
import { radam } from "./radam.ts";
import { rmsprop } from "./rmsprop.ts";
import { sgd } from "./sgd.ts";

const all = [adamW, adam, sgd, rmsprop, adagrad, nadam, radam, adamax, adadelta, lion, lbfgs] as const;

export type OptimizerName = (typeof all)[number]["name"];

/** The optimizers, in the order offered. */
export const optimizers = all as readonly unknown[] as readonly Optimizer<OptimizerName>[];

export function findOptimizer(name: OptimizerName): Optimizer<OptimizerName> {
  const found = optimizers.find((optimizer) => optimizer.name === name);
  if (!found) throw new Error(`There is no optimizer record for ${name}.`);
  return found;
}
