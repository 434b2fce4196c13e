"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import { Tooltip } from "radix-ui";
import { type ReactNode, useState } from "react";
import { Endings } from "../dashboard/Endings.tsx";
import { Notices } from "./Notices.tsx";
import { makeClient, makeQueryClient, TRPCProvider } from "./trpc.ts";

/** Everything that pages expect around them: the server's client, its cache, tooltips and notices. */
export function Providers({ children }: { children: ReactNode }) {
  const [queryClient] = useState(makeQueryClient);
  const [client] = useState(makeClient);
  return (
    <QueryClientProvider client={queryClient}>
      <TRPCProvider queryClient={queryClient} trpcClient={client}>
        <Tooltip.Provider delayDuration={400} skipDelayDuration={200}>
          {children}
          <Notices />
          <Endings />
        </Tooltip.Provider>
      </TRPCProvider>
    </QueryClientProvider>
  );
}
