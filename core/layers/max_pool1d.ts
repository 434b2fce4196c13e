import { definePooling } from "./pooling.ts";

export const maxPool1d = definePooling("max", 1);
