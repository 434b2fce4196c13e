/**
 * A key combination as commands name it: `Mod+Shift+Z`, `ArrowUp`, `?`. `Mod` is ⌘ on a Mac and Ctrl elsewhere. Signs that need
 * Shift on some keyboards are named by the sign alone.
 */
export type Keys = string;

type Pressed = { key: string; ctrlKey: boolean; metaKey: boolean; shiftKey: boolean; altKey: boolean };

export function matchesKeys(event: Pressed, keys: Keys, mac: boolean): boolean {
  const parts = keys.split("+").filter(Boolean);
  const wanted = keys.endsWith("+") ? "+" : (parts.pop() ?? "");
  const mod = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  const sign = wanted.length === 1 && wanted.toLowerCase() === wanted.toUpperCase();
  const pressed = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return (
    pressed === (wanted.length === 1 ? wanted.toUpperCase() : wanted) &&
    mod === parts.includes("Mod") &&
    !other &&
    event.altKey === parts.includes("Alt") &&
    (sign || event.shiftKey === parts.includes("Shift"))
  );
}

const NAMES: Record<string, string> = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Enter: "⏎", Escape: "Esc", Delete: "Del", Backspace: "⌫" };

/** A combination as it is drawn: `Ctrl+Z`, or `⌘Z` on a Mac. */
export function printKeys(keys: Keys, mac: boolean): string {
  const parts = keys.endsWith("+") ? [...keys.slice(0, -1).split("+").filter(Boolean), "+"] : keys.split("+");
  const signs = parts.map((part) => (part === "Mod" ? (mac ? "⌘" : "Ctrl") : part === "Shift" && mac ? "⇧" : part === "Alt" && mac ? "⌥" : (NAMES[part] ?? part)));
  return signs.join(mac ? "" : "+");
}

/** Whether this machine's main modifier is ⌘. */
export function isMac(): boolean {
  return typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform);
}

/** True where typing belongs to a field, and letters are not commands. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select") || target.closest("[role=menu], [role=dialog]") !== null);
}

/** The combination that was pressed, as commands name it; null while only modifiers are held. */
export function readKeys(event: Pressed, mac: boolean): Keys | null {
  if (["Shift", "Control", "Alt", "Meta", "AltGraph", "CapsLock", "Dead", "Process"].includes(event.key)) return null;
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const sign = key.length === 1 && key.toLowerCase() === key;
  const parts = [(mac ? event.metaKey : event.ctrlKey) && "Mod", event.altKey && "Alt", event.shiftKey && !sign && "Shift", key === " " ? "Space" : key];
  return parts.filter((part) => part !== false).join("+");
}
