import { defineSchedule } from "./kit.ts";

export const constant = defineSchedule({
  name: "constant",
  title: "Constant",
  doc: "The same learning rate throughout.",
  formula: "1",
  when: "To find out what a learning rate does. For a result, one that falls towards the end is better.",
  source: "https://pytorch.org/docs/2.13/optim.html",
  usesWarmup: true,
  params: {},
  factor: () => 1,
});
