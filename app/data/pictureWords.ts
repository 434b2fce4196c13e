import type { Conversion, Fit, PictureFacts } from "../../core/data/pictures.ts";

/** Why files of an archive are no samples. */
export const passedOverTitles: Record<PictureFacts["passedOver"][number]["why"], string> = {
  "no-label": "beside the class folders, left out",
  "no-mask": "without a partner of the same name, left out",
  "second-validation": "under test, left out since there is a validation folder",
  "other-file": "no pictures, passed over",
};

/** What was done to pictures as they were read. */
export const conversionTitles: Record<Conversion, string> = {
  rotated: "turned as their Exif says",
  "sixteen-bit": "of 16 bits, made 8",
  cmyk: "CMYK, made RGB",
  "to-grey": "in colour, made grey",
  "to-colour": "grey, as three equal channels",
  transparent: "transparent, laid on white",
  enlarged: "smaller than the size, enlarged",
};

export const fitTitles: Record<Fit, string> = { pad: "padded with black", crop: "middle cut out", stretch: "stretched" };
