/** A grid world whose only reward is far away: what exploration bonuses are for. */
import type { Method } from '@tfgraft/core'
import {
  type Agent,
  type AgentSetup,
  type AgentState,
  createAgent,
  gridWorld,
  ppo,
  type UpdateReport,
} from '@tfgraft/rl-exploration'
import type { Hyperparameters, Task, Training } from '../task'
import { explorationPictures } from './exploration-pictures'

const world = 'MultiRoom-N2-S4-v0'
const numEnvs = 16
const numSteps = 64
/** What a checkpoint holds. */
interface ExplorationState {
  agent: AgentState
  /** Updates so far, all epochs together. */
  updates: number
  /** Sum of the policy losses of the epoch that is under way. */
  lossSum: number
  last: UpdateReport | undefined
}

/** Updates that count as one epoch: between two points of the curves. */
const updatesPerEpoch = 6

const grid = [0.0003, 0.001, 0.003].map((learningRate) => ({ learningRate }))

/** `return 0.41  success 62 %  rnd 0.0312  5,300 steps/s`; no return before an episode has ended. */
export function liveStatus({ meanReturn, successRate, bonuses, stepsPerSecond }: UpdateReport): string {
  const outcome = Number.isNaN(meanReturn)
    ? 'no episode yet'
    : `return ${meanReturn.toFixed(2)}  success ${Math.round(100 * successRate)} %`
  const paid = Object.entries(bonuses).map(([name, mean]) => `${name} ${mean.toPrecision(3)}`)
  return [outcome, ...paid, `${Math.round(stepsPerSecond).toLocaleString('en')} steps/s`].join('  ')
}

export const exploration: Task<AgentSetup> = {
  name: 'exploration',
  title: 'Two rooms and a door, PPO',
  kind: 'agent',
  summary:
    `MiniGrid's ${world}, equal to the Python environment seed for seed: the only reward waits behind a door that must be opened. ` +
    `PPO with ${numEnvs} environments and rollouts of ${numSteps} steps; a bonus adds a value head and its own rewards. One epoch is ` +
    `${updatesPerEpoch} updates (${(updatesPerEpoch * numEnvs * numSteps).toLocaleString('en')} environment steps). The training loss is that of the policy.`,
  epochs: 8,
  target: 0.9,
  metrics: [
    { name: 'success', title: 'success rate', better: 'higher', format: 'percent' },
    { name: 'return', title: 'mean return', better: 'higher' },
  ],
  settings: {
    backprop: { chosen: { learningRate: 0.001 }, grid, validated: false },
    'episodic-count': { chosen: { learningRate: 0.001 }, grid, validated: false },
    rnd: { chosen: { learningRate: 0.001 }, grid, validated: false },
  },
  load: async () => ({ start, dispose() {} }),
}

async function start(
  method: Method<AgentSetup>,
  { learningRate }: Hyperparameters,
  seed: number,
): Promise<Training> {
  const env = gridWorld(world, { numEnvs, seed: 1000 * (seed + 1) })
  const setup = method.apply(
    ppo(env, {
      learningRate: Number(learningRate),
      annealLearningRate: false,
      numSteps,
      numMinibatches: 4,
      updateEpochs: 4,
      entropyCoefficient: 0.01,
      gamma: 0.99,
      clip: 0.2,
      warmupRollouts: 4,
    }),
  )
  const agent: Agent = await createAgent(setup, { seed })
  let last: UpdateReport | undefined
  let updates = 0
  let lossSum = 0
  return {
    parameters: agent.network.variables.reduce((sum, { size }) => sum + size, 0),
    stepsPerEpoch: updatesPerEpoch,
    async train({ epochs, signal, onStep, onEpoch }) {
      while (updates < epochs * updatesPerEpoch) {
        last = await agent.update(updates / (epochs * updatesPerEpoch))
        updates++
        lossSum += last.policyLoss
        await onStep({ loss: last.policyLoss, accuracy: last.successRate || 0, status: liveStatus(last) })
        if (signal.aborted) return
        if (updates % updatesPerEpoch) continue
        const loss = lossSum / updatesPerEpoch
        lossSum = 0
        await onEpoch({ loss })
      }
    },
    save: async (): Promise<ExplorationState> => ({ agent: await agent.save(), updates, lossSum, last }),
    async load(state) {
      const saved = state as ExplorationState
      await agent.load(saved.agent)
      updates = saved.updates
      lossSum = saved.lossSum
      last = saved.last
    },
    // Over the last 100 training episodes; before one has ended, nothing was reached.
    evaluate: async () => ({ success: last?.successRate || 0, return: last?.meanReturn || 0 }),
    pictures: () => explorationPictures(agent, world, numEnvs),
    step: async () => {
      await agent.update(0)
    },
    dispose: () => {
      agent.dispose()
      void env.close()
    },
  }
}
