"""
Runs exported PyTorch code for the property tests: a line of JSON with cases comes in, a line with their answers goes out.

For each case: the outputs of each batch in eval mode; and for the first batch the gradients, with respect to every weight and
float input, of the sum of the outputs times given numbers. Gradients are taken in training mode, but in eval mode where a pass in
training draws random numbers, since those of two programs need not be the same.
"""
import base64
import json
import sys
import warnings

import numpy
import safetensors.torch
import torch

torch.set_num_threads(1)
warnings.filterwarnings("ignore")


def decode(t):
    data = numpy.frombuffer(base64.b64decode(t["data"]), dtype=t["dtype"])
    return torch.from_numpy(data.copy().reshape(t["shape"]))


def encode(t):
    t = t.detach().contiguous()
    return {"dtype": str(t.dtype).removeprefix("torch."), "shape": list(t.shape), "data": base64.b64encode(t.numpy().tobytes()).decode()}


def results_of(y):
    return y if isinstance(y, tuple) else (y,)


def make(case):
    """The model with the case's weights, and our name of each key of its state_dict."""
    scope = {"__name__": "model"}
    exec(compile(case["code"], "model.py", "exec"), scope)
    names = list(case["weights"])
    tensors = {name: decode(t) for name, t in case["weights"].items()}
    keys = []
    load_file, load_state_dict = safetensors.torch.load_file, torch.nn.Module.load_state_dict

    def capture(self, weights, *args, **kwargs):
        keys.extend(list(weights)[: len(names)])
        return load_state_dict(self, weights, *args, **kwargs)

    safetensors.torch.load_file, torch.nn.Module.load_state_dict = lambda path: dict(tensors), capture
    try:
        model = scope["load"]()
    finally:
        safetensors.torch.load_file, torch.nn.Module.load_state_dict = load_file, load_state_dict
    return model, dict(zip(keys, names))


def take_gradients(model, names, inputs, projections):
    state = {key: value.clone() for key, value in model.state_dict().items()}

    def forward(training):
        model.load_state_dict(state)
        model.train(training)
        leaves = [decode(t) for t in inputs]
        for leaf in leaves:
            leaf.requires_grad_(leaf.is_floating_point())
        return leaves, results_of(model(*leaves))

    before = torch.get_rng_state()
    leaves, results = forward(True)
    mode = "train"
    if not torch.equal(before, torch.get_rng_state()):
        mode = "eval"
        leaves, results = forward(False)
    loss = sum((y * decode(p)).sum() for y, p in zip(results, projections) if p is not None)
    if not isinstance(loss, torch.Tensor) or not loss.requires_grad:
        return {"mode": mode, "left": "nothing to learn through"}
    if not torch.isfinite(loss):
        return {"mode": mode, "left": "not finite"}
    loss.backward()
    weights = {names[key]: None if p.grad is None else encode(p.grad) for key, p in model.named_parameters() if key in names}
    buffers = {names[key]: encode(b) for key, b in model.named_buffers() if key in names}
    return {"mode": mode, "loss": loss.item(), "inputs": [None if leaf.grad is None else encode(leaf.grad) for leaf in leaves], "weights": weights, "buffers": buffers}


def answer(case):
    model, names = make(case)
    model.eval()
    with torch.no_grad():
        outputs = [[encode(y) for y in results_of(model(*[decode(t) for t in inputs]))] for inputs in case["batches"]]
    gradients = None if case["projections"] is None else take_gradients(model, names, case["batches"][0], case["projections"])
    return {"outputs": outputs, "gradients": gradients}


for line in sys.stdin:
    answers = []
    for case in json.loads(line):
        try:
            answers.append(answer(case))
        except Exception as error:
            answers.append({"error": f"{type(error).__name__}: {error}"})
    print(json.dumps(answers), flush=True)
