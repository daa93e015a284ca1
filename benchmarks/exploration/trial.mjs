/** One training of PPO, alone or with a bonus: what the scripts of this folder have in common. */
import {
  disagreement,
  e3b,
  episodicCount,
  gridWorld,
  gymnasium,
  icm,
  ngu,
  ppo,
  pseudoCounts,
  re3,
  ride,
  rnd,
  trainAgent,
} from '@tfgraft/rl-exploration'

/** The same for every method and every task, unless an experiment says otherwise. */
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
const recurrent = {
  lstm: { recurrent: 'lstm', sequenceLength: 32 },
  gru: { recurrent: 'gru', sequenceLength: 32 },
}

/** Grid worlds here; names that begin with MiniHack in Python. */
function environmentOf(task, seed, python) {
  if (!task.startsWith('MiniHack')) return gridWorld(task, { numEnvs, seed, encoding: 'flat' })
  return gymnasium(task, {
    numEnvs,
    seed,
    python,
    imports: ['minihack'],
    kwargs: { observation_keys: ['chars_crop'] },
    observationKey: 'chars_crop',
  })
}

/**
 * Trains, and keeps the curve: `[step, success rate, mean return]` of the last 100 episodes at every fourth update.
 *
 * @param trial `task`, `seed`, `totalSteps`, and `method`: `ppo`, `lstm`, `gru` or a bonus. `options` override those of the
 * method: of PPO, or of the bonus.
 * @param python For tasks in Python.
 */
export async function runTrial({ task, method, seed, totalSteps, options = {} }, { python } = {}) {
  const env = await environmentOf(task, 1000 * seed, python)
  const bonus = bonuses[method]?.({ ...bonusOptions[method], ...options })
  const agentOptions = bonus ? {} : { ...recurrent[method], ...options }
  const baseline = ppo(env, { ...hyperParameters, ...agentOptions })
  const [started, cpuStarted] = [performance.now(), process.cpuUsage()]
  const curve = []
  let [finished, solvedAt] = [0, null]
  const { agent } = await trainAgent(bonus ? bonus.apply(baseline) : baseline, {
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
  await env.close()
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
