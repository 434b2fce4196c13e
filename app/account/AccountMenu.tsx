"use client";

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleUserRound } from "lucide-react";
import { useRouter } from "next/navigation";
import { say } from "../../core/language/say.ts";
import { IconButton } from "../ui/Button.tsx";
import { Menu, type MenuItem } from "../ui/Menu.tsx";
import { notify } from "../ui/Notices.tsx";
import { useTRPC } from "../ui/trpc.ts";
import { goInside } from "./Door.tsx";

/** Who one is, where one is, and the way to both; at the right of every page. */
export function AccountMenu() {
  const trpc = useTRPC();
  const router = useRouter();
  const queries = useQueryClient();
  const me = useQuery(trpc.account.me.queryOptions(undefined, { staleTime: 60_000 }));
  const fail = (error: { message: string }) => notify(error.message, { tone: "bad" });
  const enter = useMutation(trpc.account.enter.mutationOptions({ onSuccess: () => goInside(), onError: fail }));
  const signOut = useMutation(
    trpc.account.signOut.mutationOptions({
      onSuccess: () => {
        queries.clear();
        goInside("/sign-in");
      },
      onError: fail,
    }),
  );
  if (!me.data) return null;
  const { name, email, organizations, isOperator } = me.data;
  const items: MenuItem[] = [
    ...(organizations.length > 1
      ? [
          {
            label: say("Organizations"),
            items: organizations.map(({ id, name, isCurrent }) => ({ label: name, checked: isCurrent, run: () => (isCurrent ? undefined : enter.mutate({ orgId: id })) })),
          },
          "rule" as const,
        ]
      : []),
    ...(email === null
      ? [{ label: say("Make an account"), run: () => router.push("/sign-up") }]
      : [{ label: say("Account of {name}", { name }), run: () => router.push("/account") }]),
    { label: say("Organization"), run: () => router.push("/organization") },
    ...(isOperator ? [{ label: say("Installation"), run: () => router.push("/admin") }] : []),
    ...(email === null ? [] : ["rule" as const, { label: say("Sign out"), run: () => signOut.mutate() }]),
  ];
  return (
    <Menu align="end" items={items}>
      <IconButton label={say("Account")} title={email ?? say("No account yet")}>
        <CircleUserRound size={16} />
      </IconButton>
    </Menu>
  );
}
