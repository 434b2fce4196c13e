/**
 * Fine-tuning the packaged MobileNetV2 on 200 emoji, as the product's recipe has it: how long it takes, what a frozen backbone spares after the first
 * epoch, and what it comes to against the same network from drawn weights. `npm run bench -- tuning [--scratch]`
 */
import { bestOf, prepareEmoji } from "../native/emoji.ts";
import { temporaryFolder } from "../native/specs.ts";

process.env.GOMP_SPINCOUNT ??= "1000";
const folder = temporaryFolder();
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
try {
  const { learn } = await prepareEmoji(folder.path);
  const rows = { train: 200, validation: 376 };
  const head = await learn({ depth: "head", rows, from: "pretrained" });
  const [first = 0, ...later] = head.epochs.map(({ ms }) => ms);
  // Events of quick epochs come together: only their sum is a time.
  const second = later.reduce((sum, ms) => sum + ms, 0) / later.length;
  console.log(`last layer, backbone frozen: ${(100 * bestOf(head)).toFixed(1)} % in ${seconds(head.totalMs)}`);
  console.log(`  first epoch ${seconds(first)}, a later one ${seconds(second)}: ${(first / second).toFixed(0)}× (at least 10×)`);
  const last = await learn({ depth: "last", rows, from: "pretrained" });
  console.log(`last fifth: ${(100 * bestOf(last)).toFixed(1)} % in ${seconds(last.totalMs)} (at most 90 s)`);
  if (process.argv.includes("--scratch")) {
    const scratch = await learn({ depth: "last", rows, from: "scratch" });
    console.log(
      `from drawn weights: ${(100 * bestOf(scratch)).toFixed(1)} % in ${seconds(scratch.totalMs)}; ${(100 * (bestOf(last) - bestOf(scratch))).toFixed(0)} points less (at least 20)`,
    );
  }
} finally {
  folder.remove();
}
