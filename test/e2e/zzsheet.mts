import sharp from "sharp";

async function sheet(names: string[], w: number, h: number, cols: number, out: string) {
  const rows = Math.ceil(names.length / cols);
  const parts = await Promise.all(
    names.map(async (n, i) => ({ input: await sharp(`/tmp/acc-shots/${n}.png`).resize(w, h).toBuffer(), left: (i % cols) * (w + 8), top: Math.floor(i / cols) * (h + 8) })),
  );
  await sharp({ create: { width: cols * (w + 8), height: rows * (h + 8), channels: 3, background: "#888" } })
    .composite(parts)
    .png()
    .toFile(out);
}
const all = [
  "sign-up-0",
  "sign-in-0",
  "reset-0",
  "join-0",
  "shared-0",
  "account-0",
  "organization-0",
  "organization-1",
  "organization-2",
  "organization-3",
  "organization-4",
  "admin-0",
  "admin-1",
  "admin-2",
];
await sheet(
  all.slice(0, 7).map((n) => `${n}-phone`),
  390,
  844,
  4,
  "/tmp/acc-p1.png",
);
await sheet(
  all.slice(7).map((n) => `${n}-phone`),
  390,
  844,
  4,
  "/tmp/acc-p2.png",
);
await sheet(
  all.slice(0, 6).map((n) => `${n}-desk`),
  900,
  562,
  2,
  "/tmp/acc-d1.png",
);
await sheet(
  all.slice(6).map((n) => `${n}-desk`),
  900,
  562,
  2,
  "/tmp/acc-d2.png",
);
