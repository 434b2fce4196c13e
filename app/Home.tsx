"use client";

import { TopBar } from "./ui/TopBar.tsx";

export function Home() {
  return <TopBar place={[{ label: "Tensorloom" }]} />;
}
