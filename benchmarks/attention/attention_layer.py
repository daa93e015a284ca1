"""A differential attention layer in eager PyTorch, for benchmarks/attention/layer-times.mjs.

Written from the paper (Ye et al. 2024, arXiv 2410.05258, equations 1 to 3) in the manner of a reference: projections, rotary
positions, both maps of all heads in one product, a causal mask, softmax, the difference, a norm per head, the output projection.

Reads "forward" or "both" (forward and backward) per line, runs once, answers the milliseconds of processor and of wall time.
"""
import math
import os
import sys
import time

import torch
from torch import nn

LENGTH, WIDTH, HEADS, DEPTH = 2048, 512, 4, 0
HEAD_DIM = WIDTH // HEADS // 2


class DifferentialAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        vector = lambda: nn.Parameter(0.1 * torch.randn(HEAD_DIM))
        self.lambda_q1, self.lambda_k1, self.lambda_q2, self.lambda_k2 = (vector() for _ in range(4))
        self.lambda_init = 0.8 - 0.6 * math.exp(-0.3 * DEPTH)
        self.gamma = nn.Parameter(torch.ones(2 * HEAD_DIM))
        angles = torch.arange(LENGTH)[:, None] * 10000 ** (-torch.arange(0, HEAD_DIM, 2) / HEAD_DIM)
        self.cos, self.sin = torch.cos(angles)[:, None], torch.sin(angles)[:, None]  # [length, 1, width / 2]
        self.mask = torch.full((LENGTH, LENGTH), -math.inf).triu(1)

    def rotate(self, x):  # [batch, length, heads, width], interleaved pairs
        even, odd = x[..., ::2], x[..., 1::2]
        turned = (even * self.cos - odd * self.sin, even * self.sin + odd * self.cos)
        return torch.stack(turned, -1).flatten(-2)

    def forward(self, x):
        batch, length, _ = x.shape
        q = self.rotate(self.query(x).view(batch, length, 2 * HEADS, HEAD_DIM)).transpose(1, 2)
        k = self.rotate(self.key(x).view(batch, length, 2 * HEADS, HEAD_DIM)).transpose(1, 2)
        v = self.value(x).view(batch, length, HEADS, 2 * HEAD_DIM).transpose(1, 2)
        logits = (q * HEAD_DIM**-0.5) @ k.transpose(-1, -2) + self.mask
        maps = torch.softmax(logits, -1).view(batch, HEADS, 2, length, length)
        first = torch.exp(torch.sum(self.lambda_q1 * self.lambda_k1))
        second = torch.exp(torch.sum(self.lambda_q2 * self.lambda_k2))
        heads = (maps[:, :, 0] - (first - second + self.lambda_init) * maps[:, :, 1]) @ v
        heads = heads * torch.rsqrt(heads.pow(2).mean(-1, keepdim=True) + 1e-5) * self.gamma
        heads = (heads * (1 - self.lambda_init)).transpose(1, 2).reshape(batch, length, WIDTH)
        return self.out(heads)


def main():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(1)
    layer = DifferentialAttention()
    x = torch.randn(1, LENGTH, WIDTH, requires_grad=True)
    upstream = torch.randn(1, LENGTH, WIDTH)

    def forward():
        with torch.no_grad():
            layer(x)

    def both():
        layer.zero_grad()
        x.grad = None
        layer(x).backward(upstream)

    print(torch.__version__, flush=True)
    for line in sys.stdin:
        task = {"forward": forward, "both": both}[line.strip()]
        processor, wall = time.process_time(), time.perf_counter()
        task()
        print((time.process_time() - processor) * 1000, (time.perf_counter() - wall) * 1000, flush=True)


main()
