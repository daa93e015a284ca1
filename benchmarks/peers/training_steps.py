"""The training steps of benchmarks/backends/models.ts in PyTorch, for benchmarks/peers/steps.ts: the same shapes, Adam, and
the same plain ops for the transformer, on one thread.

Reads a name per line, takes steps until they make 30 ms, answers the milliseconds of processor time of one.
"""
import math
import sys
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy, gelu, layer_norm


def classifier(network, x, classes=10):
    labels = torch.randint(0, classes, (x.shape[0],))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def step():
        optimizer.zero_grad()
        loss = cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def lenet():
    network = nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )
    return classifier(network, torch.randn(64, 1, 28, 28))


def conv(inputs, filters, stride, size=3):
    return nn.Sequential(
        nn.Conv2d(inputs, filters, size, stride, padding=size // 2, bias=False), nn.BatchNorm2d(filters)
    )


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.branch = nn.Sequential(conv(inputs, filters, stride), nn.ReLU(), conv(filters, filters, 1))
        self.shortcut = nn.Identity() if stride == 1 else conv(inputs, filters, stride, 1)

    def forward(self, x):
        return torch.relu(self.branch(x) + self.shortcut(x))


def resnet():
    blocks = [Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2)]
    pool = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return classifier(nn.Sequential(conv(3, 16, 1), nn.ReLU(), *blocks, *pool), torch.randn(32, 3, 32, 32))


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(500, 64)
        self.lstm = nn.LSTM(64, 128, batch_first=True)
        self.head = nn.Linear(128, 10)

    def forward(self, words):
        states, _ = self.lstm(self.embedding(words))
        return self.head(states[:, -1])


class MeanEmbedding(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10_000, 64)
        self.head = nn.Linear(64, 10)

    def forward(self, words):
        return self.head(self.embedding(words).mean(1))


class Transformer(nn.Module):
    def __init__(self, length=128, width=128, heads=4, vocabulary=64):
        super().__init__()
        self.heads = heads
        weight = lambda *shape: nn.Parameter(torch.randn(*shape) * 0.05)
        self.tokens, self.positions = weight(vocabulary, width), weight(length, width)
        self.head = weight(width, vocabulary)
        self.blocks = nn.ModuleList()
        for _ in range(4):
            block = nn.Module()
            for name in ("gain1", "gain2"):
                setattr(block, name, nn.Parameter(torch.ones(width)))
            for name in ("bias1", "bias2", "narrow_bias"):
                setattr(block, name, nn.Parameter(torch.zeros(width)))
            block.widen_bias = nn.Parameter(torch.zeros(4 * width))
            block.project, block.out = weight(width, 3 * width), weight(width, width)
            block.widen, block.narrow = weight(width, 4 * width), weight(4 * width, width)
            self.blocks.append(block)
        self.register_buffer("future", torch.full((length, length), -1e9).triu(1))

    def forward(self, ids):
        batch, length = ids.shape
        width = self.tokens.shape[1]
        split = lambda x: x.view(batch, length, self.heads, -1).transpose(1, 2)
        x = self.tokens[ids] + self.positions
        for block in self.blocks:
            normed = layer_norm(x, (width,), block.gain1, block.bias1)
            q, k, v = map(split, (normed @ block.project).chunk(3, -1))
            scores = q @ k.transpose(-1, -2) * math.sqrt(self.heads / width)
            attended = torch.softmax(scores + self.future, -1) @ v
            x = x + attended.transpose(1, 2).reshape(batch, length, width) @ block.out
            normed = layer_norm(x, (width,), block.gain2, block.bias2)
            x = x + gelu(normed @ block.widen + block.widen_bias) @ block.narrow + block.narrow_bias
        return (x @ self.head).flatten(0, 1)


def transformer():
    network = Transformer()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    ids, targets = torch.randint(0, 64, (8, 128)), torch.randint(0, 64, (8 * 128,))

    def step():
        optimizer.zero_grad()
        loss = cross_entropy(network(ids), targets)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


STEPS = {
    "lenet": lenet,
    "resnet": resnet,
    "transformer": transformer,
    "lstm": lambda: classifier(Lstm(), torch.randint(0, 500, (32, 20))),
    "embedding": lambda: classifier(MeanEmbedding(), torch.randint(0, 10_000, (64, 100))),
}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    steps = {}
    print(torch.__version__, torch.__config__.parallel_info().replace("\n", "; "), flush=True)
    for line in sys.stdin:
        name = line.strip()
        if name not in steps:
            steps[name] = STEPS[name]()
        count, started, spent = 0, time.process_time(), 0.0
        while spent < 0.03:
            steps[name]()
            count += 1
            spent = time.process_time() - started
        print(spent * 1000 / count, flush=True)


main()
