import type { Tensor } from "../export/tensor.ts";
import { concatTensors, numbersOf, reshapeTensor, sliceTensor } from "./constants.ts";
import type { Wire } from "./drawing.ts";
import { known, type Reading, type Rule } from "./onnx-reading.ts";

/** LSTM and GRU. ONNX: [directions, gates · hidden, …] with gates in its own order; PyTorch: one weight for each direction. */
export const recurrent =
  (type: "lstm" | "gru" | "rnn", order: readonly number[]): Rule =>
  (r: Reading) => {
    const isLstm = type === "lstm";
    const hidden = r.int("hidden_size", 0);
    const direction = r.text("direction", "forward");
    if (direction === "reverse") r.refuse("it runs backwards only; layers run forwards or both ways.");
    const bends = r.texts("activations").map((name) => name.toLowerCase());
    const isPlain = bends.length === 0 || (type === "rnn" && bends.every((bend) => bend === bends[0] && ["tanh", "relu"].includes(bend)));
    if (!isPlain || r.node.attributes.has("clip") || r.int("layout", 0) || r.int("input_forget", 0)) r.refuse("it has activations, a clip, a layout or coupled gates of its own.");
    if (type === "gru" && r.int("linear_before_reset", 0) !== 1) r.refuse("its reset gate comes before the product (linear_before_reset=0); PyTorch's comes after.");
    if (r.has(7)) r.refuse("it has peepholes.");
    /** A memory to start with, unless it is zeros. */
    const start = (i: number) => (r.has(i) && !(r.constant(i) && numbersOf(r.need(i, "memory")).every((value) => value === 0)) ? { [i === 5 ? "h0" : "c0"]: r.wire(i) } : {});
    const starts = { ...start(5), ...(isLstm ? start(6) : {}), ...(r.has(4) ? { lengths: r.wire(4) } : {}) };
    const x = r.wire(0);
    const [inputs, memories] = [r.need(1, "weight"), r.need(2, "weight of the memory")];
    const bias = r.has(3) ? r.need(3, "bias") : null;
    const gates = order.length;
    const directions = direction === "bidirectional" ? 2 : 1;
    if (inputs.shape[0] !== directions || inputs.shape[1] !== gates * hidden)
      r.refuse(`its weight [${inputs.shape.join(", ")}] does not go with ${directions} directions of ${hidden}.`);
    /** PyTorch's gate i stands at ONNX's place `order.indexOf(i)`. */
    const arrange = (tensor: Tensor, d: number, from: number, width: number[]): Tensor => {
      const one = reshapeTensor(sliceTensor(tensor, 0, d, d + 1, 1), tensor.shape.slice(1));
      const parts = order.map((_, gate) => {
        const at = from + order.indexOf(gate) * hidden;
        return sliceTensor(one, 0, at, at + hidden, 1);
      });
      return reshapeTensor(concatTensors(parts, 0), [gates * hidden, ...width]);
    };
    const weights: { [name: string]: Tensor } = {};
    for (let d = 0; d < directions; d++) {
      const suffix = d === 0 ? "l0" : "l0_reverse";
      weights[`weight_ih_${suffix}`] = arrange(inputs, d, 0, [inputs.shape[2] ?? 1]);
      weights[`weight_hh_${suffix}`] = arrange(memories, d, 0, [hidden]);
      if (bias) {
        weights[`bias_ih_${suffix}`] = arrange(bias, d, 0, []);
        weights[`bias_hh_${suffix}`] = arrange(bias, d, gates * hidden, []);
      }
    }
    const drawn = r.around.drawing.add(
      type,
      { hidden_size: hidden, bias: bias !== null, batch_first: false, bidirectional: directions === 2, ...(bends[0] === "relu" ? { nonlinearity: "relu" } : {}) },
      { x, ...starts },
      { name: r.label(1), weights },
    );
    const { y, h, c } = drawn.outputs;
    if (!y || !h) r.refuse("the layer gives no sequence.");
    const [sequenceName = ""] = r.node.outputs;
    r.around.merged.set(sequenceName, { wire: y, form: "time, directions, batch" });
    // The sequence with its axes apart, for whoever does not merge them at once: [time, batch, directions, hidden] → [time, directions, batch, hidden].
    const isRead = sequenceName !== "" && r.around.usesOf(sequenceName) > 0;
    const apart = isRead ? drawApart(r, y, directions, hidden) : null;
    return [apart ? known.wire(apart) : { kind: "failed" }, known.wire(h), ...(c ? [known.wire(c)] : [])];
  };

function drawApart(r: Reading, y: Wire, directions: number, hidden: number): Wire {
  return r.draw("permute", { dims: [0, 2, 1, 3] }, { x: r.draw("reshape", { shape: [-1, directions, hidden] }, { x: y }) });
}
