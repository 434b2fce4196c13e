/** Colours that people with any kind of colour vision tell apart (after Okabe and Ito), in a light and a dark page. */
const COLOURS: readonly (readonly [light: string, dark: string])[] = [
  ["#2f6fb0", "#74aee6"],
  ["#c2671f", "#eda062"],
  ["#0f8a6d", "#4fc8a4"],
  ["#a8327a", "#e58ac4"],
  ["#7a6a00", "#d8c84e"],
  ["#1d97b8", "#6fd3ec"],
  ["#5b4bb0", "#a99df0"],
  ["#9b3327", "#ef8a80"],
];
const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 3], [8, 3, 2, 3]];

/** How the n-th of several runs is drawn: the same everywhere on a page. Beyond 32 runs looks come again; pointing at a curve tells them apart. */
export function lookOf(index: number): { colour: string; dash: readonly number[] } {
  const [light, dark] = COLOURS[index % COLOURS.length] ?? ["#2f6fb0", "#74aee6"];
  return { colour: `light-dark(${light}, ${dark})`, dash: DASHES[Math.floor(index / COLOURS.length) % DASHES.length] ?? [] };
}
