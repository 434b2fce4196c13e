"use client";

import { X } from "lucide-react";
import { say } from "../../../core/language/say.ts";
import { taskNamed } from "../../../core/tasks/index.ts";
import { planSteps } from "../../../core/training/build.ts";
import { losses, lossesFor, lossNamed } from "../../../core/training/losses/index.ts";
import { findOptimizer, optimizers } from "../../../core/training/optimizers/index.ts";
import { findSchedule, schedules } from "../../../core/training/schedules/index.ts";
import type { RunSettings } from "../../../core/training/settings.ts";
import { isPreparing } from "../../data/status.ts";
import { Button, IconButton } from "../../ui/Button.tsx";
import { Field, NumberInput, type NumberRange, Select, Switch } from "../../ui/Field.tsx";
import { formatCount } from "../../ui/format.ts";
import { Line } from "../../ui/Panel.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { Loading } from "../../ui/States.tsx";
import type { Answers } from "../../ui/trpc.ts";
import { useLevel } from "../useLevel.ts";
import { useStudio } from "../useStudio.ts";
import { BatchFinder } from "./BatchFinder.tsx";
import { ClassWeights } from "./ClassWeights.tsx";
import { EarlyStopping } from "./EarlyStopping.tsx";
import { ExpressionMetrics } from "./ExpressionMetrics.tsx";
import { ExtraLosses } from "./ExtraLosses.tsx";
import { FurtherOptimizers } from "./FurtherOptimizers.tsx";
import { GradClip } from "./GradClip.tsx";
import { LrFinder } from "./LrFinder.tsx";
import { Measured } from "./Measured.tsx";
import { Preflight } from "./Preflight.tsx";
import { LossHelp, RecordHelp } from "./RecordHelp.tsx";
import { RecordParams } from "./RecordParams.tsx";
import { SchedulePlot } from "./SchedulePlot.tsx";
import { settingsFor } from "./settings.ts";
import { changeSettings, complain, openSettings, useTraining } from "./useTraining.ts";
import { Writing } from "./Writing.tsx";

type Dataset = Answers["datasets"]["list"][number];

const LEVELS = [
  { id: "simple", title: say("Simple") },
  { id: "expert", title: say("Expert") },
] as const;

/** Everything that decides how the model is trained, with defaults that train well. Only what the chosen optimizer and schedule heed is shown, and on the simple level only what matters most and what is not as the recipe has it. */
export default function TrainPanel({
  modelId,
  datasets,
  cuda,
  whyNot,
  onTrain,
}: {
  modelId: string;
  datasets: readonly Dataset[] | undefined;
  cuda: boolean | null;
  whyNot: string | null;
  onTrain: () => void;
}) {
  const settings = useTraining((s) => s.settings);
  const [level, setLevel] = useLevel("train");
  return (
    <section aria-label={say("Training settings")} className="flex h-full min-h-0 flex-col">
      <header className="flex h-10 shrink-0 items-center justify-between border-b border-line pr-2 pl-3.5">
        <h2 className="flex-1 font-semibold">{say("Training settings")}</h2>
        <Segments label={say("How many settings are shown")} options={LEVELS} value={level} onValue={setLevel} />
        <IconButton label={say("Close settings")} onClick={() => useStudio.setState({ panel: "inspect", sheet: null })}>
          <X size={15} />
        </IconButton>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto px-3.5 pt-3 pb-6">
        {datasets ? <Form modelId={modelId} settings={settings} datasets={datasets} cuda={cuda} whyNot={whyNot} /> : <Loading label={say("Loading data sets")} className="h-64" />}
      </div>
      <footer className="shrink-0 space-y-2 border-t border-line px-3.5 py-3">
        {settings && <Preflight modelId={modelId} settings={settings} cuda={cuda} whyNot={whyNot} />}
        {whyNot && <p className="text-sm text-ink2">{whyNot}</p>}
        <Button kind="primary" className="w-full" disabled={whyNot !== null} onClick={onTrain}>
          {say("Start the run")}
        </Button>
      </footer>
    </section>
  );
}

function Form({
  modelId,
  settings,
  datasets,
  cuda,
  whyNot,
}: {
  modelId: string;
  settings: RunSettings | null;
  datasets: readonly Dataset[];
  cuda: boolean | null;
  whyNot: string | null;
}) {
  const [level, setLevel] = useLevel("train");
  const complaints = useTraining((s) => s.complaints);
  const dataset = datasets.find((d) => d.id === settings?.datasetId);
  const pick = (
    <Field label={say("Data set")}>
      {(ids) => (
        <Select
          {...ids}
          value={settings?.datasetId ?? ""}
          onChange={(event) => {
            const chosen = datasets.find((d) => d.id === event.target.value);
            if (chosen?.task) openSettings(settingsFor({ id: chosen.id, task: chosen.task, rows: chosen.rows }, settings));
          }}
        >
          {!dataset && <option value={settings?.datasetId ?? ""}>{say("Choose a data set")}</option>}
          {datasets.map((d) => (
            <option key={d.id} value={d.id} disabled={d.status !== "ready"}>
              {d.name}
              {isPreparing(d.status) ? say(" (preparing)") : d.status === "failed" ? say(" (failed)") : ""}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
  if (!settings || !dataset?.task) return pick;
  const optimizer = findOptimizer(settings.optimizer);
  const schedule = findSchedule(settings.schedule);
  const loss = lossNamed(settings.loss);
  const plan = planSteps(dataset.rows.train, settings);
  const steps = plan.stepsPerEpoch * settings.epochs;
  const own = { id: dataset.id, task: dataset.task, rows: dataset.rows };
  const task = settings.task ?? dataset.task;
  const usual = settingsFor(own, null, task);
  const fits = lossesFor(taskNamed(task).learns);
  // A field with a complaint must be seen, or nobody could mend it.
  const expert = level === "expert" || Object.keys(complaints).length > 0;
  const isShown = (...keys: (keyof RunSettings)[]) => expert || keys.some((key) => JSON.stringify(settings[key]) !== JSON.stringify(usual[key]));
  return (
    <>
      {pick}
      {dataset.tasks.length > 1 && (
        <Field label={say("Task")} hint={task === dataset.task ? undefined : say("What is right comes from the pictures themselves; the data set's own targets are not used.")}>
          {(ids) => (
            <Select
              {...ids}
              value={task}
              onChange={(event) =>
                openSettings(
                  settingsFor(
                    own,
                    settings,
                    dataset.tasks.find((one) => one === event.target.value),
                  ),
                )
              }
            >
              {dataset.tasks.map((one) => (
                <option key={one} value={one}>
                  {taskNamed(one).title}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <Field label={say("Loss")} hint={loss.doc}>
        {(ids) => (
          <Select
            {...ids}
            value={settings.loss}
            onChange={(event) => changeSettings({ loss: fits.find(({ name }) => name === event.target.value)?.name ?? settings.loss, lossParams: {} })}
          >
            {losses.map((one) => (
              <option key={one.name} value={one.name} disabled={!fits.includes(one)}>
                {one.name}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <LossHelp loss={loss} params={settings.lossParams} />
      {isShown("lossParams") && <RecordParams of={say("Loss")} params={loss.params} values={settings.lossParams} onChange={(lossParams) => changeSettings({ lossParams })} />}
      {loss.classWeights && isShown("lossParams") && (
        <ClassWeights param={loss.classWeights} values={settings.lossParams} onChange={(lossParams) => changeSettings({ lossParams })} />
      )}
      {isShown("extraLosses") && <ExtraLosses losses={settings.extraLosses} usual={settings.loss} task={task} />}

      {isShown("expressionMetrics", "average", "topK") && (
        <>
          <h3 className="section-name pt-4 pb-1">{say("Metrics")}</h3>
          <Measured settings={settings} task={task} />
          <ExpressionMetrics metrics={settings.expressionMetrics} />
        </>
      )}

      <h3 className="section-name pt-4 pb-1">{say("Optimizer")}</h3>
      <Field label={say("Optimizer")} hint={optimizer.doc}>
        {(ids) => (
          <Select
            {...ids}
            value={settings.optimizer}
            onChange={(event) => {
              const chosen = optimizers.find((o) => o.name === event.target.value);
              // The usual settings are tuned for their own optimizer; another starts from PyTorch's defaults.
              if (chosen)
                changeSettings({
                  optimizer: chosen.name,
                  optimizerParams: {},
                  ...(chosen.name === usual.optimizer ? { lr: usual.lr, weightDecay: usual.weightDecay } : chosen.defaults),
                });
            }}
          >
            {optimizers.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        )}
      </Field>
      <RecordHelp record={optimizer} />
      <NumberField name={say("Learning rate")} of="lr" settings={settings} min={1e-8} max={100} />
      <LrFinder modelId={modelId} settings={settings} whyNot={whyNot} />
      {isShown("weightDecay") && <NumberField name={say("Weight decay")} of="weightDecay" settings={settings} min={0} max={10} />}
      {isShown("optimizerParams") && (
        <RecordParams of={say("Optimizer")} params={optimizer.params} values={settings.optimizerParams} onChange={(optimizerParams) => changeSettings({ optimizerParams })} />
      )}
      {isShown("furtherOptimizers") && <FurtherOptimizers settings={settings} />}

      <h3 className="section-name pt-4 pb-1">{say("Schedule")}</h3>
      <Field label={say("Schedule")} hint={schedule.doc}>
        {(ids) => (
          <Select
            {...ids}
            value={settings.schedule}
            onChange={(event) => changeSettings({ schedule: schedules.find((s) => s.name === event.target.value)?.name ?? settings.schedule, scheduleParams: {} })}
          >
            {schedules.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <RecordHelp record={schedule} />
      <SchedulePlot
        schedule={settings.schedule}
        scheduleParams={settings.scheduleParams}
        warmupSteps={settings.warmupSteps}
        lr={settings.lr}
        epochs={settings.epochs}
        stepsPerEpoch={plan.stepsPerEpoch}
      />
      {isShown("scheduleParams") && (
        <RecordParams of={say("Schedule")} params={schedule.params} values={settings.scheduleParams} onChange={(scheduleParams) => changeSettings({ scheduleParams })} />
      )}
      {schedule.usesWarmup && isShown("warmupSteps") && <NumberField name={say("Warm-up steps")} of="warmupSteps" settings={settings} min={0} max={1_000_000} whole />}

      <h3 className="section-name pt-4 pb-1">{say("Length")}</h3>
      <NumberField name={say("Batch size")} of="batchSize" settings={settings} min={1} max={65_536} whole />
      <BatchFinder modelId={modelId} settings={settings} whyNot={whyNot} />
      {taskNamed(task).input === "text" && !taskNamed(task).writes && isShown("bucketing") && (
        <SwitchField name={say("Bucketing")} of="bucketing" settings={settings} doc={say("Rows of like length share a batch: less padding, quicker steps.")} />
      )}
      <NumberField name={say("Epochs")} of="epochs" settings={settings} min={1} max={10_000} whole />
      {!settings.oneBatch && isShown("earlyStopping") && <EarlyStopping value={settings.earlyStopping} task={task} />}
      {isShown("oneBatch") && (
        <SwitchField
          name={say("Overfit one batch")}
          of="oneBatch"
          settings={settings}
          doc={say("Every step trains on the same rows, to find out whether the network can learn at all.")}
          hint={
            settings.oneBatch
              ? say("All {steps} steps train on the same {train} rows. The run ends with a verdict: a network that can learn brings their loss down to a tenth.", {
                  steps: formatCount(steps),
                  train: formatCount(Math.min(dataset.rows.train, settings.batchSize * settings.accumulate)),
                })
              : undefined
          }
        />
      )}
      <dl className="py-1">
        <Line name={say("Steps")}>
          {formatCount(plan.stepsPerEpoch)} × {formatCount(settings.epochs)} = {formatCount(steps)}
        </Line>
      </dl>

      {taskNamed(task).writes && <Writing writing={settings.writing} />}

      <h3 className="section-name pt-4 pb-1">{say("Machine")}</h3>
      <Field label={say("Device")} hint={cuda === false ? say("This machine has no CUDA device.") : undefined}>
        {(ids) => (
          <Select {...ids} value={settings.device} onChange={(event) => changeSettings({ device: event.target.value === "cuda" ? "cuda" : "cpu" })}>
            <option value="cpu">{say("cpu")}</option>
            <option value="cuda" disabled={!cuda}>
              {say("cuda")}
            </option>
          </Select>
        )}
      </Field>
      {isShown("precision") && (
        <Field label={say("Precision")}>
          {(ids) => (
            <Select {...ids} value={settings.precision} onChange={(event) => changeSettings({ precision: event.target.value === "bf16" ? "bf16" : "float32" })}>
              <option value="float32">{say("float32")}</option>
              <option value="bf16">{say("bf16 (autocast)")}</option>
            </Select>
          )}
        </Field>
      )}
      {isShown("channelsLast") && <SwitchField name={say("Channels last")} of="channelsLast" settings={settings} />}
      {isShown("gradClipNorm", "gradClipValue") && <GradClip gradClipNorm={settings.gradClipNorm} gradClipValue={settings.gradClipValue} />}
      {isShown("emaDecay") && (
        <NumberField
          name={say("EMA decay")}
          of="emaDecay"
          settings={settings}
          min={0}
          max={0.999999}
          hint={
            settings.emaDecay === 0
              ? say("0: off")
              : say("Weights averaged over about {emaDecay} steps are evaluated and exported.", { emaDecay: formatCount(Math.round(1 / (1 - settings.emaDecay))) })
          }
        />
      )}
      {isShown("mixup") && (
        <NumberField
          name={say("Mixup")}
          of="mixup"
          settings={settings}
          min={0}
          max={10}
          hint={
            settings.mixup === 0
              ? say("0: off")
              : say("Training rows are blended with one another, two at a time, and so are their classes. 0.2 is usual; validation rows stay whole.")
          }
        />
      )}
      {isShown("accumulate") && (
        <NumberField
          name={say("Accumulate")}
          of="accumulate"
          settings={settings}
          min={1}
          max={1024}
          whole
          hint={settings.accumulate > 1 ? say("{accumulate} batches for each step", { accumulate: settings.accumulate }) : undefined}
        />
      )}
      {isShown("seed") && <NumberField name={say("Seed")} of="seed" settings={settings} min={0} max={2 ** 31 - 1} whole />}
      {!expert && (
        <p className="pt-3 text-sm text-ink2">
          {say("All other settings are as the recipe has them.")}{" "}
          <button type="button" className="text-accent hover:underline" onClick={() => setLevel("expert")}>
            {say("Show them")}
          </button>
        </p>
      )}
      <div className="pt-4">
        <Button size="sm" onClick={() => openSettings(usual)}>
          {say("Back to the recipe")}
        </Button>
      </div>
    </>
  );
}

type NumberKey = { [K in keyof RunSettings]-?: RunSettings[K] extends number ? K : never }[keyof RunSettings];
type BoolKey = { [K in keyof RunSettings]-?: RunSettings[K] extends boolean ? K : never }[keyof RunSettings];

function NumberField({ name, of, settings, hint, ...range }: { name: string; of: NumberKey; settings: RunSettings; hint?: string } & NumberRange) {
  const problem = useTraining((s) => s.complaints[name]);
  return (
    <Field label={name} problem={problem} hint={hint}>
      {(ids) => (
        <NumberInput
          {...ids}
          {...range}
          className="figures text-sm!"
          value={settings[of]}
          onValue={(value) => changeSettings({ [of]: value })}
          onProblem={(p) => complain(name, p)}
        />
      )}
    </Field>
  );
}

function SwitchField({ name, of, settings, doc, hint }: { name: string; of: BoolKey; settings: RunSettings; doc?: string; hint?: string }) {
  return (
    <Field label={name} doc={doc} hint={hint}>
      {(ids) => (
        <span className="flex h-7 items-center">
          <Switch id={ids.id} checked={settings[of]} onChecked={(checked) => changeSettings({ [of]: checked })} />
        </span>
      )}
    </Field>
  );
}
