"""Layers of Python packages, for benchmarks/peers/run.ts: one call of a case for each line of input, answered by its milliseconds.

The first line of output says what is installed: {"version": ..., "cases": {case: name of the peer}, "absent": {name: reason}}.
"""
import json
import sys
import time


def attention_input(torch):
    return torch.randn(1, 512, 256, requires_grad=True)


def forward_and_gradient(layer, x, backward, call=None):
    def run():
        out = (call or layer)(x)
        if backward:
            x.grad = None
            layer.zero_grad()
            out.sum().backward()
    return run


def torch_cases(torch):
    a, b = torch.randn(512, 512), torch.randn(512, 512)
    return {"matmul 512 x 512 x 512": ("PyTorch", lambda: a @ b)}


def timm_cases(torch):
    from timm.layers import DiffAttention, SplitBatchNorm2d
    attention = DiffAttention(256, num_heads=4)
    split = SplitBatchNorm2d(32, num_splits=2).train()
    image = torch.randn(32, 32, 32, 32, requires_grad=True)
    return {
        "differential attention, forward": ("timm", forward_and_gradient(attention, attention_input(torch), False)),
        "differential attention, with gradients": ("timm", forward_and_gradient(attention, attention_input(torch), True)),
        "split batch norm, with gradients": ("timm", forward_and_gradient(split, image, True)),
    }


def transformers_cases(torch):
    from transformers import DiffLlamaConfig
    from transformers.models.diffllama.modeling_diffllama import DiffLlamaAttention, DiffLlamaRotaryEmbedding
    config = DiffLlamaConfig(hidden_size=256, num_attention_heads=8, num_key_value_heads=8, vocab_size=8)
    layer, rotary = DiffLlamaAttention(config, layer_idx=0), DiffLlamaRotaryEmbedding(config)
    positions = torch.arange(512)[None]

    def call(x):
        return layer(x, position_embeddings=rotary(x, positions), attention_mask=None)[0]
    return {
        "DiffLlama attention, forward": ("transformers", forward_and_gradient(layer, attention_input(torch), False, call)),
        "DiffLlama attention, with gradients": ("transformers", forward_and_gradient(layer, attention_input(torch), True, call)),
    }


def attack_cases(torch):
    import torchattacks
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 25, 10)
    ).eval()
    attack = torchattacks.PGD(model, eps=0.1, alpha=0.025, steps=10)
    images, labels = torch.rand(32, 1, 28, 28), torch.arange(32) % 10
    return {"PGD, 10 steps": ("torchattacks", lambda: attack(images, labels))}


def main():
    import torch
    torch.set_num_threads(1)
    torch.manual_seed(1)
    cases, absent = torch_cases(torch), {}
    for name, make in (("timm", timm_cases), ("transformers", transformers_cases), ("torchattacks", attack_cases)):
        try:
            cases.update(make(torch))
        except Exception as error:  # whatever a package of another version does
            absent[name] = str(error).split("\n")[0]
    names = {case: peer for case, (peer, _) in cases.items()}
    print(json.dumps({"version": torch.__version__, "cases": names, "absent": absent}), flush=True)
    for line in sys.stdin:
        run = cases[line.strip()][1]
        start = time.process_time()
        run()
        print((time.process_time() - start) * 1000, flush=True)


main()
