"use client";

import { ReactFlowProvider } from "@xyflow/react";
import { Layers, Share2, SlidersHorizontal, SquareDashedMousePointer, X } from "lucide-react";
import { Activity, lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import type { NodePath } from "../../core/graph/path.ts";
import { say } from "../../core/language/say.ts";
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
const loadInspector = () => import("./Inspector.tsx");
const Inspector = lazy(loadInspector);
const KeySheet = lazy(() => import("./KeySheet.tsx"));
const QuickAdd = lazy(() => import("./QuickAdd.tsx"));
const ShareDialog = lazy(() => import("../shared/ShareDialog.tsx"));
const TrainPanel = lazy(() => import("./train/TrainPanel.tsx"));
const Versions = lazy(() => import("./Versions.tsx"));

// It stands beside the drawing from the first moment on.
if (typeof window !== "undefined") void loadInspector();

/** The Build room: a model's drawing with everything around it. `show`: the node that it opens at. What is not seen at once is loaded when it is. */
export default function Studio({ modelId, model, show }: { modelId: string; model: OpenedModel | null; show: NodePath | null }) {
  const { isOpen, error } = useDocument(modelId);
  return (
    <>
      {(!isOpen || !model) && <Opening modelId={modelId} error={error} onRetry={() => location.reload()} />}
      {/* All but the drawing is made ready, unseen, while the document is on its way. */}
      {model && error === null && (
        <Activity mode={isOpen ? "visible" : "hidden"}>
          <Open opened={model} isOpen={isOpen} show={show} />
        </Activity>
      )}
    </>
  );
}

function Open({ opened, isOpen, show }: { opened: OpenedModel; isOpen: boolean; show: NodePath | null }) {
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
          notify(saved ? say("Saved. Every edit is saved by itself a moment after it is made.") : say("Not saved yet; your work is kept in this browser."));
          return saved;
        },
        train: mayChange ? train : async () => notify(say("You may look at this model. Ask an admin for the role member to train it.")),
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
      several: false,
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
    if (!showNode(show)) notify(say("That node is no longer in the drawing."));
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
                <IconButton label={say("Share by link")} className="max-lg:hidden" onClick={() => setSharing(true)}>
                  <Share2 size={15} />
                </IconButton>
              )}
              <Suspense>{sharing && <ShareDialog of={{ modelId: model.id }} open={sharing} onOpen={setSharing} />}</Suspense>
              {mayChange && (
                <Tip text={say("Data, optimizer, schedule, length")}>
                  <IconButton
                    label={say("Settings")}
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
                    {training.starting ? say("Starting") : say("Train")}
                  </Button>
                </Tip>
              ) : (
                <Badge>{say("You may look")}</Badge>
              )}
            </>
          }
        />
        <main className="relative flex min-h-0 flex-1">
          <Side label={say("Layers")} side="left" open={sheet === "palette"} width="lg:w-[232px]">
            <Shelf mayChange={mayChange} />
          </Side>
          <div className="relative min-w-0 flex-1">
            {isOpen && <Canvas />}
            <Suspense>
              {adding && <QuickAdd />}
              {comparing && <CompareBar />}
            </Suspense>
            <div className="max-lg:hidden">{isOpen && <Drawer dataset={training.dataset} />}</div>
          </div>
          <Side
            label={say("Panel")}
            side="right"
            open={sheet === "panel"}
            isTall={panel === "train"}
            width={panel === "inspect" && tab === "code" ? "lg:w-[460px]" : "lg:w-[308px]"}
          >
            <Suspense>
              {isOpen &&
                (panel === "train" ? (
                  <TrainPanel modelId={model.id} datasets={training.datasets} cuda={training.cuda} whyNot={whyNot} onTrain={() => void train()} />
                ) : (
                  <Inspector />
                ))}
            </Suspense>
          </Side>
        </main>
        <nav aria-label={say("Panels")} className={cx("grid shrink-0 border-t border-line bg-panel lg:hidden", mayChange ? "grid-cols-3" : "grid-cols-2")}>
          <SheetButton
            label={mayChange ? say("Layers") : say("Outline")}
            icon={<Layers size={16} />}
            active={sheet === "palette"}
            onClick={() => useStudio.setState({ sheet: sheet === "palette" ? null : "palette" })}
          />
          <SheetButton
            label={say("Inspect")}
            icon={<SquareDashedMousePointer size={16} />}
            active={sheet === "panel" && panel === "inspect"}
            onClick={() => useStudio.setState({ panel: "inspect", sheet: sheet === "panel" && panel === "inspect" ? null : "panel" })}
          />
          {mayChange && (
            <SheetButton
              label={say("Settings")}
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
          label={say("At the left")}
          options={[...(mayChange ? [{ id: "layers" as const, title: say("Layers") }] : []), { id: "outline", title: say("Outline") }]}
          value={shelf}
          onValue={(next) => useStudio.setState({ shelf: next })}
        />
      </div>
      <div className="flex min-h-0 flex-1 flex-col">{shelf === "layers" ? <Palette /> : <Outline />}</div>
    </div>
  );
}

/** A panel beside the canvas; on narrow screens a sheet over its lower half, or over most of it. */
function Side({ label, side, open, width, isTall, children }: { label: string; side: "left" | "right"; open: boolean; width: string; isTall?: boolean; children: ReactNode }) {
  return (
    <aside
      aria-label={label}
      className={cx(
        "shrink-0 border-line bg-panel",
        width,
        side === "left" ? "lg:border-r" : "lg:border-l",
        "max-lg:absolute max-lg:inset-x-0 max-lg:bottom-0 max-lg:z-20 max-lg:rounded-t-xl max-lg:border-t max-lg:shadow-float",
        isTall ? "max-lg:h-[86%]" : "max-lg:h-[62%]",
        !open && "max-lg:hidden",
      )}
    >
      <IconButton
        label={say("Close {label}", { label: label.toLowerCase() })}
        className="absolute top-1.5 right-2 z-10 lg:hidden"
        onClick={() => useStudio.setState({ sheet: null })}
      >
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
      className={cx("flex h-12 flex-col items-center justify-center gap-0.5 text-xs focus-visible:-outline-offset-2", active ? "text-accent" : "text-ink2")}
    >
      {icon}
      {label}
    </button>
  );
}
