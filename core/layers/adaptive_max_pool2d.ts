import { defineAdaptivePooling } from "./adaptive_pooling.ts";

export const adaptiveMaxPool2d = defineAdaptivePooling("max", 2);
