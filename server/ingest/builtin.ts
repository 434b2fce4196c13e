import { births } from "./births.ts";
import { cars } from "./cars.ts";
import { emoji } from "./emoji.ts";
import { firstNames } from "./firstNames.ts";
import { mails } from "./mails.ts";
import { mnist } from "./mnist.ts";
import { mobyDick, mobyDickParts } from "./mobyDick.ts";
import { penguins } from "./penguins.ts";
import { blobs, circles, moons, spiral, xor } from "./playground.ts";
import { shapes } from "./shapes.ts";
import type { BuiltinDataset } from "./source.ts";

/** The data sets that every organization finds at first start. Nothing is read before `prepare`. */
export const builtinDatasets: readonly BuiltinDataset[] = [
  mnist,
  penguins,
  cars,
  firstNames,
  mails,
  mobyDick,
  mobyDickParts,
  births,
  shapes,
  emoji,
  moons,
  circles,
  spiral,
  xor,
  blobs,
];

export function findBuiltinDataset(id: string): BuiltinDataset | undefined {
  return builtinDatasets.find((dataset) => dataset.id === id);
}
