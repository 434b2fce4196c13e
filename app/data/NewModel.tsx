"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { say } from "../../core/language/say.ts";
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
      onError: (error) => notify(say("The model could not be made. {message}", { message: error.message }), { tone: "bad" }),
    }),
  );
  return (
    <Button kind="primary" disabled={create.isPending} onClick={() => create.mutate({ datasetId })}>
      {say("Build a model on it")}
    </Button>
  );
}
