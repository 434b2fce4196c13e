"use client";

import { ReactFlowProvider } from "@xyflow/react";
import { Layers, Share2, SlidersHorizontal, SquareDashedMousePointer, X } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import type { NodePath } from "../../core/graph/path.ts";
import { useMayChange } from "../account/useRole.ts";
import { Badge } from "../ui/Badge.tsx";
import { Button, IconButton } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { notify } from "../ui/Notices.tsx";
import { Segments } from "../ui/Segments.tsx";
import { Tip } from "../ui/Tip.tsx";
import { TopBar } from "../ui/TopBar.tsx";
import { Canvas } from "./Canvas.tsx";
import { Drawer } from "./Drawer.tsx";
import { isMac, printKeys } from "./keys.ts";
import { ModelName } from "./ModelName.tsx";
import { Opening } from "./Opening.tsx";
import { Outline } from "./Outline.tsx";
import { Palette } from "./Palette.tsx";
import { PeopleHere } from "./People.tsx";
import { SaveBadge } from "./SaveBadge.tsx";
import { showNode } from "./showNode.ts";
import { useTrain } from "./train/useTrain.ts";
import { type OpenedModel, saveNow, useDocument } from "./useAutosave.ts";
import { setReadOnly } from "./useGraph.ts";
import { useShortcuts } from "./useShortcuts.ts";
import { useStudio } from "./useStudio.ts";

/** What a key brings up must be there when the next key comes, so these are fetched once nothing else is to be done. */
const soon = [() => import("./QuickAdd.tsx"), () => import("./CommandPalette.tsx"), () => import("./KeySheet.tsx"), () => import("./help/HelpCard.tsx")];

const CommandPalette = lazy(() => import("./CommandPalette.tsx"));
const CompareBar = lazy(() => import("./CompareBar.tsx"));
const Inspector = lazy(() => import("./Inspector.tsx"));
const KeySheet = lazy(() => import("./KeySheet.tsx"));
const QuickAdd = lazy(() => import("./QuickAdd.tsx"));
const ShareDialog = lazy(() => import("../shared/ShareDialog.tsx"));
const TrainPanel = lazy(() => import("./train/TrainPanel.tsx"));
const Versions = lazy(() => import("./Versions.tsx"));

/** The Build room: a model's drawing with everything around it. `show`: the node that it opens at. What is not seen at once is loaded when it is. */
export default function Studio({ opened, show }: { opened: OpenedModel; show: NodePath | null }) {
  const shared = useDocument(opened.id);
  if (shared.isOpen) return <Open opened={opened} show={show} />;
  return <Opening modelId={opened.id} error={shared.error} onRetry={() => location.reload()} />;
}

function Open({ opened, show }: { opened: OpenedModel; show: NodePath | null }) {
  // Later answers of the same query must not replace what is being edited.
  const [model] = useState(opened);
  const mayChange = useMayChange();
  const [sharing, setSharing] = useState(false);
  useEffect(() => setReadOnly(!mayChange), [mayChange]);
  useEffect(() => {
    const timer = setTimeout(() => soon.forEach((load) => void load()), 1000);
    return () => clearTimeout(timer);
  }, []);
  useShortcuts();
  const training = useTrain(model);
  const panel = useStudio((s) => s.panel);
  const tab = useStudio((s) => s.tab);
  const sheet = useStudio((s) => s.sheet);
  const { train, whyNot } = training;
  const asking = useStudio((s) => s.asking !== null);
  const versionsShown = useStudio((s) => s.versionsShown);
  const adding = useStudio((s) => s.quickAdd !== null);
  const comparing = useStudio((s) => s.compare !== null);
  const keysShown = useStudio((s) => s.keysShown);
  // Said before anything shows it; the title and the name's field change it later.
  useState(() => useStudio.setState({ name: opened.name }));

  useEffect(() => {
    useStudio.setState({
      actions: {
        save: async () => {
          const saved = await saveNow();
          notify(saved ? "Saved. Every edit is saved by itself a moment after it is made." : "Not saved yet; your work is kept in this browser.");
          return saved;
        },
        train: mayChange ? train : async () => notify("You may look at this model. Ask an admin for the role member to train it."),
      },
    });
  }, [train, mayChange]);
  const name = useStudio((s) => s.name);
  useEffect(() => {
    document.title = `${name} · Tensorloom`;
  }, [name]);
  useEffect(() => {
    useStudio.setState({
      panel: "inspect",
      tab: "node",
      sheet: null,
      problemAt: null,
      helpAt: null,
      renaming: null,
      quickAdd: null,
      asking: null,
      versionsShown: false,
      compare: null,
      keysShown: false,
      drawer: matchMedia("(min-width: 1024px)").matches,
    });
    return () => useStudio.setState({ actions: null });
  }, []);
  useEffect(() => {
    if (show === null) return;
    if (!showNode(show)) notify("That node is no longer in the drawing.");
    // Said once: a reload stays where the person has gone since.
    history.replaceState(history.state, "", location.pathname);
  }, [show]);

  return (
    <ReactFlowProvider>
      <div className="flex h-dvh flex-col overflow-hidden">
        <TopBar
          place={[{ label: model.project.name, href: "/" }, { label: <ModelName modelId={model.id} /> }]}
          status={<SaveBadge />}
          modelId={model.id}
          room="build"
          actions={
            <>
              <PeopleHere />
              {mayChange && (
                <IconButton label="Share by link" className="max-lg:hidden" onClick={() => setSharing(true)}>
                  <Share2 size={15} />
                </IconButton>
              )}
              <Suspense>{sharing && <ShareDialog of={{ modelId: model.id }} open={sharing} onOpen={setSharing} />}</Suspense>
              {mayChange && (
                <Tip text="Data, optimizer, schedule, length">
                  <IconButton
                    label="Settings"
                    className="max-lg:hidden"
                    aria-pressed={panel === "train"}
                    onClick={() => useStudio.setState({ panel: panel === "train" ? "inspect" : "train" })}
                  >
                    <SlidersHorizontal size={15} />
                  </IconButton>
                </Tip>
              )}
              {mayChange ? (
                <Tip text={whyNot}>
                  <Button kind="primary" aria-disabled={whyNot !== null} shortcut={printKeys("Mod+Enter", isMac())} onClick={() => void train()}>
                    {training.starting ? "Starting" : "Train"}
                  </Button>
                </Tip>
              ) : (
                <Badge>You may look</Badge>
              )}
            </>
          }
        />
        <main className="relative flex min-h-0 flex-1">
          <Side label="Layers" side="left" open={sheet === "palette"} width="lg:w-[232px]">
            <Shelf mayChange={mayChange} />
          </Side>
          <div className="relative min-w-0 flex-1">
            <Canvas />
            <Suspense>
              {adding && <QuickAdd />}
              {comparing && <CompareBar />}
            </Suspense>
            <div className="max-lg:hidden">
              <Drawer dataset={training.dataset} />
            </div>
          </div>
          <Side label="Panel" side="right" open={sheet === "panel"} width={panel === "inspect" && tab === "code" ? "lg:w-[460px]" : "lg:w-[308px]"}>
            <Suspense>
              {panel === "train" ? <TrainPanel modelId={model.id} datasets={training.datasets} cuda={training.cuda} whyNot={whyNot} onTrain={() => void train()} /> : <Inspector />}
            </Suspense>
          </Side>
        </main>
        <nav aria-label="Panels" className={cx("grid shrink-0 border-t border-line bg-panel lg:hidden", mayChange ? "grid-cols-3" : "grid-cols-2")}>
          <SheetButton
            label={mayChange ? "Layers" : "Outline"}
            icon={<Layers size={16} />}
            active={sheet === "palette"}
            onClick={() => useStudio.setState({ sheet: sheet === "palette" ? null : "palette" })}
          />
          <SheetButton
            label="Inspect"
            icon={<SquareDashedMousePointer size={16} />}
            active={sheet === "panel" && panel === "inspect"}
            onClick={() => useStudio.setState({ panel: "inspect", sheet: sheet === "panel" && panel === "inspect" ? null : "panel" })}
          />
          {mayChange && (
            <SheetButton
              label="Settings"
              icon={<SlidersHorizontal size={16} />}
              active={sheet === "panel" && panel === "train"}
              onClick={() => useStudio.setState({ panel: "train", sheet: sheet === "panel" && panel === "train" ? null : "panel" })}
            />
          )}
        </nav>
        <Suspense>
          {keysShown && <KeySheet />}
          {asking && <CommandPalette />}
          {versionsShown && <Versions modelId={model.id} />}
        </Suspense>
      </div>
    </ReactFlowProvider>
  );
}

/** What stands at the left: layers to add, or what is there already as a tree. */
function Shelf({ mayChange }: { mayChange: boolean }) {
  const chosen = useStudio((s) => s.shelf);
  // There is nothing to add for who may only look.
  const shelf = mayChange ? chosen : "outline";
  return (
    <div className="flex h-full min-h-0 flex-col">
      <div className="px-2.5 pt-2.5 max-lg:pr-11">
        <Segments
          label="At the left"
          options={[...(mayChange ? [{ id: "layers" as const, title: "Layers" }] : []), { id: "outline", title: "Outline" }]}
          value={shelf}
          onValue={(next) => useStudio.setState({ shelf: next })}
        />
      </div>
      <div className="flex min-h-0 flex-1 flex-col">{shelf === "layers" ? <Palette /> : <Outline />}</div>
    </div>
  );
}

/** A panel beside the canvas; on narrow screens a sheet over its lower half. */
function Side({ label, side, open, width, children }: { label: string; side: "left" | "right"; open: boolean; width: string; children: ReactNode }) {
  return (
    <aside
      aria-label={label}
      className={cx(
        "shrink-0 border-line bg-panel",
        width,
        side === "left" ? "lg:border-r" : "lg:border-l",
        "max-lg:absolute max-lg:inset-x-0 max-lg:bottom-0 max-lg:z-20 max-lg:h-[62%] max-lg:rounded-t-xl max-lg:border-t max-lg:shadow-float",
        !open && "max-lg:hidden",
      )}
    >
      <IconButton label={`Close ${label.toLowerCase()}`} className="absolute top-1.5 right-2 z-10 lg:hidden" onClick={() => useStudio.setState({ sheet: null })}>
        <X size={16} />
      </IconButton>
      {children}
    </aside>
  );
}

function SheetButton({ label, icon, active, onClick }: { label: string; icon: ReactNode; active: boolean; onClick: () => void }) {
  return (
    <button
      type="button"
      aria-pressed={active}
      onClick={onClick}
      className={cx("flex h-12 flex-col items-center justify-center gap-0.5 text-xs", active ? "text-accent" : "text-ink2")}
    >
      {icon}
      {label}
    </button>
  );
}
