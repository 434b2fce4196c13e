"use client";

import { RotateCcw, SquareArrowOutUpRight } from "lucide-react";
import { useState } from "react";
import type { Json } from "../../core/graph/document.ts";
import type { TensorType } from "../../core/graph/shape.ts";
import { say } from "../../core/language/say.ts";
import type { Inputs } from "../../core/layers/kit.ts";
import type { Param } from "../../core/layers/params.ts";
import { IconButton } from "../ui/Button.tsx";
import { cx } from "../ui/cx.ts";
import { Field, NumberInput, ParsedInput, Select, Switch } from "../ui/Field.tsx";
import { Tip } from "../ui/Tip.tsx";
import { ExpressionField, findInputProblem } from "./ExpressionField.tsx";
import { parseParam, printParam } from "./paramText.ts";

/** One parameter by its PyTorch name, with the control that its record asks for. */
export function ParamField({
  name,
  param,
  value,
  changed,
  onValue,
  onReset,
  onProblem,
  onRename,
  outside,
  inputs,
}: {
  name: string;
  param: Param<unknown>;
  value: unknown;
  /** Whether it was set, so that it can be set back. */
  changed: boolean;
  onValue: (value: Json) => void;
  onReset: () => void;
  /** Told what is wrong with the text in the field, and when it is well again. */
  onProblem?: (problem: string | null) => void;
  /** Where its name is the person's own. */
  onRename?: (name: string) => void;
  /** What comes into the node, for what is written over its inputs. */
  inputs?: Inputs<TensorType>;
  /** Inside a block: the name under which it stands on the block's outside, or null, and how to change that. */
  outside?: { name: string | null; onToggle: () => void };
}) {
  const [complaint, setOwn] = useState<string | null>(null);
  const setComplaint = (problem: string | null) => {
    setOwn(problem);
    onProblem?.(problem);
  };
  const { control } = param;
  // What is stored may itself be wrong (an older document, a fix that was undone); the field then says so.
  const stored = param.schema.safeParse(value);
  const problem = complaint ?? (stored.success ? null : say("Needs {message}.", { message: stored.error.issues[0]?.message ?? say("another value") }));
  return (
    <div className="group relative">
      <Field label={name} doc={param.doc} mono problem={problem} onRename={onRename}>
        {(ids) => {
          switch (control.kind) {
            case "bool":
              return (
                <span className="flex h-7 items-center">
                  <Switch id={ids.id} checked={value === true} onChecked={(checked) => onValue(checked)} />
                </span>
              );
            case "choice":
              return (
                <Select {...ids} value={String(value)} onChange={(event) => onValue(event.target.value)}>
                  {control.options.map((option) => (
                    <option key={option}>{option}</option>
                  ))}
                </Select>
              );
            case "int":
            case "float":
              return (
                <NumberInput
                  {...ids}
                  className="figures text-sm!"
                  value={typeof value === "number" ? value : Number.NaN}
                  whole={control.kind === "int"}
                  min={control.min}
                  max={control.max}
                  step={control.step}
                  onValue={(next) => onValue(next)}
                  onProblem={setComplaint}
                />
              );
            case "code":
              return (
                <ExpressionField
                  id={ids.id}
                  placeholder={control.placeholder}
                  value={typeof value === "string" ? value : ""}
                  onValue={onValue}
                  problem={findInputProblem(typeof value === "string" ? value : "", inputs ?? {})}
                  hint={say("Names that you use become inputs.")}
                />
              );
            default:
              return (
                <>
                  <ParsedInput
                    {...ids}
                    className="figures text-sm!"
                    list={control.kind === "size" && control.words.length > 0 ? `${ids.id}-words` : undefined}
                    placeholder={"placeholder" in control ? control.placeholder : undefined}
                    value={value}
                    print={(v) => printParam(v, control)}
                    parse={(text) => parseParam(text, param)}
                    onValue={(next) => {
                      const parsed = parseParam(printParam(next, control), param);
                      if ("value" in parsed) onValue(parsed.value);
                    }}
                    step={control.kind === "size" && typeof value === "number" ? (current, direction) => Math.max(control.min, Number(current) + direction) : undefined}
                    onProblem={setComplaint}
                  />
                  {control.kind === "size" && control.words.length > 0 && (
                    <datalist id={`${ids.id}-words`}>
                      {control.words.map((word) => (
                        <option key={word} value={word} />
                      ))}
                    </datalist>
                  )}
                </>
              );
          }
        }}
      </Field>
      {outside && (
        <Tip
          text={
            outside.name === null ? say("Show it on the outside of the block") : say("On the outside of the block as {name}: this value is this copy's own", { name: outside.name })
          }
          side="left"
        >
          <IconButton
            label={outside.name === null ? say("Expose {name} on the block", { name }) : say("Take {name} off the outside", { name })}
            aria-pressed={outside.name !== null}
            className={cx("absolute top-[10px] -left-[13px] size-3!", outside.name === null ? "opacity-0 group-hover:opacity-100 focus-visible:opacity-100" : "text-accent!")}
            onClick={outside.onToggle}
          >
            <SquareArrowOutUpRight size={10} />
          </IconButton>
        </Tip>
      )}
      {changed && (
        <Tip text={say("Back to {default}", { default: printParam(param.default, control) || "nothing" })} side="left">
          <IconButton
            label={say("Reset {name}", { name })}
            className="absolute top-[7px] left-[calc(41.6%-26px)] size-5! opacity-0 group-hover:opacity-100 focus-visible:opacity-100"
            onClick={() => onReset()}
          >
            <RotateCcw size={11} />
          </IconButton>
        </Tip>
      )}
    </div>
  );
}
