import { defineAdaptivePooling } from "./adaptive_pooling.ts";

export const adaptiveAvgPool2d = defineAdaptivePooling("avg", 2);
