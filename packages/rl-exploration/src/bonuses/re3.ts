/**
 * RE3, random encoders for efficient exploration: an estimate of the entropy of observations,
 * `r = log(1 + distance to the k-th nearest neighbour)`, in the space of a random network that is never trained.
 *
 * Paper: Seo, Chen, Shin, Lee, Abbeel & Lee 2021, arXiv 2102.09430, equation 3; k 3.
 *
 * Differs from the paper: neighbours come from a random pool of the current rollout, not from a replay buffer, which
 * PPO has not.
 */
import { mlp } from '../networks/network'
import { SavableRandom } from '../networks/random'
import { type BonusMethod, type BonusOptions, defineBonus } from './define-bonus'
import { type DynamicsOptions, encodeRows } from './dynamics'

/** Options of {@link re3}. */
export interface Re3Options extends BonusOptions, DynamicsOptions {
  /** k. @default 3 */
  neighbors?: number
  /** Rows of a rollout among which neighbours are looked for. @default 512 */
  pool?: number
}

/** Per row of `rows`, the distance to its k-th nearest among the rows `pool` (itself left out). */
export function nearestDistances(
  rows: Float32Array,
  size: number,
  pool: Int32Array,
  k: number,
): Float32Array {
  const nearest = new Float64Array(k)
  return Float32Array.from({ length: rows.length / size }, (_, row) => {
    nearest.fill(Number.POSITIVE_INFINITY)
    const at = row * size
    for (const other of pool) {
      if (other === row) continue
      const from = other * size
      let distance = 0
      for (let i = 0; i < size; i++) distance += (rows[at + i]! - rows[from + i]!) ** 2
      if (distance >= nearest[k - 1]!) continue
      let place = k - 1
      for (; place > 0 && nearest[place - 1]! > distance; place--) nearest[place] = nearest[place - 1]!
      nearest[place] = distance
    }
    return Math.sqrt(nearest[k - 1]!)
  })
}

/**
 * RE3 as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { gridWorld, ppo, re3, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('DoorKey-5x5-v0', { numEnvs: 8, seed: 1 })
 * const setup = re3().apply(ppo(env, { numSteps: 16, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
 * console.log(history[0].bonuses.re3)
 * agent.dispose()
 * ```
 */
export function re3({
  neighbors = 3,
  pool = 512,
  hidden = 64,
  features = 32,
  ...options
}: Re3Options = {}): BonusMethod {
  if (!(Number.isInteger(neighbors) && neighbors > 0))
    throw new Error(`re3: \`neighbors\` must be a positive integer. Received neighbors=${neighbors}.`)
  if (!(pool > neighbors))
    throw new Error(
      `re3: \`pool\` must be more than \`neighbors\`. Received pool=${pool}, neighbors=${neighbors}.`,
    )
  return defineBonus({
    name: 're3',
    paper: {
      title: 'State Entropy Maximization with Random Encoders for Efficient Exploration',
      authors: ['Seo', 'Chen', 'Shin', 'Lee', 'Abbeel', 'Lee'],
      year: 2021,
      url: 'https://arxiv.org/abs/2102.09430',
    },
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: false },
    core({ observationSize, seed }, random) {
      const encoder = mlp({ sizes: [observationSize, hidden, features], random })
      const choice = new SavableRandom(seed)
      return {
        frozen: encoder.variables,
        async raw(_, { nextObservations }) {
          const features32 = await encodeRows(encoder, nextObservations, observationSize)
          const rows = nextObservations.length / observationSize
          if (rows <= neighbors)
            throw new Error(`re3: a rollout must have more rows than \`neighbors\`. Received ${rows} rows.`)
          const all = choice.shuffle(Int32Array.from({ length: rows }, (_, i) => i))
          const chosen = all.subarray(0, Math.max(neighbors + 1, Math.min(pool, rows)))
          return nearestDistances(features32, features, chosen, neighbors).map((d) => Math.log1p(d))
        },
        save: () => ({ choice: choice.save() }),
        load: (state) => choice.load(state.choice as number[]),
      }
    },
  })
}
