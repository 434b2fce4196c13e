"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { Fragment, type ReactNode } from "react";
import { say } from "../../core/language/say.ts";
import { AccountMenu } from "../account/AccountMenu.tsx";
import { IconButton } from "./Button.tsx";
import { cx } from "./cx.ts";
import { Logo } from "./Logo.tsx";
import { Menu } from "./Menu.tsx";
import { setTheme, useTheme } from "./theme.ts";

/** One step of the way to where one is; the last is the place itself and may be any content (a rename field). */
type Crumb = { label: ReactNode; href?: string };

export type Room = "data" | "build" | "runs" | "ship";
const ROOMS: { id: Room; title: string; path: string }[] = [
  { id: "data", title: say("Data"), path: "/data" },
  { id: "build", title: say("Build"), path: "" },
  { id: "runs", title: say("Runs"), path: "/runs" },
  { id: "ship", title: say("Ship"), path: "/ship" },
];

/** Where one can go outside of any model. */
const PLACES = [
  { title: say("Models"), href: "/" },
  { title: say("Data"), href: "/data" },
  { title: say("Runs"), href: "/runs" },
  { title: say("Layers"), href: "/layers" },
  { title: say("Fine-tune"), href: "/finetune" },
];

/**
 * The head of every page: the place at the left, the four rooms of a model in the middle, what can be done here at the right.
 * Outside of a model the workspace's own places stand there.
 */
export function TopBar({ place, status, modelId, room, actions }: { place: Crumb[]; status?: ReactNode; modelId?: string; room?: Room; actions?: ReactNode }) {
  const pathname = usePathname();
  return (
    <header className="sticky top-0 z-30 grid shrink-0 grid-cols-[minmax(0,1fr)_auto] items-center gap-x-3 border-b border-line bg-panel px-3.5 md:h-12 md:grid-cols-[minmax(0,1fr)_auto_minmax(0,1fr)]">
      <div className="flex h-12 min-w-0 items-center gap-3">
        <Link href="/" aria-label={say("Tensorloom home")} className="rounded-sm text-ink">
          <Logo />
        </Link>
        <nav aria-label={say("Place")} className="flex min-w-0 items-center gap-1.5">
          {place.map((crumb, index) => {
            const last = index === place.length - 1;
            return (
              <Fragment key={index}>
                {index > 0 && (
                  <span aria-hidden className={cx("text-ink3", !last && "max-lg:hidden", last && "max-lg:hidden")}>
                    /
                  </span>
                )}
                <span
                  // A long name on the way leaves the place itself its words.
                  className={cx(
                    "min-w-0 truncate",
                    last ? "font-semibold text-ink" : "shrink text-ink2 max-lg:hidden",
                    last && typeof crumb.label === "string" && "lg:max-w-80 lg:shrink-0",
                  )}
                  aria-current={last ? "page" : undefined}
                >
                  {crumb.href && !last ? (
                    <Link href={crumb.href} className="hover:text-ink hover:underline">
                      {crumb.label}
                    </Link>
                  ) : (
                    crumb.label
                  )}
                </span>
              </Fragment>
            );
          })}
        </nav>
        {status}
      </div>
      <nav aria-label={modelId ? say("Rooms") : say("Workspace")} className="order-3 col-span-2 flex justify-center pb-2 md:order-none md:col-span-1 md:pb-0">
        <ul className="flex w-full gap-px rounded-lg border border-line bg-bg p-[2px] md:w-auto">
          {modelId
            ? ROOMS.map(({ id, title, path }) => <Place key={id} title={title} href={`/models/${modelId}${path}`} here={id === room} />)
            : PLACES.map(({ title, href }) => <Place key={href} title={title} href={href} here={href === "/" ? pathname === "/" : pathname.startsWith(href)} />)}
        </ul>
      </nav>
      <div className="flex h-12 items-center justify-end gap-2">
        <ThemeMenu />
        {actions}
        <AccountMenu />
      </div>
    </header>
  );
}

function Place({ title, href, here }: { title: string; href: string; here: boolean }) {
  return (
    <li className="flex-1">
      <Link
        href={href}
        aria-current={here ? "page" : undefined}
        className={cx(
          "flex h-[26px] items-center justify-center rounded-md px-2 whitespace-nowrap sm:px-3.5",
          here ? "bg-raise font-semibold text-ink" : "text-ink2 hover:text-ink",
        )}
      >
        {title}
      </Link>
    </li>
  );
}

function ThemeMenu() {
  const theme = useTheme();
  const Icon = theme === "dark" ? Moon : theme === "light" ? Sun : Monitor;
  return (
    <Menu
      align="end"
      items={[
        { label: say("Like the system"), checked: theme === "system", run: () => setTheme("system") },
        { label: say("Light"), checked: theme === "light", run: () => setTheme("light") },
        { label: say("Dark"), checked: theme === "dark", run: () => setTheme("dark") },
      ]}
    >
      <IconButton label={say("Theme")}>
        <Icon size={15} />
      </IconButton>
    </Menu>
  );
}
