import type { Conversion, Fit, PictureFacts } from "../../core/data/pictures.ts";
import { say } from "../../core/language/say.ts";

/** Why files of an archive are no samples. */
export const passedOverTitles: Record<PictureFacts["passedOver"][number]["why"], string> = {
  "no-label": say("beside the class folders, left out"),
  "no-mask": say("without a partner of the same name, left out"),
  "second-validation": say("under test, left out since there is a validation folder"),
  "other-file": say("no pictures, passed over"),
};

/** What was done to pictures as they were read. */
export const conversionTitles: Record<Conversion, string> = {
  rotated: say("turned as their Exif says"),
  "sixteen-bit": say("of 16 bits, made 8"),
  cmyk: say("CMYK, made RGB"),
  "to-grey": say("in colour, made grey"),
  "to-colour": say("grey, as three equal channels"),
  transparent: say("transparent, laid on white"),
  enlarged: say("smaller than the size, enlarged"),
};

export const fitTitles: Record<Fit, string> = { pad: say("padded with black"), crop: say("middle cut out"), stretch: "stretched" };
