import { AppRouterContext } from "next/dist/shared/lib/app-router-context.shared-runtime.js";
import { PathnameContext, SearchParamsContext } from "next/dist/shared/lib/hooks-client-context.shared-runtime.js";
import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readLanguage } from "../../server/language.ts";

/** Pages in the pseudo-language, where each text of the catalogue stands between ⟦ and ⟧: what stands outside was not said. */
beforeAll(() => {
  // Before any page is imported, as processes and browsers do it: many texts are said while modules are read.
  globalThis.tensorloomLanguage = readLanguage("en-XA");
});
afterAll(() => {
  globalThis.tensorloomLanguage = undefined;
});

/** Our name, and what PyTorch calls the parameters of Conv2d and their values. */
const NAMES = new Set(["Tensorloom", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias", "true", "padding_mode", "zeros"]);

const router = { push() {}, replace() {}, refresh() {}, back() {}, forward() {}, prefetch() {} };

async function draw(page: ReactNode): Promise<string> {
  const { Providers } = await import("../../app/ui/Providers.tsx");
  return renderToStaticMarkup(
    <AppRouterContext.Provider value={router as never}>
      <PathnameContext.Provider value="/">
        <SearchParamsContext.Provider value={new URLSearchParams()}>
          <Providers>{page}</Providers>
        </SearchParamsContext.Provider>
      </PathnameContext.Provider>
    </AppRouterContext.Provider>,
  );
}

/** What is read or heard of a page, without what the catalogue has, and without code and keys. */
function wordsOutside(html: string): string[] {
  let rest = html.replace(/<(style|script|code|kbd|pre)\b[\s\S]*?<\/\1>/g, "");
  // Texts stand in texts, and elements within them: the innermost go first.
  while (/⟦[^⟦⟧]*⟧/.test(rest)) rest = rest.replace(/⟦[^⟦⟧]*⟧/g, "");
  const read = [...rest.matchAll(/(?:aria-label|aria-valuetext|title|placeholder|alt)="([^"]*)"|>([^<]+)/g)].map(([, attribute, text]) => (attribute ?? text ?? "").trim());
  return read.filter((words) => /\p{L}{2}/u.test(words) && !NAMES.has(words));
}

const pages: { [name: string]: () => Promise<ReactNode> } = {
  home: async () => (await import("../../app/page.tsx")).default(),
  "sign in": async () => {
    const { SignIn } = await import("../../app/account/SignIn.tsx");
    return <SignIn problem={null} join={null} />;
  },
  "sign up": async () => {
    const { SignUp } = await import("../../app/account/SignUp.tsx");
    return <SignUp />;
  },
  account: async () => {
    const { AccountPage } = await import("../../app/account/AccountPage.tsx");
    return <AccountPage />;
  },
  organization: async () => {
    const { OrganizationPage } = await import("../../app/organization/OrganizationPage.tsx");
    return <OrganizationPage />;
  },
  runs: async () => {
    const { RunsPage } = await import("../../app/dashboard/RunsPage.tsx");
    return <RunsPage />;
  },
  "palette with all layers": async () => {
    const { Palette } = await import("../../app/canvas/Palette.tsx");
    return <Palette />;
  },
  inspector: async () => {
    const { default: Inspector } = await import("../../app/canvas/Inspector.tsx");
    return <Inspector />;
  },
  layers: async () => (await import("../../app/layers/page.tsx")).default(),
  "a layer's page": async () => (await import("../../app/layers/[type]/page.tsx")).default({ params: Promise.resolve({ type: "conv2d" }) }),
  "not found": async () => (await import("../../app/not-found.tsx")).default(),
};

test.each(Object.keys(pages))("%s says nothing past the catalogue", async (name) => {
  const html = await draw(await pages[name]?.());
  expect(html).toContain("⟦");
  expect(wordsOutside(html)).toEqual([]);
});

test("a word that is not said is found", () => {
  expect(wordsOutside('<p title="⟦Said⟧">⟦Have <b>one</b>? ⟦x⟧⟧ Forgotten</p><input placeholder="Unsaid"/><code>nn</code>')).toEqual(["Forgotten", "Unsaid"]);
});
