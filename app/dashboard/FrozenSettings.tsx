import { Fragment, type ReactNode } from "react";
import { say } from "../../core/language/say.ts";
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
      <Group title={say("Inputs")}>
        <Line name={say("Model version")}>{run.modelVersion}</Line>
        <Line name={say("Data set")} plain>
          {run.dataset.name}
        </Line>
        {settings.task && (
          <Line name={say("Task")} plain>
            {taskNamed(settings.task).title}
          </Line>
        )}
        <Line name={say("Seed")}>{settings.seed}</Line>
        {run.dataHash && (
          <Line name={say("Data SHA-256")}>
            <span title={run.dataHash}>{run.dataHash.slice(0, 16)}</span>
          </Line>
        )}
        <Line name={say("Graph SHA-256")}>
          <span title={run.graphHash}>{run.graphHash.slice(0, 16)}</span>
        </Line>
      </Group>
      <Group title={say("Optimization")}>
        <Line name={say("Loss")}>{settings.loss}</Line>
        <Params values={settings.lossParams} />
        {settings.extraLosses.map(({ output, loss, weight, lossParams }, index) => (
          <Fragment key={index}>
            <Line name={say("Loss of {output}", { output })}>
              {weight} × {loss}
            </Line>
            <Params values={lossParams} />
          </Fragment>
        ))}
        {settings.average !== "macro" && <Line name={say("Average over classes")}>{settings.average}</Line>}
        {settings.topK !== null && <Line name={say("Top-k accuracy, k")}>{settings.topK}</Line>}
        {settings.expressionMetrics.map(({ name, expression }) => (
          <Line key={name} name={say("Metric {name}", { name })}>
            {expression}
          </Line>
        ))}
        <Line name={say("Optimizer")}>{settings.optimizer}</Line>
        <Params values={settings.optimizerParams} />
        <Line name={say("Learning rate")}>{settings.lr}</Line>
        <Line name={say("Schedule")} plain>
          {findSchedule(settings.schedule).title.toLowerCase()}
          {settings.warmupSteps > 0 && say(", {warmupSteps} warm-up steps", { warmupSteps: formatCount(settings.warmupSteps) })}
        </Line>
        <Params values={settings.scheduleParams} />
        <Line name={say("Weight decay")}>{settings.weightDecay}</Line>
        <Line name={say("Gradient clipping")}>
          {settings.gradClipNorm > 0
            ? say("norm ≤ {gradClipNorm}", { gradClipNorm: settings.gradClipNorm })
            : settings.gradClipValue > 0
              ? say("values within ±{gradClipValue}", { gradClipValue: settings.gradClipValue })
              : say("off")}
        </Line>
        {settings.furtherOptimizers.map(({ optimizer, optimizerParams, outputs, nodes, lr, weightDecay }, index) => (
          <Fragment key={index}>
            <Line name={say("Optimizer {index}", { index: index + 2 })}>{optimizer}</Line>
            <Params values={optimizerParams} />
            <Line name={say("Makes small")}>{outputs.map((output) => say("loss of {output}", { output })).join(", ")}</Line>
            <Line name={say("Trains alone")}>{nodes.join(", ")}</Line>
            <Line name={say("Learning rate")}>{lr}</Line>
            <Line name={say("Weight decay")}>{weightDecay}</Line>
          </Fragment>
        ))}
        {settings.emaDecay > 0 && <Line name={say("EMA decay")}>{settings.emaDecay}</Line>}
      </Group>
      {isWriting && (
        <Group title={say("Text after each epoch")}>
          <Line name={say("Begins with")} plain>
            {settings.writing.prompt || say("the most frequent token")}
          </Line>
          <Line name={say("Tokens")}>{formatCount(settings.writing.tokens)}</Line>
          <Line name={say("Temperature")}>{settings.writing.temperature}</Line>
        </Group>
      )}
      <Group title={say("Batches")}>
        <Line name={say("Batch size")}>{formatCount(settings.batchSize)}</Line>
        {settings.accumulate > 1 && <Line name={say("Batches per step")}>{settings.accumulate}</Line>}
        {run.dataset.text && !isWriting && (
          <Line name={say("Bucketing")} plain>
            {settings.bucketing ? say("on") : say("off")}
          </Line>
        )}
        <Line name={say("Epochs")}>{formatCount(settings.epochs)}</Line>
        {settings.oneBatch && (
          <Line name={say("Rows")} plain>
            {say("one batch only")}
          </Line>
        )}
        {settings.earlyStopping && !settings.oneBatch && (
          <Line name={say("Early stopping")} plain>
            {say("{validation}, {patience} epochs", {
              validation: settings.earlyStopping.watch === "loss" ? say("validation loss") : say("main metric"),
              patience: formatCount(settings.earlyStopping.patience),
            })}
            {settings.earlyStopping.minDelta > 0 && say(", by more than {minDelta}", { minDelta: settings.earlyStopping.minDelta })}
          </Line>
        )}
        <Line name={say("Steps")}>{formatCount(run.totalSteps)}</Line>
      </Group>
      <Group title={say("Machine")}>
        <Line name={say("Device")}>{settings.device === "cuda" ? say("cuda") : say("cpu")}</Line>
        <Line name={say("Precision")}>{settings.precision}</Line>
        <Line name={say("Channels last")}>{settings.channelsLast ? say("on") : say("off")}</Line>
        {run.engineBuild && <Line name={say("Engine")}>{run.engineBuild}</Line>}
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
