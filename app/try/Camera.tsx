"use client";

import { useEffect, useRef, useState } from "react";
import { say } from "../../core/language/say.ts";
import { Button } from "../ui/Button.tsx";

/** Between two looks; a small network answers sooner than that, a large one makes the next look wait. */
const LOOK_EVERY_MS = 400;

type State = { kind: "off" } | { kind: "asking" } | { kind: "on"; stream: MediaStream } | { kind: "refused"; why: string };

/** What the camera sees, looked at again and again until it is switched off. No picture leaves the browser. */
export function Camera({ onFrame }: { onFrame: (video: HTMLVideoElement) => Promise<void> }) {
  const [state, setState] = useState<State>({ kind: "off" });
  const video = useRef<HTMLVideoElement>(null);
  const latest = useRef(onFrame);
  const isGone = useRef(false);
  useEffect(() => {
    latest.current = onFrame;
  });
  const stream = state.kind === "on" ? state.stream : null;
  useEffect(() => {
    const shown = video.current;
    if (!stream || !shown) return;
    shown.srcObject = stream;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const lookAgain = async () => {
      if (shown.videoWidth > 0) await latest.current(shown);
      if (stream.active) timer = setTimeout(() => void lookAgain(), LOOK_EVERY_MS);
    };
    void shown.play().then(lookAgain, () => setState({ kind: "refused", why: say("This browser does not show the camera's picture.") }));
    return () => {
      clearTimeout(timer);
      for (const track of stream.getTracks()) track.stop();
    };
  }, [stream]);
  useEffect(() => {
    isGone.current = false;
    return () => {
      isGone.current = true;
    };
  }, []);

  async function begin(): Promise<void> {
    setState({ kind: "asking" });
    try {
      const given = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (isGone.current) for (const track of given.getTracks()) track.stop();
      else setState({ kind: "on", stream: given });
    } catch (error) {
      setState({ kind: "refused", why: whyNot(error) });
    }
  }

  return (
    <div className="space-y-2">
      {stream && (
        <video ref={video} muted playsInline aria-label={say("What the camera sees")} className="aspect-square w-full max-w-[264px] rounded-lg border border-line2 object-cover" />
      )}
      <Button size="sm" disabled={state.kind === "asking"} onClick={() => (stream ? setState({ kind: "off" }) : void begin())}>
        {stream ? say("Switch the camera off") : state.kind === "asking" ? say("Asking for the camera") : say("Use the camera")}
      </Button>
      {state.kind === "refused" && (
        <p role="alert" className="text-bad">
          {state.why}
        </p>
      )}
    </div>
  );
}

/** What to do about a camera that cannot be had. */
function whyNot(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return say("This page may not use the camera: allow it in the browser's address bar.");
  if (name === "NotFoundError" || name === "OverconstrainedError") return say("This device has no camera.");
  if (name === "NotReadableError") return say("Another program uses the camera. Close it there first.");
  return say("The camera can be used only over HTTPS, or on this machine itself.");
}
