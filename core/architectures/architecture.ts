import type { Graph, Json } from "../graph/document.ts";

/** What may be chosen when an architecture is built. */
type Choice = { label: string; default: number };
export type Choices = { classes?: number; channels?: number };

/**
 * A published network as a graph of our layers. The names and shapes of its weights are those of the original's `state_dict`, so
 * that published weights load by name.
 */
export type Architecture = {
  id: string;
  title: string;
  /** One or two sentences: what it is known for, and when to take it. */
  doc: string;
  task: "Image classification" | "Image segmentation" | "Language model" | "Text encoder";
  /** The code whose names and numbers it follows. */
  source: string;
  /** The licence of that code. */
  licence: string;
  /** One sample, without the batch. */
  input: readonly (number | string)[];
  /** As published, with the default choices; buffers are not counted. */
  parameters: number;
  /** How first weights differ from the original's, which a graph cannot always say. */
  firstWeights: string;
  /** Which choices there are. */
  choices: { classes?: Choice; channels?: Choice };
  build(choices?: Choices): Graph;
};

export const IMAGE_CHOICES = { classes: { label: "Classes", default: 1000 }, channels: { label: "Input channels", default: 3 } };

/** The parameters of an input for images of this size. */
export function imageInput(channels: number, size: number): { [name: string]: Json } {
  return { shape: [channels, size, size] };
}
