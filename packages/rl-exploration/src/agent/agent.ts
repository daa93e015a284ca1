/**
 * A PPO agent at work: it acts for a rollout, learns from it, and can be saved between any two updates.
 */
import type { Bonus, BonusState } from '../bonuses/bonus'
import { RewardNormalizer, type RewardNormalizerState } from '../functional/reward-forward-filter'
import { loadVariables, type Network, saveVariables } from '../networks/network'
import { type ClippedAdamState, clippedAdam } from '../networks/optimizer'
import { SavableRandom } from '../networks/random'
import type { RecurrentNetwork } from '../networks/recurrent'
import { type Observations, spaceSize } from '../vector-env'
import type { AgentSetup } from './agent-setup'
import { bonusNames } from './bonus-names'
import { type CollectorState, createCollector } from './collector'
import { flattenObservations } from './flatten'
import { policyHead } from './policy-head'
import { ppoUpdate, type Stream, type UpdateLosses } from './ppo-update'

/** What one update came to. */
export interface UpdateReport extends UpdateLosses {
  /** Updates so far, this one included, and the environment steps of all environments together. */
  update: number
  step: number
  /** Over the last 100 episodes; NaN before one has ended. */
  meanReturn: number
  meanLength: number
  /** Share of the last 100 episodes with a return above 0. */
  successRate: number
  /** Episodes that ended in this update. */
  episodes: number
  /** Mean reward of each bonus, by name; a second `rnd` is `rnd 2`. */
  bonuses: Record<string, number>
  learningRate: number
  /** Of this update, learning included. */
  stepsPerSecond: number
}

/** Everything that it takes to go on, ready for a structured clone, IndexedDB or Node's `v8.serialize`. */
export interface AgentState extends CollectorState {
  version: 2
  update: number
  step: number
  weights: Float32Array[]
  optimizer: ClippedAdamState
  bonuses: BonusState[]
  rewardNormalizer: RewardNormalizerState
  random: number[]
}

/** An agent in training. */
export interface Agent {
  readonly setup: AgentSetup
  readonly network: Network | RecurrentNetwork
  readonly bonuses: readonly Bonus[]
  /** Environment steps so far. */
  readonly step: number
  /** One rollout, and learning from it. `progress`, 0 to 1, is the share of the training that is over. */
  update(progress: number): Promise<UpdateReport>
  /**
   * Actions for observations of any number of environments.
   *
   * @param greedy The most probable ones. @default false
   * @param memory For recurrent policies, and required there: what `newMemory` made. Updated in place.
   */
  act(observations: Observations, greedy?: boolean, memory?: Float32Array): Promise<Int32Array | Float32Array>
  /** A blank memory for `act`. Fill an environment's share with 0 when it begins an episode. Empty for feed-forward policies. */
  newMemory(numEnvs: number): Float32Array
  save(): Promise<AgentState>
  load(state: AgentState): Promise<void>
  dispose(): void
}

/**
 * Makes the agent of a setup: networks, optimizer and storage. `trainAgent` does this for you; use it to train by
 * your own loop.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { createAgent, gridWorld, ppo } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('Empty-5x5-v0', { numEnvs: 8, seed: 1 })
 * const agent = await createAgent(ppo(env, { numSteps: 16, warmupRollouts: 1 }), { seed: 1 })
 * const report = await agent.update(0)
 * console.log(report.step, report.entropy)
 * agent.dispose()
 * ```
 */
export async function createAgent(setup: AgentSetup, { seed = 0 }: { seed?: number } = {}): Promise<Agent> {
  const { env, options } = setup
  const { numEnvs } = env
  const { numSteps } = options
  const random = new SavableRandom(seed)
  const head = policyHead(env.actionSpace)
  const size = spaceSize(env.observationSpace)
  const numStreams = 1 + setup.bonuses.length
  const columns = head.size + numStreams
  const network = setup.network({
    observationShape: env.observationSpace.type === 'box' ? env.observationSpace.shape : [size],
    observationSize: size,
    policySize: head.size,
    numStreams,
    random: random.fork(),
  })
  const bonuses = setup.bonuses.map((entry, k) =>
    entry.create({
      observationSize: size,
      numActions: head.discrete ? head.size : head.actionSize,
      discrete: head.discrete,
      numEnvs,
      seed: seed * 1000 + k + 1,
    }),
  )
  const names = bonusNames(bonuses)
  const optimizer = clippedAdam(
    [...network.variables, ...bonuses.flatMap((bonus) => bonus.variables)],
    options,
  )
  const rewardNormalizer = new RewardNormalizer({ gamma: options.gamma })
  const collector = createCollector(setup, network, head, numStreams, random)
  const { rollout, episodes } = collector
  const memorySize = 'unroll' in network ? network.memorySize : 0
  let [step, updates] = [0, 0]
  await collector.warmUp((rows) => {
    for (const bonus of bonuses) bonus.observe(rows)
  })

  function extrinsicRewards(): Float32Array {
    const rewards = options.normalizeRewards
      ? rewardNormalizer.normalize(rollout.rewards, numEnvs)
      : rollout.rewards
    if (options.timeLimit !== 'reward') return rewards
    return rewards.map(
      (r, row) => r + (rollout.truncated[row] ? options.gamma * rollout.values[0]![row]! : 0),
    )
  }

  return {
    setup,
    network,
    bonuses,
    get step() {
      return step
    },
    async update(progress) {
      const start = performance.now()
      episodes.startUpdate()
      const stepBefore = step
      await collector.collect()
      step += numSteps * numEnvs
      const { next, final } = await collector.bootstrap()
      const bootstraps = options.timeLimit === 'final-observation'
      const rewards: Float32Array[] = []
      for (const bonus of bonuses) rewards.push(await bonus.reward(rollout))
      const streams: Stream[] = [
        {
          rewards: extrinsicRewards(),
          gamma: options.gamma,
          episodic: true,
          coefficient: options.extrinsicCoefficient,
          nextValues: next[0]!,
          finalValues: bootstraps ? final[0]! : undefined,
        },
        ...bonuses.map((bonus, k) => ({
          rewards: rewards[k]!,
          gamma: bonus.gamma,
          episodic: bonus.episodic,
          coefficient: bonus.coefficient(stepBefore),
          nextValues: next[k + 1]!,
          finalValues: bootstraps ? final[k + 1]! : undefined,
        })),
      ]
      optimizer.learningRate =
        options.learningRate * (options.annealLearningRate ? Math.max(1 - progress, 1e-8) : 1)
      const losses = await ppoUpdate({ rollout, streams, network, head, bonuses, optimizer, options, random })
      collector.learnStatistics()
      updates++
      return {
        ...losses,
        ...episodes.summary(),
        update: updates,
        step,
        episodes: episodes.finished.length,
        bonuses: Object.fromEntries(
          rewards.map((paid, k) => [names[k], paid.reduce((a, b) => a + b, 0) / paid.length]),
        ),
        learningRate: optimizer.learningRate,
        stepsPerSecond: ((numSteps * numEnvs) / (performance.now() - start)) * 1000,
      }
    },
    async act(given, greedy = false, memory = new Float32Array(0)) {
      const rows = new Float32Array(lengthOf(given))
      const count = rows.length / size
      if (memory.length !== count * memorySize)
        throw new Error(
          `ppo: \`memory\` must come from newMemory(${count}): the policy is recurrent. Received ${memory.length} values.`,
        )
      flattenObservations(given, env.observationSpace, count, rows, size)
      const { outputs, memory: after } = await collector.forward(collector.inputsOf(rows), memory)
      memory.set(after)
      const actions = head.newActions(count)
      for (let i = 0; i < count; i++) head.act(outputs, i * columns, actions, i, greedy ? undefined : random)
      return actions
    },
    newMemory: (count) => new Float32Array(count * memorySize),
    save: async () => ({
      version: 2,
      update: updates,
      step,
      weights: await saveVariables(network.variables),
      optimizer: await optimizer.save(),
      bonuses: await Promise.all(bonuses.map((bonus) => bonus.save())),
      rewardNormalizer: rewardNormalizer.save(),
      random: random.save(),
      ...(await collector.save()),
    }),
    async load(state) {
      if (state.version !== 2)
        throw new Error(`ppo: the state must be of version 2. Received version=${state.version}.`)
      const list = (named: readonly { name: string }[]) => named.map(({ name }) => name).join(', ') || 'none'
      if (list(state.bonuses) !== list(bonuses))
        throw new Error(
          `ppo: the state must have the bonuses of the setup: ${list(bonuses)}. Received ${list(state.bonuses)}.`,
        )
      updates = state.update
      step = state.step
      loadVariables(network.variables, state.weights)
      optimizer.load(state.optimizer)
      bonuses.forEach((bonus, k) => {
        bonus.load(state.bonuses[k]!)
      })
      rewardNormalizer.load(state.rewardNormalizer)
      random.load(state.random)
      await collector.load(state)
    },
    dispose() {
      network.dispose()
      optimizer.dispose()
      for (const bonus of bonuses) bonus.dispose()
    },
  }
}

/** Numbers in an observation, of all environments together. */
function lengthOf(observations: Observations): number {
  return ArrayBuffer.isView(observations)
    ? observations.length
    : Object.values(observations as Record<string, Observations>).reduce(
        (sum, part) => sum + lengthOf(part),
        0,
      )
}
