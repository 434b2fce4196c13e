import { defineChannelDropout } from "./dropping.ts";

export const dropout1d = defineChannelDropout(1);
