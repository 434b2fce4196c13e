import { defineMaxPooling } from "./pooling.ts";

export const maxPool3d = defineMaxPooling(3);
