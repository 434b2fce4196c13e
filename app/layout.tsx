import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { languageCode, say } from "../core/language/say.ts";
import "@fontsource-variable/inter";
import "@fontsource-variable/jetbrains-mono";
import "./global.css";
import { languageScript } from "./ui/languageScript.ts";
import { Providers } from "./ui/Providers.tsx";
import { themeScript } from "./ui/themeScript.ts";

export const metadata: Metadata = {
  title: { default: "Tensorloom", template: "%s · Tensorloom" },
  description: say("Draw neural networks as graphs, train them on libtorch, watch the run live, leave with ONNX."),
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#fdfdfb" },
    { media: "(prefers-color-scheme: dark)", color: "#1a1b19" },
  ],
};

export default async function Layout({ children }: { children: ReactNode }) {
  // The server allows inline scripts only with this answer's own nonce; asking for it also keeps pages from being prerendered without one.
  const nonce = (await headers()).get("x-nonce") ?? undefined;
  const language = languageScript();
  return (
    // The theme script writes `data-theme` before React wakes up; that difference is wanted.
    <html lang={languageCode()} suppressHydrationWarning>
      <head>
        <script nonce={nonce} dangerouslySetInnerHTML={{ __html: themeScript }} />
        {language && <script nonce={nonce} dangerouslySetInnerHTML={{ __html: language }} />}
      </head>
      <body>
        <Providers>{children}</Providers>
      </body>
    </html>
  );
}
