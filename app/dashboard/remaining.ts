/** Where a run stands, as far as the wait is concerned. */
export type Progress = { step: number; totalSteps: number; elapsedMs: number; stepsPerSecond: number };

/**
 * Time left, in ms; null while there is nothing to judge by. The mean pace of the whole run holds the guess steady (it
 * counts evaluations and checkpoints too), the pace of now corrects it when something changed.
 */
export function remainingMs({ step, totalSteps, elapsedMs, stepsPerSecond }: Progress): number | null {
  const left = totalSteps - step;
  if (left <= 0) return 0;
  if (step < 2 || elapsedMs <= 0) return null;
  const meanPace = step / elapsedMs; // steps per ms
  const nowPace = stepsPerSecond > 0 ? stepsPerSecond / 1000 : meanPace;
  return left / (0.7 * meanPace + 0.3 * nowPace);
}
