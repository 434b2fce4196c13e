import { defineMaxPooling } from "./pooling.ts";

export const maxPool1d = defineMaxPooling(1);
