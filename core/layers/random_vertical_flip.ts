import { defineFlip } from "./random_flip.ts";

export const randomVerticalFlip = defineFlip({
  type: "random_vertical_flip",
  title: "RandomVerticalFlip",
  how: "upside down",
  axis: -2,
  when: "On images from above or through a microscope, which have no up and down. Seldom on photographs.",
});
