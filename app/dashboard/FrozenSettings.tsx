import type { ReactNode } from "react";
import { formatCount } from "../ui/format.ts";
import { Line } from "../ui/Panel.tsx";
import type { Run } from "./run.ts";

/** Everything that decided the numbers of this run, as it was when the run began. */
export function FrozenSettings({ run }: { run: Run }) {
  const { settings } = run;
  const usesMomentum = settings.optimizer === "SGD" || settings.optimizer === "RMSprop";
  return (
    <div className="space-y-4">
      <Group title="Inputs">
        <Line name="Model version">{run.modelVersion}</Line>
        <Line name="Data set" plain>
          {run.dataset.name}
        </Line>
        <Line name="Seed">{settings.seed}</Line>
      </Group>
      <Group title="Optimization">
        <Line name="Loss">{settings.loss}</Line>
        <Line name="Optimizer">{settings.optimizer}</Line>
        <Line name="Learning rate">{settings.lr}</Line>
        <Line name="Schedule" plain>
          {settings.schedule}
          {settings.warmupSteps > 0 && `, ${formatCount(settings.warmupSteps)} warm-up steps`}
        </Line>
        <Line name="Weight decay">{settings.weightDecay}</Line>
        {usesMomentum && (
          <Line name="Momentum">
            {settings.momentum}
            {settings.nesterov && " (Nesterov)"}
          </Line>
        )}
        <Line name="Gradient clipping">{settings.gradClipNorm > 0 ? `norm ≤ ${settings.gradClipNorm}` : "off"}</Line>
      </Group>
      <Group title="Batches">
        <Line name="Batch size">{formatCount(settings.batchSize)}</Line>
        {settings.accumulate > 1 && <Line name="Batches per step">{settings.accumulate}</Line>}
        <Line name="Epochs">{formatCount(settings.epochs)}</Line>
        <Line name="Steps">{formatCount(run.totalSteps)}</Line>
      </Group>
      <Group title="Machine">
        <Line name="Device">{settings.device}</Line>
        <Line name="Precision">{settings.precision}</Line>
        <Line name="Channels last">{settings.channelsLast ? "on" : "off"}</Line>
        {run.engineBuild && <Line name="Engine">{run.engineBuild}</Line>}
      </Group>
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 className="section-name pb-1 text-ink2">{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}
