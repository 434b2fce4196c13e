import { defineAvgPooling } from "./pooling.ts";

export const avgPool3d = defineAvgPooling(3);
