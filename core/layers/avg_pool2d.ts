import { definePooling } from "./pooling.ts";

export const avgPool2d = definePooling("avg", 2);
