/**
 * Does exploring pay? PPO alone and with intrinsic rewards, same hyper-parameters, same budget, several seeds.
 *
 *     node benchmarks/exploration/train.mjs --task MultiRoom-N4-S5-v1 --seeds 5 \
 *       --methods ppo:2097152,rnd:1048576,episodicCount:655360 --out benchmarks/results/committed/exploration-multiroom.json
 *
 * Run `pnpm build` first. Trials that the file already holds are not run again. Success is the share of the last 100
 * episodes with a return above 0, while the policy explores.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import {
  disagreement,
  e3b,
  episodicCount,
  gridWorld,
  icm,
  ngu,
  ppo,
  pseudoCounts,
  re3,
  ride,
  rnd,
  trainAgent,
} from '@tfgraft/rl-exploration'

const { values } = parseArgs({
  options: {
    task: { type: 'string', default: 'MultiRoom-N4-S5-v1' },
    /** Names, each with the environment steps of its trials. */
    methods: { type: 'string', default: 'ppo:2097152,rnd:1048576,episodicCount:655360' },
    seeds: { type: 'string', default: '5' },
    out: { type: 'string' },
  },
})
const methods = values.methods.split(',').map((entry) => entry.split(':'))
const hyperParameters = {
  numSteps: 128,
  numMinibatches: 4,
  updateEpochs: 4,
  learningRate: 1e-3,
  clip: 0.2,
  entropyCoefficient: 0.01,
  gamma: 0.99,
  maxGradNorm: 0.5,
  warmupRollouts: 10,
}
const bonuses = { disagreement, e3b, episodicCount, icm, ngu, pseudoCounts, re3, ride, rnd }
const bonusOptions = { rnd: { updateProportion: 0.25 } }
const backend = await useBackend('wasm')
const here = environment(backend)

const results =
  values.out && existsSync(values.out)
    ? JSON.parse(readFileSync(values.out, 'utf8'))
    : { environment: here, hyperParameters, bonusOptions, numEnvs: 64, trials: [] }

for (let seed = 1; seed <= Number(values.seeds); seed++)
  for (const [method, budget] of methods) {
    const totalSteps = Number(budget)
    const same = (t) =>
      t.task === values.task && t.method === method && t.seed === seed && t.totalSteps === totalSteps
    if (results.trials.some(same)) continue
    const env = gridWorld(values.task, { numEnvs: 64, seed: 1000 * seed, encoding: 'flat' })
    const baseline = ppo(env, hyperParameters)
    const setup = method === 'ppo' ? baseline : bonuses[method](bonusOptions[method]).apply(baseline)
    const [started, cpuStarted] = [performance.now(), process.cpuUsage()]
    const curve = []
    let [finished, solvedAt] = [0, null]
    const { agent } = await trainAgent(setup, {
      totalSteps,
      seed,
      onUpdate: ({ step, update, episodes, successRate, meanReturn }) => {
        finished += episodes
        if (update % 4 !== 0) return
        curve.push([step, round(successRate), round(meanReturn)])
        if (finished >= 100 && successRate >= 0.9) solvedAt ??= step
      },
    })
    const seconds = (performance.now() - started) / 1000
    const cpu = process.cpuUsage(cpuStarted)
    const trial = {
      task: values.task,
      method,
      seed,
      totalSteps,
      /** A later call may add trials: what these ran on, where the file's environment is of the first call. */
      commit: here.commit,
      load: here.load,
      finalSuccess: curve.at(-1)[1],
      finalReturn: curve.at(-1)[2],
      /** First step at which 90 % of the last 100 episodes succeeded. */
      solvedAt,
      stepsPerSecond: Math.round(agent.step / seconds),
      stepsPerCpuSecond: Math.round((agent.step / (cpu.user + cpu.system)) * 1e6),
      curve,
    }
    agent.dispose()
    results.trials.push(trial)
    console.log(JSON.stringify({ ...trial, curve: undefined }))
    if (values.out) writeFileSync(values.out, `${JSON.stringify(results)}\n`)
  }

function round(value) {
  return Math.round(value * 1000) / 1000
}
