import { say } from "../../core/language/say.ts";
import { CATEGORIES, type Category } from "../../core/layers/kit.ts";

/** What a palette section is called, in the palette's order. */
const titles: Record<Category, string> = {
  io: say("Input and output"),
  convolution: say("Convolution"),
  linear: say("Linear"),
  activation: say("Activation"),
  normalization: say("Normalization"),
  pooling: say("Pooling"),
  sequence: say("Sequence"),
  attention: say("Attention"),
  shape: say("Shape"),
  math: say("Math"),
  regularization: say("Regularization"),
  augmentation: say("Augmentation"),
  control: say("Control flow"),
  block: say("Blocks"),
};

export const sections = CATEGORIES.map((category) => ({ category, title: titles[category] }));

/** The category's colour; a node of an unknown type has none of its own. */
export function categoryColor(category: Category | null): string {
  return category ? `var(--category-${category})` : "var(--line2)";
}
