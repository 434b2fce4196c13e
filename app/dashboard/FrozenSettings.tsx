import { Fragment, type ReactNode } from "react";
import { taskNamed } from "../../core/tasks/index.ts";
import type { ParamValues } from "../../core/training/records.ts";
import { findSchedule } from "../../core/training/schedules/index.ts";
import { formatCount } from "../ui/format.ts";
import { Line } from "../ui/Panel.tsx";
import type { Run } from "./run.ts";

/** Everything that decided the numbers of this run, as it was when the run began. */
export function FrozenSettings({ run }: { run: Run }) {
  const { settings } = run;
  const isWriting = run.dataset.task !== null && taskNamed(run.dataset.task).writes === true;
  return (
    <div className="space-y-4">
      <Group title="Inputs">
        <Line name="Model version">{run.modelVersion}</Line>
        <Line name="Data set" plain>
          {run.dataset.name}
        </Line>
        {settings.task && (
          <Line name="Task" plain>
            {taskNamed(settings.task).title}
          </Line>
        )}
        <Line name="Seed">{settings.seed}</Line>
        {run.dataHash && (
          <Line name="Data SHA-256">
            <span title={run.dataHash}>{run.dataHash.slice(0, 16)}</span>
          </Line>
        )}
        <Line name="Graph SHA-256">
          <span title={run.graphHash}>{run.graphHash.slice(0, 16)}</span>
        </Line>
      </Group>
      <Group title="Optimization">
        <Line name="Loss">{settings.loss}</Line>
        <Params values={settings.lossParams} />
        {settings.extraLosses.map(({ output, loss, weight, lossParams }, index) => (
          <Fragment key={index}>
            <Line name={`Loss of ${output}`}>
              {weight} × {loss}
            </Line>
            <Params values={lossParams} />
          </Fragment>
        ))}
        {settings.expressionMetrics.map(({ name, expression }) => (
          <Line key={name} name={`Metric ${name}`}>
            {expression}
          </Line>
        ))}
        <Line name="Optimizer">{settings.optimizer}</Line>
        <Params values={settings.optimizerParams} />
        <Line name="Learning rate">{settings.lr}</Line>
        <Line name="Schedule" plain>
          {findSchedule(settings.schedule).title.toLowerCase()}
          {settings.warmupSteps > 0 && `, ${formatCount(settings.warmupSteps)} warm-up steps`}
        </Line>
        <Params values={settings.scheduleParams} />
        <Line name="Weight decay">{settings.weightDecay}</Line>
        <Line name="Gradient clipping">
          {settings.gradClipNorm > 0 ? `norm ≤ ${settings.gradClipNorm}` : settings.gradClipValue > 0 ? `values within ±${settings.gradClipValue}` : "off"}
        </Line>
        {settings.furtherOptimizers.map(({ optimizer, optimizerParams, outputs, nodes, lr, weightDecay }, index) => (
          <Fragment key={index}>
            <Line name={`Optimizer ${index + 2}`}>{optimizer}</Line>
            <Params values={optimizerParams} />
            <Line name="Makes small">{outputs.map((output) => `loss of ${output}`).join(", ")}</Line>
            <Line name="Trains alone">{nodes.join(", ")}</Line>
            <Line name="Learning rate">{lr}</Line>
            <Line name="Weight decay">{weightDecay}</Line>
          </Fragment>
        ))}
        {settings.emaDecay > 0 && <Line name="EMA decay">{settings.emaDecay}</Line>}
      </Group>
      {isWriting && (
        <Group title="Text after each epoch">
          <Line name="Begins with" plain>
            {settings.writing.prompt || "the most frequent token"}
          </Line>
          <Line name="Tokens">{formatCount(settings.writing.tokens)}</Line>
          <Line name="Temperature">{settings.writing.temperature}</Line>
        </Group>
      )}
      <Group title="Batches">
        <Line name="Batch size">{formatCount(settings.batchSize)}</Line>
        {settings.accumulate > 1 && <Line name="Batches per step">{settings.accumulate}</Line>}
        {run.dataset.text && !isWriting && (
          <Line name="Bucketing" plain>
            {settings.bucketing ? "on" : "off"}
          </Line>
        )}
        <Line name="Epochs">{formatCount(settings.epochs)}</Line>
        {settings.oneBatch && (
          <Line name="Rows" plain>
            one batch only
          </Line>
        )}
        {settings.earlyStopping && !settings.oneBatch && (
          <Line name="Early stopping" plain>
            {settings.earlyStopping.watch === "loss" ? "validation loss" : "main metric"}, {formatCount(settings.earlyStopping.patience)} epochs
            {settings.earlyStopping.minDelta > 0 && `, by more than ${settings.earlyStopping.minDelta}`}
          </Line>
        )}
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

/** Parameters that were set, by PyTorch's names. */
function Params({ values }: { values: ParamValues }) {
  return Object.entries(values).map(([name, value]) => (
    <Line key={name} name={name}>
      {String(value)}
    </Line>
  ));
}
