import { say } from "../../core/language/say.ts";
import type { useOnnx } from "./usePrediction.ts";

/** Whether the model can answer, and why not. */
export function ModelState({ loaded, problem }: { loaded: ReturnType<typeof useOnnx>; problem: string | null }) {
  if (loaded.state === "failed") {
    return (
      <p role="alert" className="rounded-lg bg-bad-soft px-3 py-2 text-bad">
        {say("The model could not be opened in this browser: {message}", { message: loaded.message })}
      </p>
    );
  }
  if (problem) {
    return (
      <p role="alert" className="rounded-lg bg-bad-soft px-3 py-2 text-bad">
        {say("The model could not answer: {problem}", { problem })}
      </p>
    );
  }
  return (
    <p className="text-sm text-ink2">
      {loaded.state === "loading" ? say("Opening the ONNX file in this browser…") : say("The ONNX file runs in this browser; nothing you enter leaves it.")}
    </p>
  );
}
