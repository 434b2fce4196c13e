"""What the engine's data path is measured against: a Dataset that decodes each JPEG with PIL when it is asked for, resizes, cuts, mirrors and
standardizes it, behind a DataLoader that keeps its workers. Reads one JSON order, answers with the seconds of each epoch."""

import json
import random
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

order = json.load(sys.stdin)
SIZE, PADDING = order["size"], order["padding"]


class Pictures(Dataset):
    def __init__(self, folder):
        self.files = sorted(Path(folder).rglob("*.jpg"))
        self.classes = {name: i for i, name in enumerate(sorted({file.parent.name for file in self.files}))}

    def __len__(self):
        return len(self.files)

    def __getitem__(self, i):
        file = self.files[i]
        with Image.open(file) as picture:
            picture = picture.convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
        x = torch.from_numpy(np.asarray(picture).copy()).permute(2, 0, 1).float().div(255).sub(0.5).div(0.25)
        x = torch.nn.functional.pad(x, [PADDING] * 4)
        top, left = random.randint(0, 2 * PADDING), random.randint(0, 2 * PADDING)
        x = x[:, top : top + SIZE, left : left + SIZE]
        if random.random() < 0.5:
            x = x.flip(-1)
        return x.contiguous(), self.classes[file.parent.name]


if __name__ == "__main__":
    torch.set_num_threads(1)
    rows = Pictures(order["folder"])
    loader = DataLoader(rows, batch_size=order["batchSize"], shuffle=True, num_workers=order["workers"], persistent_workers=order["workers"] > 0)
    own = resource.getrusage(resource.RUSAGE_SELF)
    started = own.ru_utime + own.ru_stime
    seconds = []
    for _ in range(order["epochs"]):
        start = time.perf_counter()
        seen = sum(len(x) for x, _ in loader)
        seconds.append(time.perf_counter() - start)
        assert seen == len(rows)
    # The workers' time is counted once they have ended.
    del loader
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used) - started
    print(json.dumps({"seconds": seconds, "cpuSeconds": cpu, "rows": len(rows)}))
