/** One training of PPO, alone or with a bonus, on a grid world: what the scripts of this folder have in common. */
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

/** The same for every method and every task: a baseline is tuned exactly as much as what is compared with it. */
export const hyperParameters = {
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
/** Where a bonus does not run with its defaults. */
export const bonusOptions = { rnd: { updateProportion: 0.25 } }
export const numEnvs = 64

const bonuses = { disagreement, e3b, episodicCount, icm, ngu, pseudoCounts, re3, ride, rnd }

/**
 * Trains, and keeps the curve: `[step, success rate, mean return]` of the last 100 episodes at every fourth update.
 *
 * @param trial `task`, `method` (`ppo` or a bonus), `seed`, `totalSteps`; `ppo` and `bonus` override options.
 */
export async function runTrial({
  task,
  method,
  seed,
  totalSteps,
  encoding = 'flat',
  ppo: given = {},
  bonus = {},
}) {
  const env = gridWorld(task, { numEnvs, seed: 1000 * seed, encoding })
  const baseline = ppo(env, { ...hyperParameters, ...given })
  const setup =
    method === 'ppo' ? baseline : bonuses[method]({ ...bonusOptions[method], ...bonus }).apply(baseline)
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
  const steps = agent.step
  agent.dispose()
  return {
    finalSuccess: curve.at(-1)[1],
    finalReturn: curve.at(-1)[2],
    /** First step at which 90 % of the last 100 episodes succeeded. */
    solvedAt,
    stepsPerSecond: Math.round(steps / seconds),
    stepsPerCpuSecond: Math.round((steps / (cpu.user + cpu.system)) * 1e6),
    curve,
  }
}

function round(value) {
  return Math.round(value * 1000) / 1000
}
