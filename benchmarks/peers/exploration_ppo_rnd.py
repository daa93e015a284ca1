"""PPO with random network distillation in PyTorch on Python's MiniGrid, for benchmarks/peers/exploration.mjs.

One file in the manner of CleanRL, written anew from the papers (Schulman et al. 2017, arXiv 1707.06347; Burda et al.
2018, arXiv 1810.12894): a SyncVectorEnv, tensors for the rollout, two value heads, one Adam for agent and predictor.
Sizes and hyper-parameters are those of benchmarks/exploration/trial.mjs.

    pip install torch gymnasium minigrid

Answers every line of input by one update (a rollout and four epochs): its milliseconds, and the mean loss.
"""
import sys
import time

import gymnasium as gym
import minigrid  # noqa: F401 (registers the environments)
import numpy as np
import torch
from torch import nn

TASK = sys.argv[1]
ENVS, STEPS, MINIBATCHES, EPOCHS = 64, 128, 4, 4
GAMMA, INTRINSIC_GAMMA, LAMBDA, CLIP = 0.99, 0.99, 0.95, 0.2
ENTROPY, VALUE, INTRINSIC, PROPORTION, MAX_NORM = 0.01, 0.5, 0.1, 0.25, 0.5


class Moments:
    """Running mean and variance by parallel moments."""

    def __init__(self, shape=()):
        self.mean, self.var, self.count = np.zeros(shape), np.ones(shape), 1e-4

    def update(self, x):
        mean, var, count = x.mean(0), x.var(0), x.shape[0]
        total = self.count + count
        delta = mean - self.mean
        spread = self.var * self.count + var * count + delta**2 * self.count * count / total
        self.mean, self.var, self.count = self.mean + delta * count / total, spread / total, total

    def normalize(self, x):
        return np.clip((x - self.mean) / np.sqrt(self.var + 1e-8), -5, 5).astype(np.float32)


def layer(inputs, outputs, gain=np.sqrt(2)):
    linear = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(linear.weight, gain)
    nn.init.zeros_(linear.bias)
    return linear


class Flat(gym.ObservationWrapper):
    def __init__(self, env):
        super().__init__(env)
        self.observation_space = gym.spaces.Box(0, 255, (147,), np.uint8)

    def observation(self, observation):
        return observation["image"].ravel()


envs = gym.vector.SyncVectorEnv(
    [lambda: Flat(gym.make(f"MiniGrid-{TASK}")) for _ in range(ENVS)],
    autoreset_mode=gym.vector.AutoresetMode.SAME_STEP,
)
actions_count = envs.single_action_space.n
body = nn.Sequential(layer(147, 64), nn.ReLU(), layer(64, 64), nn.ReLU())
actor, critic, intrinsic_critic = layer(64, actions_count, 0.01), layer(64, 1, 0.1), layer(64, 1, 0.1)
target = nn.Sequential(layer(147, 64), nn.ReLU(), layer(64, 64))
predictor = nn.Sequential(layer(147, 64), nn.ReLU(), layer(64, 64), nn.ReLU(), layer(64, 64))
parameters = [p for m in (body, actor, critic, intrinsic_critic, predictor) for p in m.parameters()]
optimizer = torch.optim.Adam(parameters, lr=1e-3, eps=1e-5)
moments, returns_moments = Moments((147,)), Moments()
discounted = np.zeros(ENVS)

observation, _ = envs.reset(seed=1)
for _ in range(3):
    rows = []
    for _ in range(STEPS):
        observation, *_ = envs.step(envs.action_space.sample())
        rows.append(observation)
    moments.update(np.concatenate(rows))
next_done = torch.zeros(ENVS)


def heads(x):
    hidden = body(x)
    return actor(hidden), critic(hidden).squeeze(1), intrinsic_critic(hidden).squeeze(1)


def advantages(rewards, values, next_value, dones, next_done, gamma, episodic):
    out, last = torch.zeros_like(rewards), 0
    for t in reversed(range(STEPS)):
        alive = 1 - (next_done if t == STEPS - 1 else dones[t + 1]) if episodic else 1
        after = next_value if t == STEPS - 1 else values[t + 1]
        last = rewards[t] + gamma * after * alive - values[t] + gamma * LAMBDA * alive * last
        out[t] = last
    return out


def update():
    global observation, next_done, discounted
    raw = np.zeros((STEPS, ENVS, 147), np.uint8)
    states = torch.zeros(STEPS, ENVS, 147)
    actions = torch.zeros(STEPS, ENVS, dtype=torch.long)
    logs, rewards, dones, values, intrinsic_values, curiosity = (torch.zeros(STEPS, ENVS) for _ in range(6))
    for t in range(STEPS):
        raw[t] = observation
        states[t] = torch.from_numpy(moments.normalize(observation))
        dones[t] = next_done
        with torch.no_grad():
            logits, values[t], intrinsic_values[t] = heads(states[t])
            policy = torch.distributions.Categorical(logits=logits)
            actions[t] = policy.sample()
            logs[t] = policy.log_prob(actions[t])
        observation, reward, terminated, truncated, _ = envs.step(actions[t].numpy())
        rewards[t] = torch.from_numpy(np.asarray(reward, np.float32))
        next_done = torch.from_numpy(np.logical_or(terminated, truncated).astype(np.float32))
        with torch.no_grad():
            novel = torch.from_numpy(moments.normalize(observation))
            curiosity[t] = (target(novel) - predictor(novel)).pow(2).sum(1) / 2
    filtered = np.zeros((STEPS, ENVS))
    for t in range(STEPS):
        discounted = INTRINSIC_GAMMA * discounted + curiosity[t].numpy()
        filtered[t] = discounted
    returns_moments.update(filtered.ravel())
    curiosity /= float(np.sqrt(returns_moments.var))
    moments.update(raw.reshape(-1, 147))
    with torch.no_grad():
        _, next_value, next_intrinsic = heads(torch.from_numpy(moments.normalize(observation)))
    extrinsic = advantages(rewards, values, next_value, dones, next_done, GAMMA, True)
    intrinsic = advantages(curiosity, intrinsic_values, next_intrinsic, dones, next_done, INTRINSIC_GAMMA, False)
    flat = [
        x.reshape(-1, *x.shape[2:])
        for x in (states, actions, logs, extrinsic + INTRINSIC * intrinsic, extrinsic + values, intrinsic + intrinsic_values)
    ]
    novel = torch.from_numpy(moments.normalize(raw.reshape(-1, 147)))
    rows, losses = STEPS * ENVS, []
    for _ in range(EPOCHS):
        for chosen in torch.randperm(rows).split(rows // MINIBATCHES):
            x, action, old, advantage, target_return, intrinsic_return = (part[chosen] for part in flat)
            logits, value, intrinsic_value = heads(x)
            policy = torch.distributions.Categorical(logits=logits)
            ratio = (policy.log_prob(action) - old).exp()
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            policy_loss = -torch.min(advantage * ratio, advantage * ratio.clamp(1 - CLIP, 1 + CLIP)).mean()
            value_loss = ((value - target_return).pow(2).mean() + (intrinsic_value - intrinsic_return).pow(2).mean()) / 2
            learnt = chosen[torch.rand(len(chosen)) < PROPORTION]
            error = (predictor(novel[learnt]) - target(novel[learnt]).detach()).pow(2).mean()
            loss = policy_loss - ENTROPY * policy.entropy().mean() + VALUE * value_loss + 0.1 * error
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, MAX_NORM)
            optimizer.step()
            losses.append(float(loss))
    return np.mean(losses)


print(torch.__version__, torch.get_num_threads(), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    loss = update()
    print(1000 * (time.perf_counter() - start), loss, flush=True)
