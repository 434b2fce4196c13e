"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { Button } from "../ui/Button.tsx";
import { notify } from "../ui/Notices.tsx";
import { useTRPC } from "../ui/trpc.ts";

/** Makes a model whose input fits this data set, and opens it. */
export function NewModel({ datasetId }: { datasetId: string }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const create = useMutation(
    trpc.models.create.mutationOptions({
      onSuccess: ({ id }) => {
        void queryClient.invalidateQueries(trpc.projects.list.queryFilter());
        router.push(`/models/${id}`);
      },
      onError: (error) => notify(`The model could not be made. ${error.message}`, { tone: "bad" }),
    }),
  );
  return (
    <Button kind="primary" disabled={create.isPending} onClick={() => create.mutate({ datasetId })}>
      Build a model on it
    </Button>
  );
}
