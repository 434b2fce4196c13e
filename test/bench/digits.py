"""What a reader of PyTorch's MNIST example runs: its network and settings, until the test images are read at least as well as asked.

Reads one JSON order from standard input; the last line says {"seconds": since this process began, "epochs": ..., "accuracy": ...}.
Two convolutions of 32 and 64, dropout 0.25 and 0.5, a hidden layer of 128, log-softmax and NLL; Adadelta at 1.0, halved by 0.7 an epoch,
batches of 64, tests of 1,000. Rows come as in `rivals.py`: prepared when asked for, without torchvision's detour over PIL.
"""

import time

began = time.time()

import json
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from rivals import Rows


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten())
        self.classifier = nn.Sequential(nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))

    def forward(self, x):
        return F.log_softmax(self.classifier(self.features(x)), dim=1)


def main():
    order = json.loads(sys.stdin.readline())
    torch.manual_seed(order["seed"])
    torch.set_num_threads(order["threads"])
    rows = {name: Rows(np.load(files["x"]), np.load(files["target"]), order["scale"]) for name, files in order["files"].items()}
    train, test = DataLoader(rows["train"], batch_size=64, shuffle=True), DataLoader(rows["test"], batch_size=1000)
    model = Net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    for epoch in range(1, 15):
        model.train()
        for x, target in train:
            optimizer.zero_grad()
            F.nll_loss(model(x), target).backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            right = sum((model(x).argmax(1) == target).sum().item() for x, target in test)
        accuracy = right / len(rows["test"])
        print(f"epoch {epoch}: {accuracy:.4f} after {time.time() - began:.1f} s", file=sys.stderr, flush=True)
        if accuracy >= order["accuracy"]:
            break
        schedule.step()
    print(json.dumps({"seconds": time.time() - began, "epochs": epoch, "accuracy": accuracy}))


main()
