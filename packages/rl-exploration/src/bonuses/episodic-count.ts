/**
 * Episodic counts: the first visit to an observation in an episode earns `1 / sqrt(n)`, n the number of episodes'
 * first visits to it so far. No network: the strongest simple baseline where observations repeat.
 *
 * Paper: the count-based bonus is Strehl & Littman 2008; its restriction to first visits is that of NovelD
 * (Zhang et al. 2021, NeurIPS), section 4.
 */
import { type BonusMethod, type BonusOptions, defineBonus } from './define-bonus'
import { EpisodicVisits, type EpisodicVisitsState, hashNext } from './visits'

/**
 * Episodic counts as a method.
 *
 * @example
 * ```ts
 * import { episodicCount } from '@tfgraft/rl-exploration'
 *
 * const bonus = episodicCount().create({
 *   observationSize: 1, numActions: 2, discrete: true, numEnvs: 1, seed: 0,
 * })
 * const nextObservations = Float32Array.of(1, 1, 2)
 * const rewards = await bonus.reward({
 *   numSteps: 3, numEnvs: 1, observations: Float32Array.of(0, 1, 1), nextObservations,
 *   actions: new Int32Array(3), ended: new Uint8Array(3),
 * })
 * console.log(rewards) // 1, 0, 1
 * ```
 */
export function episodicCount(options: BonusOptions = {}): BonusMethod {
  return defineBonus({
    name: 'episodicCount',
    paper: {
      title: 'NovelD: A Simple yet Effective Exploration Criterion',
      authors: ['Zhang', 'Xu', 'Wang', 'Wu', 'Keutzer', 'Gonzalez', 'Tian'],
      year: 2021,
      url: 'https://proceedings.neurips.cc/paper/2021/hash/d428d070622e0f4363fceae11f4a3576-Abstract.html',
    },
    options,
    // Counts are not normalised: 80 steps of first visits would outweigh a reward of 1 at a tenth.
    defaults: { coefficient: 0.005, normalize: 'none', episodic: true },
    core({ numEnvs }) {
      const episodes = new EpisodicVisits(numEnvs)
      const totals = new Map<number, number>()
      return {
        raw(experience) {
          const hashes = hashNext(experience)
          const first = episodes.firstVisits(experience, hashes)
          return Float32Array.from(hashes, (hash, row) => {
            if (!first[row]) return 0
            const total = (totals.get(hash) ?? 0) + 1
            totals.set(hash, total)
            return 1 / Math.sqrt(total)
          })
        },
        save: () => ({ episodes: episodes.save(), totals: Float64Array.from([...totals].flat()) }),
        load(state) {
          episodes.load(state.episodes as EpisodicVisitsState)
          const flat = state.totals as Float64Array
          totals.clear()
          for (let k = 0; k < flat.length; k += 2) totals.set(flat[k]!, flat[k + 1]!)
        },
      }
    },
  })
}
