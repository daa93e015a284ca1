"""Steps Gymnasium environments for a JavaScript parent over stdin and stdout. Needs gymnasium and numpy only.

Protocol 2. Every message is a frame: four little-endian uint32 (magic, kind, sequence number, bytes of payload), then
the payload. The parent begins with CONFIGURE (JSON); the answer to it is JSON as well: spaces, as they go over the wire.
RESET carries a JSON seed; STEP carries the raw actions of all environments. Their answers are raw arrays of fixed size:
the leaves of the observations one after the other, each [environments, ...]; rewards as float32; terminated and
truncated as uint8; in a STEP that ended an episode (kind OK_FINAL), the last observations too. Episodes start anew in
the same step. An exception is answered by ERROR with its traceback. The end of stdin ends the process.

Answers of `sharedMemoryBytes` and more go through a memory-mapped file instead: the same bytes at its beginning, and a
frame without payload. CONFIGURE's answer names the file; the parent unlinks it once both have it open.
"""

import json
import mmap
import os
import struct
import sys
import tempfile
import traceback

PROTOCOL = 2
MAGIC = 0x4D594754
CONFIGURE, RESET, STEP, CLOSE = 1, 2, 3, 4
OK, OK_FINAL, ERROR = 10, 11, 12

# Whatever prints goes to stderr: stdout is the wire.
wire_out = os.fdopen(os.dup(1), "wb", buffering=0)
wire_in = os.fdopen(os.dup(0), "rb", buffering=0)
os.dup2(2, 1)
sys.stdout = sys.stderr


def read_exactly(size):
    parts = bytearray(size)
    view = memoryview(parts)
    got = 0
    while got < size:
        count = wire_in.readinto(view[got:])
        if not count:
            os._exit(0)  # the parent is gone
        got += count
    return parts


def write_all(data):
    view = memoryview(data).cast("B")
    while len(view):
        view = view[wire_out.write(view):]


def send(kind, sequence, payload):
    write_all(struct.pack("<4I", MAGIC, kind, sequence, len(payload)) + bytes(payload))


def wire_dtype(dtype):
    import numpy as np

    dtype = np.dtype(dtype)
    if dtype == np.uint8 or dtype == np.bool_:
        return np.uint8
    return np.int32 if dtype.kind in "iu" else np.float32


def describe(space):
    """A space as JSON, and None for one that cannot go over the wire (text)."""
    import numpy as np
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        low, high = float(np.min(space.low)), float(np.max(space.high))
        return {
            "type": "box",
            "shape": list(space.shape),
            "dtype": np.dtype(wire_dtype(space.dtype)).name,
            "low": low if np.isfinite(low) else None,
            "high": high if np.isfinite(high) else None,
        }
    if isinstance(space, spaces.Discrete):
        return {"type": "discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"type": "multi-discrete", "nvec": [int(n) for n in space.nvec.ravel()]}
    if isinstance(space, spaces.Dict):
        parts = {name: describe(part) for name, part in space.spaces.items()}
        return {"type": "dict", "spaces": {name: part for name, part in parts.items() if part}}
    return None


def leaves(description, path=()):
    """(path, shape, dtype) of every array of a described space, in order."""
    import numpy as np

    kind = description["type"]
    if kind == "dict":
        return [leaf for name, part in description["spaces"].items() for leaf in leaves(part, path + (name,))]
    if kind == "box":
        return [(path, tuple(description["shape"]), np.dtype(description["dtype"]))]
    return [(path, (len(description["nvec"]),) if kind == "multi-discrete" else (), np.dtype("int32"))]


class Worker:
    def configure(self, config):
        import importlib

        import gymnasium
        import numpy as np

        for module in config["imports"]:
            importlib.import_module(module)
        self.np = np
        count = config["numEnvs"]
        self.envs = [gymnasium.make(config["id"], **config["kwargs"]) for _ in range(count)]
        observation = describe(self.envs[0].observation_space)
        self.key = config["observationKey"]
        if self.key is not None:
            observation = observation["spaces"][self.key]
        action = describe(self.envs[0].action_space)
        if observation is None or action is None or action["type"] == "dict":
            raise TypeError(f"unsupported spaces: {self.envs[0].observation_space}, {self.envs[0].action_space}")
        self.leaves = leaves(observation)
        self.action = action
        sizes = [count * int(np.prod(shape)) * dtype.itemsize for _, shape, dtype in self.leaves]
        self.observation_bytes = sum(sizes)
        self.answer_bytes = self.observation_bytes + 6 * count
        size = self.answer_bytes + self.observation_bytes
        limit = config["sharedMemoryBytes"]
        self.shared = None if limit is None or self.answer_bytes < limit else self.share(size)
        self.buffer = memoryview(bytearray(size) if self.shared is None else self.map)
        self.arrays = self.views(self.buffer, count, sizes)
        self.final_arrays = self.views(self.buffer[self.answer_bytes :], count, sizes)
        at = self.observation_bytes
        self.rewards = np.frombuffer(self.buffer, np.float32, count, at)  # may be unaligned: numpy copes
        self.terminated = np.frombuffer(self.buffer, np.uint8, count, at + 4 * count)
        self.truncated = np.frombuffer(self.buffer, np.uint8, count, at + 5 * count)
        return {
            "protocol": PROTOCOL,
            "observationSpace": observation,
            "actionSpace": action,
            "sharedFile": self.shared,
        }

    def share(self, size):
        # Memory where the system has a file system of it; else a temporary file, which stays in the page cache.
        folder = "/dev/shm" if os.path.isdir("/dev/shm") else None
        descriptor, path = tempfile.mkstemp(prefix="tfgraft-", dir=folder)
        os.ftruncate(descriptor, size)
        self.map = mmap.mmap(descriptor, size)
        os.close(descriptor)
        return path

    def answer(self, ended):
        if self.shared is not None:
            return (OK_FINAL if ended else OK), b""
        return (OK_FINAL, self.buffer) if ended else (OK, self.buffer[: self.answer_bytes])

    def views(self, buffer, count, sizes):
        arrays, at = [], 0
        for (_, shape, dtype), size in zip(self.leaves, sizes):
            arrays.append(self.np.ndarray((count, *shape), dtype, buffer, at))
            at += size
        return arrays

    def write(self, arrays, index, observation):
        if self.key is not None:
            observation = observation[self.key]
        for (path, _, _), array in zip(self.leaves, arrays):
            part = observation
            for name in path:
                part = part[name]
            array[index] = part

    def reset(self, seed):
        for index, env in enumerate(self.envs):
            observation, _ = env.reset(seed=None if seed is None else seed + index)
            self.write(self.arrays, index, observation)
        self.rewards[:] = 0
        self.terminated[:] = 0
        self.truncated[:] = 0
        return self.answer(False)

    def step(self, payload):
        np = self.np
        count = len(self.envs)
        if self.action["type"] == "box":
            shape = tuple(self.action["shape"])
            actions = np.frombuffer(payload, np.float32).reshape((count, *shape))
        elif self.action["type"] == "multi-discrete":
            actions = np.frombuffer(payload, np.int32).reshape((count, -1))
        else:
            actions = np.frombuffer(payload, np.int32)
        ended = False
        for index, env in enumerate(self.envs):
            action = actions[index]
            if self.action["type"] == "discrete":
                action = int(action)
            observation, reward, terminated, truncated, _ = env.step(action)
            self.rewards[index] = reward
            self.terminated[index] = terminated
            self.truncated[index] = truncated
            if terminated or truncated:
                ended = True
                self.write(self.final_arrays, index, observation)
                observation, _ = env.reset()
            self.write(self.arrays, index, observation)
        return self.answer(ended)


def main():
    worker = Worker()
    while True:
        magic, kind, sequence, size = struct.unpack("<4I", read_exactly(16))
        payload = read_exactly(size)
        if magic != MAGIC or kind == CLOSE:
            os._exit(0 if kind == CLOSE else 1)
        try:
            if kind == CONFIGURE:
                answer = OK, json.dumps(worker.configure(json.loads(bytes(payload).decode()))).encode()
            elif kind == RESET:
                answer = worker.reset(json.loads(bytes(payload).decode()))
            else:
                answer = worker.step(payload)
        except Exception:
            answer = ERROR, traceback.format_exc().encode()
        send(answer[0], sequence, answer[1])


main()
