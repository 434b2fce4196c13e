import { definePooling } from "./pooling.ts";

export const maxPool2d = definePooling("max", 2);
