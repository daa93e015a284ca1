/**
 * Round trips a second to Python by size of the answer: over a pipe, and through shared memory.
 *
 *     node benchmarks/exploration/bridge.mjs --python .venv/bin/python [--out benchmarks/results/committed/exploration-bridge.json]
 *
 * One worker with one environment whose observation is one constant array, so that what is measured is the way and not
 * the environment. The two ways take turns; medians over rounds. Run `pnpm build` first.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { environment, median } from '@tfgraft/bench/measure'
import { gymnasium } from '@tfgraft/rl-exploration'

const { values } = parseArgs({ options: { python: { type: 'string' }, out: { type: 'string' } } })
const folder = mkdtempSync(join(tmpdir(), 'tfgraft-bridge-'))
writeFileSync(
  join(folder, 'constant_env.py'),
  `
import gymnasium
import numpy as np
class Constant(gymnasium.Env):
    action_space = gymnasium.spaces.Discrete(2)
    def __init__(self, size):
        self.observation_space = gymnasium.spaces.Box(0, 255, (size,), np.uint8)
        self.value = np.zeros(size, np.uint8)
    def reset(self, *, seed=None, options=None):
        return self.value, {}
    def step(self, action):
        return self.value, 1.0, False, False, {}
gymnasium.register("Constant-v0", Constant, disable_env_checker=True)
`,
)
process.env.PYTHONPATH = folder

const ROUNDS = 7
const rows = []
for (const kilobytes of [4, 16, 64, 128, 256, 512, 1024, 4096]) {
  const make = (sharedMemoryBytes) =>
    gymnasium('Constant-v0', {
      python: values.python,
      imports: ['constant_env'],
      kwargs: { size: kilobytes * 1024 },
      sharedMemoryBytes,
    })
  const ways = { pipe: await make(Number.POSITIVE_INFINITY), sharedMemory: await make(0) }
  const steps = Math.round(Math.min(2000, 400_000 / kilobytes))
  const rates = { pipe: [], sharedMemory: [] }
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, env] of Object.entries(ways)) {
      if (round === 0) await env.reset()
      const start = performance.now()
      for (let t = 0; t < steps; t++) await env.step(new Int32Array(1))
      // The first round warms up.
      if (round > 0) rates[name].push((1000 * steps) / (performance.now() - start))
    }
  for (const env of Object.values(ways)) await env.close()
  const [pipe, sharedMemory] = [Math.round(median(rates.pipe)), Math.round(median(rates.sharedMemory))]
  rows.push({ kilobytes, pipe, sharedMemory, ratio: Math.round((100 * sharedMemory) / pipe) / 100 })
  console.log(JSON.stringify(rows.at(-1)))
}
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ environment: environment('none'), unit: 'round trips/s', rows }, null, 1)}\n`,
  )
