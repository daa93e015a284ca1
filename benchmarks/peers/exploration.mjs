/**
 * PPO with RND from end to end, here and in PyTorch on Python's MiniGrid, in one run, taking turns by updates.
 *
 *     apt-get install python3-torch libopenblas0-openmp     # or pip install torch
 *     /usr/bin/python3 -m venv --system-site-packages .peers && .peers/bin/pip install 'numpy<2' gymnasium minigrid
 *     node benchmarks/peers/exploration.mjs --python .peers/bin/python [--rounds 12] [--out file.json]
 *
 * MultiRoom-N4-S5-v1, 64 environments x 128 steps an update, the networks and hyper-parameters of
 * benchmarks/exploration/trial.mjs on both sides; PyTorch may use all cores. Wall time: environments, acting and learning.
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { useBackend } from '@tfgraft/backends'
import { environment, median } from '@tfgraft/bench/measure'
import { createAgent, gridWorld, ppo, rnd } from '@tfgraft/rl-exploration'
import { bonusOptions, hyperParameters, numEnvs } from '../exploration/trial.mjs'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    rounds: { type: 'string', default: '12' },
    python: { type: 'string', default: 'python3' },
  },
})
const task = 'MultiRoom-N4-S5-v1'
const script = fileURLToPath(new URL('exploration_ppo_rnd.py', import.meta.url))
const python = spawn(values.python, [script, task], { stdio: ['pipe', 'pipe', 'inherit'] })
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]()
const answer = async () => {
  const { value, done } = await lines.next()
  if (done)
    throw new Error(
      `peers: ${values.python} must have torch, gymnasium and minigrid. Received an end of its output.`,
    )
  return value
}
const [torch, threads] = (await answer()).split(' ')

const backend = await useBackend('wasm')
const env = gridWorld(task, { numEnvs, seed: 1, encoding: 'flat' })
const agent = await createAgent(rnd(bonusOptions.rnd).apply(ppo(env, hyperParameters)), { seed: 1 })
const steps = numEnvs * hyperParameters.numSteps
const rates = { tfgraft: [], torch: [] }
for (let round = -2; round < Number(values.rounds); round++) {
  const start = performance.now()
  await agent.update(0)
  const ours = performance.now() - start
  python.stdin.write('update\n')
  const theirs = Number((await answer()).split(' ')[0])
  // The first two rounds warm up.
  if (round < 0) continue
  rates.tfgraft.push((1000 * steps) / ours)
  rates.torch.push((1000 * steps) / theirs)
}
python.stdin.end()
agent.dispose()
const report = {
  command: 'node benchmarks/peers/exploration.mjs',
  environment: { ...environment(backend), torch, torchThreads: Number(threads) },
  task,
  rounds: Number(values.rounds),
  stepsPerSecond: { tfgraft: Math.round(median(rates.tfgraft)), torch: Math.round(median(rates.torch)) },
  /** Median over rounds. */
  ratio: Math.round(100 * median(rates.tfgraft.map((rate, round) => rate / rates.torch[round]))) / 100,
}
console.log(report)
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
