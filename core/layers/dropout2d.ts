import { defineChannelDropout } from "./dropping.ts";

export const dropout2d = defineChannelDropout(2);
