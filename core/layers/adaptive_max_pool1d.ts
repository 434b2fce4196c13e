import { defineAdaptivePooling } from "./adaptive_pooling.ts";

export const adaptiveMaxPool1d = defineAdaptivePooling("max", 1);
