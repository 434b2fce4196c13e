"""What the engine is measured against: the same networks trained with PyTorch in Python.

Reads one JSON order a line, answers with one JSON line: {"seconds": ..., "samples": ..., "losses": [...]}.
  tuned   data resident as normalised tensors, one gather a batch, the fused optimizer, losses read once at the end
  stock   what PyTorch's examples do: a Dataset, a DataLoader, the default optimizer, a loss printed every ten steps
"""

import json
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

MODES = ("tuned", "stock")


def build(order):
    torch.manual_seed(order["seed"])
    scope = {"__name__": "exported"}
    exec(order["module"], scope)
    return scope["Model"]()


def loss_of(output, target):
    return F.cross_entropy(output, target)


class Rows(Dataset):
    """Prepares each row when it is asked for, by the tensor operations of torchvision's ToTensor and Normalize. torchvision also
    makes a PIL image of each row first; that is left out here, in the rival's favour."""

    def __init__(self, x, target, scale):
        self.x, self.target, self.scale = x, target, scale

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        if self.scale:
            x = torch.from_numpy(np.array(self.x[i].transpose(1, 2, 0), copy=True))
            x = x.permute(2, 0, 1).contiguous().to(torch.float32).div(255)
            x = x.clone()
            mean, std = (torch.as_tensor([self.scale[name]], dtype=x.dtype) for name in ("mean", "std"))
            if (std == 0).any():
                raise ValueError("a deviation of 0")
            x.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1))
        else:
            x = torch.from_numpy(self.x[i])
        return x, int(self.target[i]) if self.target.ndim == 1 else torch.from_numpy(self.target[i])


def train_tuned(order, x, target):
    model = build(order)
    x, target = torch.from_numpy(x), torch.from_numpy(target)
    if order["scale"]:
        x = x.to(torch.float32).div(255).sub_(order["scale"]["mean"]).div_(order["scale"]["std"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=order["lr"], fused=True)
    batch, losses, rows, steps = order["batch"], [], len(x), 0
    start = time.perf_counter()
    while steps < order["steps"]:
        permutation = torch.randperm(rows) if order["shuffle"] else None
        for first in range(0, rows - batch + 1, batch):
            index = slice(first, first + batch)
            if permutation is not None:
                index = permutation[index]
            loss = loss_of(model(x[index]), target[index])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            steps += 1
            if steps == order["steps"]:
                break
    losses = torch.stack(losses).tolist()
    return time.perf_counter() - start, steps * batch, losses


def train_stock(order, x, target):
    model = build(order)
    loader = DataLoader(Rows(x, target, order["scale"]), batch_size=order["batch"], shuffle=order["shuffle"], drop_last=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=order["lr"])
    losses, steps = [], 0
    start = time.perf_counter()
    while steps < order["steps"]:
        for data, label in loader:
            optimizer.zero_grad()
            loss = loss_of(model(data), label)
            loss.backward()
            optimizer.step()
            if steps % 10 == 0:
                losses.append(loss.item())
            steps += 1
            if steps == order["steps"]:
                break
    return time.perf_counter() - start, steps * order["batch"], losses


def main():
    for line in sys.stdin:
        order = json.loads(line)
        torch.set_num_threads(order["threads"])
        x, target = np.load(order["files"]["x"]), np.load(order["files"]["target"])
        run = train_tuned if order["mode"] == "tuned" else train_stock
        seconds, samples, losses = run(order, x, target)
        print(json.dumps({"seconds": seconds, "samples": samples, "losses": losses}), flush=True)


if __name__ == "__main__":
    main()
