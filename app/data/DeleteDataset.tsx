"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useState } from "react";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";
import { Confirm } from "../ui/Dialog.tsx";
import { notify } from "../ui/Notices.tsx";
import { useTRPC } from "../ui/trpc.ts";

/** Removes a data set of one's own; where runs hold it, says which. */
export function DeleteDataset({ dataset }: { dataset: { id: string; name: string } }) {
  const trpc = useTRPC();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const remove = useMutation(
    trpc.datasets.delete.mutationOptions({
      onSuccess: () => {
        void queryClient.invalidateQueries(trpc.datasets.list.queryFilter());
        notify(say("{name} is deleted.", { name: dataset.name }));
        router.push("/data");
      },
      onError: (error) => notify(error.message, { tone: "bad" }),
    }),
  );
  return (
    <>
      <Button kind="danger" disabled={remove.isPending} onClick={() => setAsking(true)}>
        {say("Delete")}
      </Button>
      <Confirm
        title={say("Delete {name}?", { name: dataset.name })}
        text={say("Its samples are gone then; a data set that runs have learned from stays. This cannot be undone.")}
        action={say("Delete")}
        open={asking}
        onOpen={setAsking}
        onConfirm={() => remove.mutate({ datasetId: dataset.id })}
      />
    </>
  );
}
