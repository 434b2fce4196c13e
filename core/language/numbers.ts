import { languageCode } from "./say.ts";

/** Numbers and dates as the language of this installation writes them. English ones have American commas and British days, as everywhere in the product. */

const isEnglish = () => languageCode().startsWith("en");

const remembered = new Map<string, Intl.NumberFormat>();

function numbers(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const locale = isEnglish() ? "en-US" : languageCode();
  const key = `${locale} ${options.minimumFractionDigits} ${options.maximumFractionDigits} ${options.useGrouping}`;
  let format = remembered.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, options);
    remembered.set(key, format);
  }
  return format;
}

/** `81,610`; at most `digits` behind the point: `1,204.5`. */
export function printCount(count: number, digits = 3): string {
  return numbers({ maximumFractionDigits: digits }).format(count);
}

/** `3.10`: what `toFixed` gives, with the sign that the language puts before fractions. */
export function printFixed(value: number, digits: number): string {
  return inLanguage(value.toFixed(digits));
}

/** A number that was written with a point, as the language writes it: `0.034`, `1.2e-5`, `61.7k`. */
export function inLanguage(text: string): string {
  return isEnglish() ? text : text.replace(".", numbers({}).format(1.5).charAt(1));
}

/** A day or a time of day, in the parts that are asked for: `12 Mar 2026`, `14:02`. */
export function printDate(at: Date, parts: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(isEnglish() ? "en-GB" : languageCode(), parts).format(at);
}
