import { QueryCache, QueryClient } from "@tanstack/react-query";
import { createTRPCClient, httpBatchLink, httpSubscriptionLink, splitLink, TRPCClientError } from "@trpc/client";
import type { inferRouterInputs, inferRouterOutputs } from "@trpc/server";
import { createTRPCContext } from "@trpc/tanstack-react-query";
import type { AppRouter } from "../../server/router.ts";

/** What the server answers, by procedure: `Answers["runs"]["get"]`. */
export type Answers = inferRouterOutputs<AppRouter>;
/** What it is asked, by procedure. */
export type Questions = inferRouterInputs<AppRouter>;

export const { TRPCProvider, useTRPC, useTRPCClient } = createTRPCContext<AppRouter>();

const url = "/api/trpc";

/** Pages that are seen without a session. */
const OPEN_PAGES = /^\/(sign-in|sign-up|forgot|join|reset|verify|shared)(\/|$)/;

/** Calls travel together in one request; subscriptions are server-sent events, and resume from the last event id. */
export function makeClient() {
  return createTRPCClient<AppRouter>({
    links: [splitLink({ condition: (op) => op.type === "subscription", true: httpSubscriptionLink({ url }), false: httpBatchLink({ url, maxURLLength: 4000 }) })],
  });
}

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    // A session that has ended ends the page too: it would show what is no longer one's own.
    queryCache: new QueryCache({
      onError: (error) => {
        if (refusalCode(error) === "UNAUTHENTICATED" && !OPEN_PAGES.test(window.location.pathname)) window.location.assign("/sign-in");
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // A refusal stays a refusal; only a lost connection or a server that is restarting is worth another try.
        retry: (failureCount, error) => failureCount < 4 && !isRefusal(error),
        retryDelay: (attempt) => Math.min(400 * 2 ** attempt, 5_000),
      },
    },
  });
}

/** True when the server understood and said no, as opposed to not answering. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TRPCClientError && typeof error.data?.httpStatus === "number" && error.data.httpStatus < 500;
}

/** The stable code of a refusal, such as `GRAPH_CONFLICT`; null for anything else. */
export function refusalCode(error: unknown): string | null {
  return error instanceof TRPCClientError && typeof error.data?.code === "string" ? error.data.code : null;
}
