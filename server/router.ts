import { combine } from "./auth/procedure.ts";
import { account } from "./routers/account.ts";
import { datasets } from "./routers/datasets.ts";
import { models } from "./routers/models.ts";
import { operatorRouter } from "./routers/operator.ts";
import { organization } from "./routers/organization.ts";
import { preview } from "./routers/preview.ts";
import { projects } from "./routers/projects.ts";
import { runs } from "./routers/runs.ts";
import { runViews } from "./routers/runViews.ts";
import { shares } from "./routers/shares.ts";
import { tuning } from "./routers/tuning.ts";
import { workspace } from "./routers/workspace.ts";

/** Everything that a browser can ask for, by noun. */
export const appRouter = combine({ account, organization, shares, operator: operatorRouter, workspace, projects, models, datasets, runs, runViews, preview, tuning });

export type AppRouter = typeof appRouter;
