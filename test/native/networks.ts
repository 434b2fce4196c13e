import type { Graph } from "../../core/graph/document.ts";
import { chain, type Step, sketch } from "../../core/templates/sketch.ts";

/** A network drawn on the canvas, and the same in PyTorch: node ids are attribute names, made in the order of the program's weights. */
export type Network = {
  name: string;
  graph: Graph;
  input: { dtype: "float32" | "int64"; shape: number[] };
  /** How many numbers an int64 input may hold. */
  vocabulary: number;
  classes: number;
  /** The class `Model` in Python. */
  torch: string;
};

const CLASSES = 5;

/** A Linear, a ReLU, a Linear. */
const mlp: Network = {
  name: "MLP",
  graph: chain([
    ["x", "input", { shape: [20] }],
    ["fc1", "linear", { out_features: 32 }],
    ["relu1", "relu"],
    ["fc2", "linear", { out_features: 16 }],
    ["relu2", "relu"],
    ["fc3", "linear", { out_features: CLASSES }],
    ["y", "output"],
  ]),
  input: { dtype: "float32", shape: [20] },
  vocabulary: 0,
  classes: CLASSES,
  torch: `
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(20, 32)
        self.fc2 = nn.Linear(32, 16)
        self.fc3 = nn.Linear(16, ${CLASSES})
    def forward(self, x):
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))
`,
};

const cnn: Network = {
  name: "CNN with batch norm",
  graph: chain([
    ["x", "input", { shape: [2, 12, 12] }],
    ["conv1", "conv2d", { out_channels: 8, kernel_size: 3, padding: 1, bias: false }],
    ["bn1", "batch_norm2d"],
    ["relu1", "relu"],
    ["pool1", "max_pool2d", { kernel_size: 2 }],
    ["conv2", "conv2d", { out_channels: 16, kernel_size: 3, padding: 1 }],
    ["bn2", "batch_norm2d"],
    ["relu2", "relu"],
    ["pool2", "max_pool2d", { kernel_size: 2 }],
    ["flatten", "flatten"],
    ["fc", "linear", { out_features: CLASSES }],
    ["y", "output"],
  ]),
  input: { dtype: "float32", shape: [2, 12, 12] },
  vocabulary: 0,
  classes: CLASSES,
  torch: `
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(16)
        self.fc = nn.Linear(16 * 3 * 3, ${CLASSES})
    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.bn2(self.conv2(x))), 2)
        return self.fc(x.flatten(1))
`,
};

const lstm: Network = {
  name: "LSTM",
  graph: chain([
    ["x", "input", { shape: [12, 6] }],
    ["lstm", "lstm", { hidden_size: 16, num_layers: 2, batch_first: true }],
    ["mean", "mean", { dim: [1] }],
    ["fc", "linear", { out_features: CLASSES }],
    ["y", "output"],
  ]),
  input: { dtype: "float32", shape: [12, 6] },
  vocabulary: 0,
  classes: CLASSES,
  torch: `
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(6, 16, 2, batch_first=True)
        self.fc = nn.Linear(16, ${CLASSES})
    def forward(self, x):
        return self.fc(self.lstm(x)[0].mean(1))
`,
};

/** One pre-norm encoder block over embedded tokens. */
const transformer: Network = {
  name: "transformer",
  graph: drawTransformer(),
  input: { dtype: "int64", shape: [10] },
  vocabulary: 17,
  classes: CLASSES,
  torch: `
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(17, 16)
        self.norm1 = nn.LayerNorm(16)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)
        self.norm2 = nn.LayerNorm(16)
        self.up = nn.Linear(16, 64)
        self.down = nn.Linear(64, 16)
        self.fc = nn.Linear(16, ${CLASSES})
    def forward(self, x):
        x = self.embed(x)
        n = self.norm1(x)
        x = x + self.attention(n, n, n, need_weights=False)[0]
        x = x + self.down(F.gelu(self.up(self.norm2(x))))
        return self.fc(x.mean(1))
`,
};

function drawTransformer(): Graph {
  const s = sketch();
  const below = (step: Step, row: number, from: string, port = "x") => s.put(step, { column: 0, row }, { [port]: from });
  s.put(["x", "input", { shape: [10], dtype: "int64" }], { column: 0, row: 0 });
  below(["embed", "embedding", { num_embeddings: 17, embedding_dim: 16 }], 1, "x");
  below(["norm1", "layer_norm"], 2, "embed");
  below(["attention", "multihead_attention", { num_heads: 4 }], 3, "norm1", "query");
  s.put(["add1", "add"], { column: 0, row: 4 }, { a: "embed", b: "attention" });
  below(["norm2", "layer_norm"], 5, "add1");
  below(["up", "linear", { out_features: 64 }], 6, "norm2");
  below(["gelu", "gelu"], 7, "up");
  below(["down", "linear", { out_features: 16 }], 8, "gelu");
  s.put(["add2", "add"], { column: 0, row: 9 }, { a: "add1", b: "down" });
  below(["mean", "mean", { dim: [1] }], 10, "add2");
  below(["fc", "linear", { out_features: CLASSES }], 11, "mean");
  below(["y", "output"], 12, "fc");
  return s.graph();
}

/** A cell over the steps of a sequence that counts them, a way for each sample, and turns that share weights. */
const zones: Network = {
  name: "zones",
  graph: drawZones(),
  input: { dtype: "float32", shape: [12, 6] },
  vocabulary: 0,
  classes: CLASSES,
  torch: `
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.ModuleDict({"fc": nn.Linear(22, 16)})
        self.ways = nn.ModuleDict({f"case_{i}": nn.ModuleDict({"fc": nn.Linear(16, 16)}) for i in range(2)})
        self.again = nn.ModuleDict({"fc": nn.Linear(16, 16)})
        self.fc = nn.Linear(16, ${CLASSES})
    def forward(self, x):
        choice = (x.mean((1, 2)) > 0).long()
        h, said = x.new_zeros(x.shape[0], 16), []
        for t in range(x.shape[1]):
            h = torch.tanh(self.cell["fc"](torch.cat([x[:, t], h], 1)) + 0.01 * t)
            said.append(h)
        x = torch.stack(said, 1).mean(1)
        ways = torch.stack([self.ways[f"case_{i}"]["fc"](x) for i in range(2)], 1)
        x = ways[torch.arange(x.shape[0]), choice]
        for t in range(2):
            x = x + torch.tanh(self.again["fc"](x))
        return self.fc(x)
`,
};

function drawZones(): Graph {
  const cell = sketch();
  cell.put(["x", "input"], { column: 0, row: 0 });
  cell.put(["h", "input", { shape: [16] }, "h"], { column: 1, row: 0 });
  cell.put(["index", "input", {}, "index"], { column: 2, row: 0 });
  cell.put(["both", "concat"], { column: 0, row: 1 }, { x: { all: ["x", "h"] } });
  cell.put(["fc", "linear", { out_features: 16 }], { column: 0, row: 2 }, { x: "both" });
  cell.put(["count", "cast"], { column: 2, row: 1 }, { x: "index" });
  cell.put(["small", "mul", { value: 0.01 }], { column: 2, row: 2 }, { a: "count" });
  cell.put(["sum", "add"], { column: 0, row: 3 }, { a: "fc", b: "small" });
  cell.put(["tanh", "tanh"], { column: 0, row: 4 }, { x: "sum" });
  cell.put(["h_out", "output", {}, "h"], { column: 1, row: 5 }, { x: "tanh" });
  cell.put(["y", "output"], { column: 0, row: 5 }, { x: "tanh" });

  const turn = sketch();
  turn.put(["x", "input"], { column: 0, row: 0 });
  turn.stack(
    [
      ["fc", "linear", { out_features: 16 }],
      ["tanh", "tanh"],
    ],
    { column: 1, row: 1 },
    "x",
  );
  turn.put(["sum", "add"], { column: 0, row: 3 }, { a: "x", b: "tanh" });
  turn.put(["y", "output"], { column: 0, row: 4 }, { x: "sum" });

  const way = sketch();
  way.stack(
    [
      ["x", "input"],
      ["fc", "linear", { out_features: 16 }],
      ["y", "output"],
    ],
    { column: 0, row: 0 },
  );

  const s = sketch();
  s.put(["x", "input", { shape: [12, 6] }], { column: 0, row: 0 });
  s.put(["cell", "for_each_step"], { column: 0, row: 1 }, { x: "x" }, { body: cell.body() });
  s.put(["mean", "mean", { dim: [1] }], { column: 0, row: 2 }, { x: "cell" });
  s.put(["level", "mean", { dim: [1, 2] }], { column: 1, row: 2 }, { x: "x" });
  s.put(["is_high", "greater"], { column: 1, row: 3 }, { x: "level" });
  s.put(["choice", "cast", { dtype: "int64" }], { column: 1, row: 4 }, { x: "is_high" });
  s.put(["ways", "switch"], { column: 0, row: 5 }, { x: "mean", index: "choice" }, { case_0: way.body(), case_1: way.body() });
  s.put(["again", "repeat", { times: 2 }], { column: 0, row: 6 }, { x: "ways" }, { body: turn.body() });
  s.stack(
    [
      ["fc", "linear", { out_features: CLASSES }],
      ["y", "output"],
    ],
    { column: 0, row: 7 },
    "again",
  );
  return s.graph();
}

export const networks: readonly Network[] = [mlp, cnn, lstm, transformer, zones];
