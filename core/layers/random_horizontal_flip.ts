import { defineFlip } from "./random_flip.ts";

export const randomHorizontalFlip = defineFlip({
  type: "random_horizontal_flip",
  title: "RandomHorizontalFlip",
  how: "left to right",
  axis: -1,
  when: "On photographs, where left and right are alike. Not on digits or letters, which mean something else mirrored.",
});
