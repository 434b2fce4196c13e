import { combine } from "./auth/procedure.ts";
import { datasets } from "./routers/datasets.ts";
import { models } from "./routers/models.ts";
import { projects } from "./routers/projects.ts";
import { runs } from "./routers/runs.ts";
import { runViews } from "./routers/runViews.ts";
import { workspace } from "./routers/workspace.ts";

/** Everything that a browser can ask for, by noun. */
export const appRouter = combine({ workspace, projects, models, datasets, runs, runViews });

export type AppRouter = typeof appRouter;
