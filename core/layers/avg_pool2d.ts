import { defineAvgPooling } from "./pooling.ts";

export const avgPool2d = defineAvgPooling(2);
