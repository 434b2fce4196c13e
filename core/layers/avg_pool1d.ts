import { definePooling } from "./pooling.ts";

export const avgPool1d = definePooling("avg", 1);
