"use client";

import { useCallback, useEffect, useRef, useState } from "react";
import { fetchFile, type OnnxModel, openOnnx } from "./onnxModel.ts";

type Loaded = { state: "loading" } | { state: "ready"; model: OnnxModel } | { state: "failed"; message: string };

/** Opens the ONNX file of a run, and lets go of it when the page is left. `sampleShape` is null for sequences. */
export function useOnnx(artifactId: string, sampleShape: readonly number[] | null): Loaded {
  const shapeKey = sampleShape?.join() ?? null;
  const open = useCallback(
    (signal: AbortSignal) => openOnnx(fetchFile(`/api/artifacts/${artifactId}`, signal), shapeKey === null ? null : shapeKey === "" ? [] : shapeKey.split(",").map(Number)),
    [artifactId, shapeKey],
  );
  return useModel(open);
}

/** Opens a model, another one whenever `open` changes, and lets go of it when the page is left. */
export function useModel(open: (signal: AbortSignal) => Promise<OnnxModel>): Loaded {
  const [loaded, setLoaded] = useState<Loaded>({ state: "loading" });
  useEffect(() => {
    const abort = new AbortController();
    let opened: OnnxModel | null = null;
    setLoaded({ state: "loading" });
    open(abort.signal).then(
      (model) => {
        if (abort.signal.aborted) model.release();
        else {
          opened = model;
          setLoaded({ state: "ready", model });
        }
      },
      (error: unknown) => {
        if (!abort.signal.aborted) setLoaded({ state: "failed", message: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => {
      abort.abort();
      opened?.release();
    };
  }, [open]);
  return loaded;
}

/** What the model makes of an input; null before there is one. While it computes, only the newest input waits. */
export function usePrediction(model: OnnxModel | null, input: readonly number[] | null): { output: number[] | null; problem: string | null } {
  const [answer, setAnswer] = useState<{ output: number[] | null; problem: string | null }>({ output: null, problem: null });
  const wanted = useRef<readonly number[] | null>(null);
  const busy = useRef(false);

  useEffect(() => {
    wanted.current = input;
    if (!input) {
      setAnswer({ output: null, problem: null });
      return;
    }
    if (!model || busy.current) return;
    busy.current = true;
    void (async () => {
      let done: readonly number[] | null = null;
      while (wanted.current && wanted.current !== done) {
        const current: readonly number[] = wanted.current;
        done = current;
        try {
          const output = await model.predict(current);
          if (wanted.current) setAnswer({ output, problem: null });
        } catch (error) {
          setAnswer({ output: null, problem: error instanceof Error ? error.message : String(error) });
        }
      }
      busy.current = false;
    })();
  }, [model, input]);
  return answer;
}
