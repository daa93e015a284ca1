/**
 * E3B, exploration via elliptical episodic bonuses: `b = phi' C^-1 phi` with `C = sum phi phi' + lambda I` over the
 * episode so far: a count for features that never repeat exactly.
 *
 * Paper: Henaff, Raileanu, Jiang & Rocktäschel 2022, arXiv 2210.05805, algorithm 1: phi from an inverse model, C^-1 kept
 * by Sherman and Morrison's rank-one update, lambda 0.1.
 */
import { type BonusMethod, type BonusOptions, defineBonus } from './define-bonus'
import { type DynamicsOptions, inverseModel } from './dynamics'
import { inverseLoss } from './pseudo-counts'

/** Options of {@link e3b}. */
export interface E3bOptions extends BonusOptions, DynamicsOptions {
  /** lambda, the ridge of a new episode's matrix. @default 0.1 */
  ridge?: number
}

/**
 * Bonus of a feature vector, and the update of `inverse` = C^-1 (`[n, n]`, in place) by it.
 */
export function ellipticalBonus(inverse: Float64Array, phi: ArrayLike<number>): number {
  const n = phi.length
  const u = new Float64Array(n) // C^-1 phi
  let bonus = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += inverse[i * n + j]! * phi[j]!
    u[i] = sum
    bonus += sum * phi[i]!
  }
  const scale = 1 / (1 + bonus)
  for (let i = 0; i < n; i++) {
    const ui = u[i]! * scale
    for (let j = 0; j < n; j++) inverse[i * n + j]! -= ui * u[j]!
  }
  return bonus
}

/**
 * Elliptical episodic bonuses as a method.
 *
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { e3b, gridWorld, ppo, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('DoorKey-5x5-v0', { numEnvs: 8, seed: 1 })
 * const setup = e3b().apply(ppo(env, { numSteps: 16, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
 * console.log(history[0].bonuses.e3b)
 * agent.dispose()
 * ```
 */
export function e3b({ ridge = 0.1, hidden, features = 32, ...options }: E3bOptions = {}): BonusMethod {
  if (!(ridge > 0)) throw new Error(`e3b: \`ridge\` must be above 0. Received ridge=${ridge}.`)
  return defineBonus({
    name: 'e3b',
    paper: {
      title: 'Exploration via Elliptical Episodic Bonuses',
      authors: ['Henaff', 'Raileanu', 'Jiang', 'Rocktäschel'],
      year: 2022,
      url: 'https://arxiv.org/abs/2210.05805',
    },
    options,
    defaults: { coefficient: 0.1, normalize: 'rms', episodic: true },
    core(context, random) {
      const { numEnvs } = context
      const inverse = inverseModel(context, { hidden, features }, random)
      const start = new Float64Array(features ** 2)
      for (let i = 0; i < features; i++) start[i * features + i] = 1 / ridge
      const matrices = Array.from({ length: numEnvs }, () => start.slice())
      return {
        variables: inverse.variables,
        async raw({ ended }, { nextObservations }) {
          const phi = await inverse.encodeRows(nextObservations)
          return Float32Array.from(ended, (end, row) => {
            const matrix = matrices[row % numEnvs]!
            const bonus = ellipticalBonus(matrix, phi.subarray(row * features, (row + 1) * features))
            if (end) matrix.set(start)
            return bonus
          })
        },
        loss: inverseLoss(inverse),
        save: () => ({ matrices: matrices.map((matrix) => matrix.slice()) }),
        load(state) {
          const saved = state.matrices as Float64Array[]
          matrices.forEach((matrix, env) => {
            matrix.set(saved[env]!)
          })
        },
      }
    },
  })
}
