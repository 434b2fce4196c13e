import { defineAdaptivePooling } from "./adaptive_pooling.ts";

export const adaptiveAvgPool3d = defineAdaptivePooling("avg", 3);
