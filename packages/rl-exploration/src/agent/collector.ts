/**
 * The acting half of an agent: it plays the environment into a rollout, and holds all that belongs to playing (where
 * the environment stands, what the policy remembers, statistics of observations and episodes).
 */
import * as tf from '@tensorflow/tfjs-core'
import { RunningMeanStd, type RunningMeanStdState } from '../functional/running-mean-std'
import type { Network } from '../networks/network'
import type { SavableRandom } from '../networks/random'
import type { RecurrentNetwork } from '../networks/recurrent'
import { type Observations, spaceSize } from '../vector-env'
import type { AgentSetup } from './agent-setup'
import { EpisodeStatistics, type EpisodeStatisticsState } from './episode-statistics'
import { flattenObservations } from './flatten'
import type { PolicyHead } from './policy-head'
import { createRollout, type Rollout } from './rollout'

const OBSERVATION_CLIP = 5

/** Part of an agent's state. */
export interface CollectorState {
  statistics: RunningMeanStdState
  episodes: EpisodeStatisticsState
  observations: Float32Array
  dones: Uint8Array
  /** `[numEnvs, memorySize]`: empty for feed-forward policies. */
  memory: Float32Array
  env?: Uint8Array
}

/** Outputs of the network, `[rows, policySize + numStreams]` flat, and its memory after them. */
interface Outputs {
  outputs: Float32Array
  memory: Float32Array
}

export interface Collector {
  readonly rollout: Rollout
  readonly episodes: EpisodeStatistics
  /** Rows of observations as the network sees them. */
  inputsOf(rows: Float32Array): Float32Array
  /** One step of the network for each row; `memory` is what it remembers of each. */
  forward(inputs: Float32Array, memory: Float32Array): Promise<Outputs>
  /** Resets the environment after random play, which `observe` is shown in pieces. */
  warmUp(observe: (rows: Float32Array) => void): Promise<void>
  /** Fills the rollout. */
  collect(): Promise<void>
  /** Values after the rollout, and of the last observations of cut episodes (0 elsewhere), per stream. */
  bootstrap(): Promise<{ next: Float32Array[]; final: Float32Array[] }>
  /** Lets the statistics of observations learn from the rollout. */
  learnStatistics(): void
  save(): Promise<CollectorState>
  load(state: CollectorState): Promise<void>
}

export function createCollector(
  { env, options }: AgentSetup,
  network: Network | RecurrentNetwork,
  head: PolicyHead,
  numStreams: number,
  random: SavableRandom,
): Collector {
  const { numEnvs } = env
  const { numSteps } = options
  const size = spaceSize(env.observationSpace)
  const columns = head.size + numStreams
  const memorySize = 'memorySize' in network ? network.memorySize : 0
  const statistics = new RunningMeanStd(size)
  const episodes = new EpisodeStatistics(numEnvs)
  const rollout = createRollout({ numSteps, numEnvs, observationSize: size, numStreams, memorySize }, head)
  let observations = new Float32Array(numEnvs * size)
  let dones = new Uint8Array(numEnvs)
  let memory: Float32Array = new Float32Array(numEnvs * memorySize)

  const flatten = (given: Observations, out: Float32Array) =>
    flattenObservations(given, env.observationSpace, numEnvs, out, size)
  const inputsOf = (rows: Float32Array, out: Float32Array = new Float32Array(rows.length)) => {
    if (options.normalizeObservations) return statistics.normalize(rows, out, OBSERVATION_CLIP)
    out.set(rows)
    return out
  }

  async function forward(inputs: Float32Array, memoryBefore: Float32Array): Promise<Outputs> {
    const rows = inputs.length / size
    const result = tf.tidy(() => {
      const x = tf.tensor2d(inputs, [rows, size])
      if (!('unroll' in network)) return network.apply(x)
      const after = network.unroll(x, tf.tensor2d(memoryBefore, [rows, memorySize]), tf.ones([rows, 1]))
      return tf.concat2d([after.outputs, after.memory], 1)
    })
    const values = (await result.data()) as Float32Array
    result.dispose()
    const width = values.length / rows
    if (width !== columns + memorySize)
      throw new Error(
        `ppo: \`network\` must give ${columns} columns (policy ${head.size}, values ${numStreams}). ` +
          `Received ${width - memorySize}.`,
      )
    if (memorySize === 0) return { outputs: values, memory: memoryBefore }
    const outputs = new Float32Array(rows * columns)
    const memoryAfter = new Float32Array(rows * memorySize)
    for (let row = 0; row < rows; row++) {
      outputs.set(values.subarray(row * width, row * width + columns), row * columns)
      memoryAfter.set(values.subarray(row * width + columns, (row + 1) * width), row * memorySize)
    }
    return { outputs, memory: memoryAfter }
  }

  /** Environments that have just begun an episode remember nothing. */
  function forget(): void {
    for (let i = 0; i < numEnvs; i++) if (dones[i]) memory.fill(0, i * memorySize, (i + 1) * memorySize)
  }

  return {
    rollout,
    episodes,
    inputsOf,
    forward,
    async warmUp(observe) {
      flatten(await env.reset(), observations)
      const needed = options.normalizeObservations || numStreams > 1
      if (!needed || options.warmupRollouts === 0) return
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
        observe(flat)
      }
      flatten(await env.reset(), observations)
    },
    async collect() {
      const { actions } = rollout
      const rowSize = numEnvs * size
      rollout.memoriesAtEnd.clear()
      for (let t = 0; t < numSteps; t++) {
        const first = t * numEnvs
        rollout.observations.set(observations, t * rowSize)
        const inputs = inputsOf(observations, rollout.inputs.subarray(t * rowSize, (t + 1) * rowSize))
        forget()
        rollout.memories.set(memory, first * memorySize)
        const { outputs, memory: after } = await forward(inputs, memory)
        memory = after
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
          // The value of the last observation needs what was remembered then.
          if (memorySize > 0)
            rollout.memoriesAtEnd.set(first + i, memory.slice(i * memorySize, (i + 1) * memorySize))
        }
      }
    },
    async bootstrap() {
      const cut: number[] = []
      rollout.truncated.forEach((truncated, row) => {
        if (truncated && !rollout.terminated[row]) cut.push(row)
      })
      const raw = new Float32Array((numEnvs + cut.length) * size)
      const remembered = new Float32Array((numEnvs + cut.length) * memorySize)
      forget()
      raw.set(observations)
      remembered.set(memory)
      cut.forEach((row, k) => {
        raw.set(rollout.nextObservations.subarray(row * size, (row + 1) * size), (numEnvs + k) * size)
        if (memorySize > 0) remembered.set(rollout.memoriesAtEnd.get(row)!, (numEnvs + k) * memorySize)
      })
      const { outputs } = await forward(inputsOf(raw), remembered)
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
    },
    learnStatistics() {
      if (options.normalizeObservations) statistics.update(rollout.observations)
    },
    save: async () => ({
      statistics: statistics.save(),
      episodes: episodes.save(),
      observations: observations.slice(),
      dones: dones.slice(),
      memory: memory.slice(),
      env: await env.save?.(),
    }),
    async load(state) {
      statistics.load(state.statistics)
      episodes.load(state.episodes)
      observations = state.observations.slice()
      dones = state.dones.slice()
      memory = state.memory.slice()
      if (state.env && env.load) await env.load(state.env)
      else {
        flatten(await env.reset(), observations)
        dones.fill(1)
      }
    },
  }
}
