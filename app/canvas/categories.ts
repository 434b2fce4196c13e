import { CATEGORIES, type Category } from "../../core/layers/kit.ts";

/** What a palette section is called, in the palette's order. */
const titles: Record<Category, string> = {
  io: "Input and output",
  convolution: "Convolution",
  linear: "Linear",
  activation: "Activation",
  normalization: "Normalization",
  pooling: "Pooling",
  sequence: "Sequence",
  attention: "Attention",
  shape: "Shape",
  math: "Math",
  regularization: "Regularization",
  augmentation: "Augmentation",
  control: "Control flow",
  block: "Blocks",
};

export const sections = CATEGORIES.map((category) => ({ category, title: titles[category] }));

/** The category's colour; a node of an unknown type has none of its own. */
export function categoryColor(category: Category | null): string {
  return category ? `var(--category-${category})` : "var(--line2)";
}
