import { defineChannelDropout } from "./dropping.ts";

export const dropout3d = defineChannelDropout(3);
