import { z } from "zod";
import type { EngineInfo } from "../../native/index.ts";

/** What an agent tells a trainer that waits: train this run, which I claimed for you. */
export const Order = z.strictObject({ runId: z.uuid(), orgId: z.uuid(), token: z.int().min(1) });
export type Order = z.infer<typeof Order>;

/** What a trainer tells its agent: the engine is loaded, give me a run. */
export type Ready = { ready: true; engine: EngineInfo };

/** Names the open file in which a trainer's engine is to say what it is at. */
export const placeVariable = "TRAINER_PLACE_FILE";
