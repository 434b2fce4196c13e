import { defineAvgPooling } from "./pooling.ts";

export const avgPool1d = defineAvgPooling(1);
