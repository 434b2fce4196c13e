import { expect, it } from "vitest";
import { matchesKeys, printKeys } from "../../../app/canvas/keys.ts";

const press = (key: string, ...held: ("ctrlKey" | "metaKey" | "shiftKey" | "altKey")[]) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  shiftKey: false,
  altKey: false,
  ...Object.fromEntries(held.map((h) => [h, true])),
});

it("Mod is Ctrl here and ⌘ on a Mac, and never both", () => {
  expect(matchesKeys(press("z", "ctrlKey"), "Mod+Z", false)).toBe(true);
  expect(matchesKeys(press("z", "metaKey"), "Mod+Z", true)).toBe(true);
  expect(matchesKeys(press("z", "ctrlKey"), "Mod+Z", true)).toBe(false);
  expect(matchesKeys(press("Z", "ctrlKey", "shiftKey"), "Mod+Z", false)).toBe(false);
  expect(matchesKeys(press("Z", "ctrlKey", "shiftKey"), "Mod+Shift+Z", false)).toBe(true);
});

it("a sign is the sign, however the keyboard makes it", () => {
  expect(matchesKeys(press("?", "shiftKey"), "?", false)).toBe(true);
  expect(matchesKeys(press("/"), "/", false)).toBe(true);
  expect(matchesKeys(press("/", "shiftKey"), "/", false)).toBe(true);
  expect(matchesKeys(press("+", "shiftKey"), "+", false)).toBe(true);
});

it("named keys mind their modifiers", () => {
  expect(matchesKeys(press("ArrowUp", "shiftKey"), "ArrowUp", false)).toBe(false);
  expect(matchesKeys(press("ArrowUp", "shiftKey"), "Shift+ArrowUp", false)).toBe(true);
});

it("combinations are drawn as each system draws them", () => {
  expect(printKeys("Mod+Shift+Z", false)).toBe("Ctrl+Shift+Z");
  expect(printKeys("Mod+Shift+Z", true)).toBe("⌘⇧Z");
  expect(printKeys("+", false)).toBe("+");
});
