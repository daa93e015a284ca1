"""Training steps of a 784-512-512-10 perceptron in PyTorch, for benchmarks/peers/proxprop.mjs.

Plain backpropagation and proximal backpropagation with n steps of conjugate gradient, as the reference implementation
(github.com/tfrerix/proxprop) organises it, written anew: a module per layer whose backward pass replaces the gradient
of its weights by W - W+, with CG started at W on the normal equations, one step size per output unit.

Reads a name per line ("plain", "cg1", ...), takes one step, answers its milliseconds.
"""
import sys
import time

import torch

TAU = 0.05
EPSILON = 1e-6


class ProximalLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, steps):
        output = torch.addmm(bias, x, weight.t())
        ctx.save_for_backward(x, weight, bias, output)
        ctx.steps = steps
        return output

    @staticmethod
    def backward(ctx, grad):
        x, weight, bias, output = ctx.saved_tensors
        grad_x = grad @ weight if ctx.needs_input_grad[0] else None
        a = torch.cat([x, x.new_ones(x.shape[0], 1)], 1)
        start = torch.cat([weight.t(), bias[None]], 0)
        target = output - grad
        solution = conjugate_gradient(a, target, start, ctx.steps)
        update = start - solution
        return grad_x, update[:-1].t(), update[-1], None


def conjugate_gradient(a, target, start, steps):
    """min_X 1/2 |A X - target|^2 + 1/(2 tau) |X - start|^2, from X = start."""

    def normal(x):
        return a.t() @ (a @ x) + x / TAU

    x = start
    residual = a.t() @ target + start / TAU - normal(x)
    direction = residual
    squared = (residual * residual).sum(0)
    for _ in range(steps):
        image = normal(direction)
        alpha = squared / ((direction * image).sum(0) + EPSILON)
        x = x + alpha * direction
        residual = residual - alpha * image
        after = (residual * residual).sum(0)
        direction = residual + after / (squared + EPSILON) * direction
        squared = after
    return x


class Network(torch.nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.layers = torch.nn.ModuleList([torch.nn.Linear(784, 512), torch.nn.Linear(512, 512), torch.nn.Linear(512, 10)])

    def forward(self, x):
        for layer in self.layers[:-1]:
            z = ProximalLinear.apply(x, layer.weight, layer.bias, self.steps) if self.steps else layer(x)
            x = torch.relu(z)
        return self.layers[-1](x)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    x = torch.rand(128, 784)
    y = torch.arange(128) % 10
    trainings = {}
    print(torch.__version__, torch.get_num_threads(), torch.__config__.parallel_info().split("\n")[0], flush=True)
    for line in sys.stdin:
        name = line.strip()
        if name not in trainings:
            network = Network(0 if name == "plain" else int(name[2:]))
            trainings[name] = network, torch.optim.SGD(network.parameters(), lr=0.01)
        network, optimizer = trainings[name]
        started = time.perf_counter()
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        loss.item()
        print((time.perf_counter() - started) * 1000, flush=True)


main()
