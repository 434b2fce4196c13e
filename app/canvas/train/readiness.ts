import type { Problem } from "../../../core/graph/check.ts";
import { say } from "../../../core/language/say.ts";

type Situation = {
  problems: readonly Problem[];
  dataset: { name: string; status: string } | null;
  complaints: { readonly [field: string]: string };
  starting: boolean;
};

/** Why Train would do nothing now, in a sentence that says what to do; null when it would. */
export function whyNotTrain({ problems, dataset, complaints, starting }: Situation): string | null {
  if (starting) return say("The run is being started.");
  const errors = problems.filter((problem) => problem.severity === "error");
  const [first] = errors;
  if (first)
    return errors.length === 1
      ? say("One problem first: {message}", { message: first.message })
      : say("{count} problems first. {message}", { count: errors.length, message: first.message });
  if (!dataset) return say("Choose a data set in the training settings.");
  if (dataset.status === "failed") return say("{name} could not be read; choose another data set.", { name: dataset.name });
  if (dataset.status !== "ready") return say("{name} is still being prepared; this takes some seconds.", { name: dataset.name });
  const [field] = Object.entries(complaints);
  if (field) return `${field[0]}: ${field[1]}`;
  return null;
}
