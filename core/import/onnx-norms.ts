import { countElements as countTensor, type Tensor, tensorOf } from "../export/tensor.ts";
import { numbersOf, reshapeTensor } from "./constants.ts";
import { known, type Reading, type Rule } from "./onnx-reading.ts";

// Operators that normalise.

export const batchNorm: Rule = (r: Reading) => {
  const x = r.wire(0);
  if (r.int("training_mode", 0)) r.refuse("it is in training mode; export the model with model.eval().");
  const rank = x.type.shape.length;
  const axes = rank === 5 ? 3 : rank === 4 ? 2 : 1;
  const [weight, bias] = [r.need(1, "scale"), r.need(2, "shift")];
  const own = r.input(3);
  const moment = own?.kind === "wire" ? r.around.drawing.madeBy(own.wire) : null;
  if (moment?.node.type === "mean" && moment.inputs.x === x) {
    // Each batch is its own measure.
    const isPlain = numbersOf(weight).every((value) => value === 1) && numbersOf(bias).every((value) => value === 0);
    return known.wire(
      r.draw(
        `batch_norm${axes}d`,
        { eps: r.float("epsilon", 1e-5), track_running_stats: false, affine: !isPlain },
        { x },
        { name: r.label(1), weights: isPlain ? {} : { weight, bias } },
      ),
    );
  }
  const [mean, variance] = [r.need(3, "mean"), r.need(4, "variance")];
  return known.wire(
    r.draw(
      `batch_norm${axes}d`,
      // ONNX's momentum is the share that stays, PyTorch's the share that is new.
      { eps: r.float("epsilon", 1e-5), momentum: Math.round((1 - r.float("momentum", 0.9)) * 1e6) / 1e6 },
      { x },
      { name: r.label(1), weights: { weight, bias, running_mean: mean, running_var: variance, num_batches_tracked: tensorOf("int64", [], [0]) } },
    ),
  );
};

export const layerNorm: Rule = (r: Reading) => {
  if (r.node.outputs[1] || r.node.outputs[2]) r.refuse("it also gives its mean and deviation, which no layer here gives.");
  const x = r.wire(0);
  const axis = r.axis(r.int("axis", -1), x.type.shape.length);
  const weight = r.need(1, "scale");
  const bias = r.has(2) ? r.need(2, "shift") : null;
  const sizes = x.type.shape.slice(axis).map(Number);
  const fit = (tensor: Tensor) => (countTensor(tensor.shape) === countTensor(sizes) ? reshapeTensor(tensor, sizes) : tensor);
  const isPlain = !bias && numbersOf(weight).every((value) => value === 1);
  return known.wire(
    r.draw(
      "layer_norm",
      { axes: sizes.length, eps: r.float("epsilon", 1e-5), elementwise_affine: !isPlain, bias: bias !== null || isPlain },
      { x },
      { name: r.label(1), weights: isPlain ? {} : { weight: fit(weight), ...(bias ? { bias: fit(bias) } : {}) } },
    ),
  );
};

export const groupNorm: Rule = (r: Reading) => {
  const x = r.wire(0);
  const groups = r.int("num_groups", 1);
  const [weight, bias] = [r.need(1, "scale"), r.need(2, "shift")];
  const channels = Number(x.type.shape[1]);
  // Until opset 21 there was one scale a group.
  const spread = (tensor: Tensor) => {
    const numbers = numbersOf(tensor);
    return numbers.length === channels
      ? tensor
      : tensorOf(
          "float32",
          [channels],
          Array.from({ length: channels }, (_, i) => numbers[Math.floor((i * groups) / channels)] ?? 1),
        );
  };
  return known.wire(
    r.draw("group_norm", { num_groups: groups, eps: r.float("epsilon", 1e-5) }, { x }, { name: r.label(1), weights: { weight: spread(weight), bias: spread(bias) } }),
  );
};

export const instanceNorm: Rule = (r: Reading) => {
  const x = r.wire(0);
  const axes = x.type.shape.length - 2;
  return known.wire(
    r.draw(
      `instance_norm${axes}d`,
      { eps: r.float("epsilon", 1e-5), affine: true },
      { x },
      { name: r.label(1), weights: { weight: r.need(1, "scale"), bias: r.need(2, "shift") } },
    ),
  );
};
