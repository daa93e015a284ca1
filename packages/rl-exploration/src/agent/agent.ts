/**
 * A PPO agent at work: it acts for a rollout, learns from it, and can be saved between any two updates.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Bonus, BonusState } from '../bonuses/bonus'
import { RewardNormalizer, type RewardNormalizerState } from '../functional/reward-forward-filter'
import { RunningMeanStd, type RunningMeanStdState } from '../functional/running-mean-std'
import { loadVariables, type Network, saveVariables } from '../networks/network'
import { type ClippedAdamState, clippedAdam } from '../networks/optimizer'
import { SavableRandom } from '../networks/random'
import { type Observations, spaceSize } from '../vector-env'
import type { AgentSetup } from './agent-setup'
import { EpisodeStatistics, type EpisodeStatisticsState } from './episode-statistics'
import { flattenObservations } from './flatten'
import { policyHead } from './policy-head'
import { ppoUpdate, type Stream, type UpdateLosses } from './ppo-update'
import { createRollout } from './rollout'

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
  /** Mean reward of each bonus, by name. */
  bonuses: Record<string, number>
  learningRate: number
  /** Of this update, learning included. */
  stepsPerSecond: number
}

/** Everything that it takes to go on, ready for a structured clone, IndexedDB or Node's `v8.serialize`. */
export interface AgentState {
  version: 1
  update: number
  step: number
  weights: Float32Array[]
  optimizer: ClippedAdamState
  bonuses: BonusState[]
  statistics: RunningMeanStdState
  rewardNormalizer: RewardNormalizerState
  episodes: EpisodeStatisticsState
  random: number[]
  observations: Float32Array
  dones: Uint8Array
  env?: Uint8Array
}

/** An agent in training. */
export interface Agent {
  readonly setup: AgentSetup
  readonly network: Network
  readonly bonuses: readonly Bonus[]
  /** Environment steps so far. */
  readonly step: number
  /** One rollout, and learning from it. `progress`, 0 to 1, is the share of the training that is over. */
  update(progress: number): Promise<UpdateReport>
  /** Actions for observations of any number of environments. @param greedy The most probable ones. @default false */
  act(observations: Observations, greedy?: boolean): Promise<Int32Array | Float32Array>
  save(): Promise<AgentState>
  load(state: AgentState): Promise<void>
  dispose(): void
}

const OBSERVATION_CLIP = 5

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
  const optimizer = clippedAdam(
    [...network.variables, ...bonuses.flatMap((bonus) => bonus.variables)],
    options,
  )
  const statistics = new RunningMeanStd(size)
  const rewardNormalizer = new RewardNormalizer({ gamma: options.gamma })
  const episodes = new EpisodeStatistics(numEnvs)
  const rollout = createRollout(numSteps, numEnvs, size, numStreams, head)
  let observations = new Float32Array(numEnvs * size)
  let dones = new Uint8Array(numEnvs)
  let [step, updates] = [0, 0]

  const flatten = (given: Observations, out: Float32Array) =>
    flattenObservations(given, env.observationSpace, out.length / size, out, size)
  const inputsOf = (rows: Float32Array, out: Float32Array = new Float32Array(rows.length)) => {
    if (options.normalizeObservations) return statistics.normalize(rows, out, OBSERVATION_CLIP)
    out.set(rows)
    return out
  }
  /** Outputs of the network, `[rows, policySize + numStreams]` flat. */
  const forward = async (inputs: Float32Array) => {
    const output = tf.tidy(() => network.apply(tf.tensor2d(inputs, [inputs.length / size, size])))
    const values = (await output.data()) as Float32Array
    output.dispose()
    if (values.length * size !== inputs.length * (head.size + numStreams))
      throw new Error(
        `ppo: \`network\` must give ${head.size + numStreams} columns (policy ${head.size}, values ${numStreams}). ` +
          `Received ${(values.length * size) / inputs.length}.`,
      )
    return values
  }
  const columns = head.size + numStreams

  /** Starts the normalisers from random play. */
  async function warmUp(): Promise<void> {
    flatten(await env.reset(), observations)
    const needed = options.normalizeObservations || bonuses.length > 0
    if (!needed) return
    const flat = new Float32Array(numSteps * numEnvs * size)
    const uniform = new Float32Array(head.size)
    for (let k = 0; k < options.warmupRollouts; k++) {
      for (let t = 0; t < numSteps; t++) {
        const actions = head.newActions(numEnvs)
        for (let i = 0; i < numEnvs; i++) head.act(uniform, 0, actions, i, random)
        flatten((await env.step(actions)).observations, observations)
        flat.set(observations, t * observations.length)
      }
      statistics.update(flat)
      for (const bonus of bonuses) bonus.observe(flat)
    }
    flatten(await env.reset(), observations)
  }
  await warmUp()

  async function collect(): Promise<void> {
    const { actions } = rollout
    const rowSize = numEnvs * size
    for (let t = 0; t < numSteps; t++) {
      const first = t * numEnvs
      rollout.observations.set(observations, t * rowSize)
      const inputs = inputsOf(observations, rollout.inputs.subarray(t * rowSize, (t + 1) * rowSize))
      const outputs = await forward(inputs)
      const chosen = actions.subarray(first * head.actionSize, (first + numEnvs) * head.actionSize)
      for (let i = 0; i < numEnvs; i++) {
        rollout.logProbs[first + i] = head.act(outputs, i * columns, chosen, i, random)
        for (let k = 0; k < numStreams; k++)
          rollout.values[k]![first + i] = outputs[i * columns + head.size + k]!
      }
      const result = await env.step(chosen)
      rollout.dones.set(dones, first)
      rollout.rewards.set(result.rewards, first)
      rollout.terminated.set(result.terminated, first)
      rollout.truncated.set(result.truncated, first)
      flatten(result.observations, observations)
      rollout.nextObservations.set(observations, t * rowSize)
      let finals: Float32Array | undefined
      for (let i = 0; i < numEnvs; i++) {
        const ended = Number(result.terminated[i]! || result.truncated[i]!)
        rollout.ended[first + i] = ended
        dones[i] = ended
        episodes.add(i, result.rewards[i]!, ended === 1)
        if (!ended) continue
        if (!finals) {
          if (!result.finalObservations)
            throw new Error(
              'ppo: the environment must give `finalObservations` in a step that ends an episode.',
            )
          finals = new Float32Array(rowSize)
          flatten(result.finalObservations, finals)
        }
        rollout.nextObservations.set(finals.subarray(i * size, (i + 1) * size), t * rowSize + i * size)
      }
    }
    step += numSteps * numEnvs
  }

  /** Values after the rollout, and of the last observations of cut episodes. */
  async function bootstrap(): Promise<{ next: Float32Array[]; final: Float32Array[] }> {
    const cut: number[] = []
    rollout.truncated.forEach((truncated, row) => {
      if (truncated && !rollout.terminated[row]) cut.push(row)
    })
    const raw = new Float32Array((numEnvs + cut.length) * size)
    raw.set(observations)
    cut.forEach((row, k) => {
      raw.set(rollout.nextObservations.subarray(row * size, (row + 1) * size), (numEnvs + k) * size)
    })
    const outputs = await forward(inputsOf(raw))
    const value = (row: number, k: number) => outputs[row * columns + head.size + k]!
    const streams = Array.from({ length: numStreams }, (_, k) => k)
    return {
      next: streams.map((k) => Float32Array.from({ length: numEnvs }, (_, i) => value(i, k))),
      final: streams.map((k) => {
        const values = new Float32Array(rollout.rewards.length)
        cut.forEach((row, j) => {
          values[row] = value(numEnvs + j, k)
        })
        return values
      }),
    }
  }

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
      await collect()
      const { next, final } = await bootstrap()
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
      if (options.normalizeObservations) statistics.update(rollout.observations)
      updates++
      return {
        ...losses,
        ...episodes.summary(),
        update: updates,
        step,
        episodes: episodes.finished.length,
        bonuses: Object.fromEntries(
          bonuses.map((bonus, k) => [
            bonus.name,
            rewards[k]!.reduce((a, b) => a + b, 0) / rewards[k]!.length,
          ]),
        ),
        learningRate: optimizer.learningRate,
        stepsPerSecond: ((numSteps * numEnvs) / (performance.now() - start)) * 1000,
      }
    },
    async act(given, greedy = false) {
      const first = spaceSize(env.observationSpace)
      const length = lengthOf(given)
      const rows = new Float32Array(length)
      flatten(given, rows)
      const outputs = await forward(inputsOf(rows))
      const actions = head.newActions(length / first)
      for (let i = 0; i < length / first; i++)
        head.act(outputs, i * columns, actions, i, greedy ? undefined : random)
      return actions
    },
    save: async () => ({
      version: 1,
      update: updates,
      step,
      weights: await saveVariables(network.variables),
      optimizer: await optimizer.save(),
      bonuses: await Promise.all(bonuses.map((bonus) => bonus.save())),
      statistics: statistics.save(),
      rewardNormalizer: rewardNormalizer.save(),
      episodes: episodes.save(),
      random: random.save(),
      observations: observations.slice(),
      dones: dones.slice(),
      env: await env.save?.(),
    }),
    async load(state) {
      if (state.version !== 1 || state.bonuses.length !== bonuses.length)
        throw new Error(
          `ppo: the state must be of version 1 with ${bonuses.length} bonuses. ` +
            `Received version=${state.version}, ${state.bonuses?.length} bonuses.`,
        )
      updates = state.update
      step = state.step
      loadVariables(network.variables, state.weights)
      optimizer.load(state.optimizer)
      bonuses.forEach((bonus, k) => {
        bonus.load(state.bonuses[k]!)
      })
      statistics.load(state.statistics)
      rewardNormalizer.load(state.rewardNormalizer)
      episodes.load(state.episodes)
      random.load(state.random)
      observations = state.observations.slice()
      dones = state.dones.slice()
      if (state.env && env.load) await env.load(state.env)
      else flatten(await env.reset(), observations)
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
