import { defineAdaptivePooling } from "./adaptive_pooling.ts";

export const adaptiveAvgPool1d = defineAdaptivePooling("avg", 1);
