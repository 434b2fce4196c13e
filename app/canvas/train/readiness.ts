import type { Problem } from "../../../core/graph/check.ts";

type Situation = {
  problems: readonly Problem[];
  dataset: { name: string; status: string } | null;
  complaints: { readonly [field: string]: string };
  starting: boolean;
};

/** Why Train would do nothing now, in a sentence that says what to do; null when it would. */
export function whyNotTrain({ problems, dataset, complaints, starting }: Situation): string | null {
  if (starting) return "The run is being started.";
  const errors = problems.filter((problem) => problem.severity === "error");
  const [first] = errors;
  if (first) return errors.length === 1 ? `One problem first: ${first.message}` : `${errors.length} problems first. ${first.message}`;
  if (!dataset) return "Choose a data set in the training settings.";
  if (dataset.status === "failed") return `${dataset.name} could not be read; choose another data set.`;
  if (dataset.status !== "ready") return `${dataset.name} is still being prepared; this takes some seconds.`;
  const [field] = Object.entries(complaints);
  if (field) return `${field[0]}: ${field[1]}`;
  return null;
}
