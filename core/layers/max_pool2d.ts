import { defineMaxPooling } from "./pooling.ts";

export const maxPool2d = defineMaxPooling(2);
