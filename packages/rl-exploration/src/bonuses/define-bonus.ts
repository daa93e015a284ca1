/**
 * Turns the heart of a bonus (raw rewards, a loss) into a {@link Bonus} and a {@link BonusMethod}: normalisation,
 * coefficient and decay, the restriction to first visits, training and saving are the same for all.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { Method, Paper } from '@tfgraft/core'
import type { AgentSetup } from '../agent/agent-setup'
import { RewardNormalizer, type RewardNormalizerState } from '../functional/reward-forward-filter'
import { RunningMeanStd, type RunningMeanStdState } from '../functional/running-mean-std'
import { loadVariables, saveVariables } from '../networks/network'
import { type ClippedAdamState, clippedAdam } from '../networks/optimizer'
import { SavableRandom } from '../networks/random'
import { rejectUnknown } from '../unknown-options'
import type { Bonus, BonusContext, Experience, ExperienceBatch } from './bonus'
import { EpisodicVisits, type EpisodicVisitsState } from './visits'

/** Options that every bonus has. */
export interface BonusOptions {
  /** Weight of the intrinsic advantages. @default depends on the bonus */
  coefficient?: number
  /** kappa: the coefficient decays as `coefficient (1 - decay)^steps`, over environment steps. @default 0 */
  decay?: number
  /**
   * `'rms'` divides by the running standard deviation of discounted sums, `'min-max'` maps each rollout onto 0 to 1.
   * @default depends on the bonus
   */
  normalize?: 'rms' | 'min-max' | 'none'
  /** Discount of the intrinsic returns. @default 0.99 */
  gamma?: number
  /** Whether intrinsic returns end with episodes. @default depends on the bonus */
  episodic?: boolean
  /** Only the first visit to an observation in an episode is rewarded (as in NovelD). @default false */
  firstVisitOnly?: boolean
  /** Share of the samples that networks learn from. @default 1 */
  updateProportion?: number
  /** Weight of the networks' loss beside PPO's. @default 0.1 */
  lossCoefficient?: number
  /** Learning rate when trained alone by `update`. @default 2e-4 */
  learningRate?: number
  /** Observations are normalised by running statistics and clipped to this. 0 leaves them as they are. @default 5 */
  observationClip?: number
}

/** Observations of a rollout after normalisation. */
export interface NormalizedObservations {
  readonly observations: Float32Array
  readonly nextObservations: Float32Array
}

/** The part that differs between bonuses. Observations that it sees are normalised; raw ones are beside them. */
export interface BonusCore {
  variables?: readonly tf.Variable[]
  /** Every tensor that is saved; variables are saved anyway. */
  frozen?: readonly tf.Variable[]
  raw(experience: Experience, normalized: NormalizedObservations): Float32Array | Promise<Float32Array>
  /** `[batch]` loss per sample, or a scalar. */
  loss?(batch: ExperienceBatch): tf.Tensor
  save?(): Record<string, unknown>
  load?(state: Record<string, unknown>): void
}

/** A bonus as a method, and the maker of the plain object. */
export interface BonusMethod extends Method<AgentSetup> {
  /** The bonus by itself, without an agent. */
  create(context: BonusContext): Bonus
}

type Defaults = Required<Pick<BonusOptions, 'coefficient' | 'normalize' | 'episodic'>>

interface Definition {
  name: string
  paper: Paper
  options: BonusOptions
  defaults: Defaults
  core(context: BonusContext, random: SavableRandom): BonusCore
}

const commonDefaults: Required<Omit<BonusOptions, keyof Defaults>> = {
  decay: 0,
  gamma: 0.99,
  firstVisitOnly: false,
  updateProportion: 1,
  lossCoefficient: 0.1,
  learningRate: 2e-4,
  observationClip: 5,
}

function checked(name: string, options: BonusOptions, defaults: Defaults): Required<BonusOptions> {
  rejectUnknown(name, options, [...Object.keys(defaults), ...Object.keys(commonDefaults)])
  const all: Required<BonusOptions> = {
    ...defaults,
    ...commonDefaults,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
  }
  const within = (key: 'decay' | 'gamma' | 'updateProportion', low: number, high: number) => {
    if (!(all[key] >= low && all[key] <= high))
      throw new Error(`${name}: \`${key}\` must be within ${low} and ${high}. Received ${key}=${all[key]}.`)
  }
  within('decay', 0, 1)
  within('gamma', 0, 1)
  within('updateProportion', 0, 1)
  if (!(all.coefficient >= 0))
    throw new Error(`${name}: \`coefficient\` must be 0 or more. Received coefficient=${all.coefficient}.`)
  if (!['rms', 'min-max', 'none'].includes(all.normalize))
    throw new Error(
      `${name}: \`normalize\` must be 'rms', 'min-max' or 'none'. Received normalize=${all.normalize}.`,
    )
  return all
}

/** Maps values onto 0 to 1 in place; equal values become 0. */
export function minMax(values: Float32Array): Float32Array {
  const [low, high] = values.reduce(
    ([a, b], v) => [Math.min(a, v), Math.max(b, v)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  )
  const scale = high > low ? 1 / (high - low) : 0
  return values.map((v) => (v - low) * scale)
}

/** Mean over the samples that count: the denominator is at least 1 (as CleanRL has it). */
export function maskedMean(values: tf.Tensor, mask: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.div(tf.sum(tf.mul(values, mask)), tf.maximum(tf.sum(mask), 1)) as tf.Scalar)
}

export function defineBonus({ name, paper, options, defaults, core: makeCore }: Definition): BonusMethod {
  const settings = checked(name, options, defaults)
  const create = (context: BonusContext): Bonus => createBonus(name, settings, context, makeCore)
  return {
    name,
    paper,
    create,
    apply: (setup) => ({ ...setup, bonuses: [...setup.bonuses, { name, create }] }),
  }
}

const ROWS_PER_MINIBATCH = 1024

function createBonus(
  name: string,
  settings: Required<BonusOptions>,
  context: BonusContext,
  makeCore: Definition['core'],
): Bonus {
  const random = new SavableRandom(context.seed)
  const core = makeCore(context, random.fork())
  const { observationSize, numEnvs } = context
  const clip = settings.observationClip
  const statistics = new RunningMeanStd(observationSize)
  const normalizer = new RewardNormalizer({ gamma: settings.gamma })
  const visits = settings.firstVisitOnly ? new EpisodicVisits(numEnvs) : undefined
  const variables = core.variables ?? []
  let optimizer: ReturnType<typeof clippedAdam> | undefined
  const ownOptimizer = () => (optimizer ??= clippedAdam(variables, { learningRate: settings.learningRate }))

  const normalized = (rows: Float32Array) =>
    clip > 0 ? statistics.normalize(rows, new Float32Array(rows.length), clip) : rows

  /** Normalises rows on the device, as `normalized` does on the host. */
  function normalizedTensor(rows: tf.Tensor2D): tf.Tensor2D {
    if (clip <= 0) return rows
    const mean = tf.tensor1d(Float32Array.from(statistics.mean))
    // A feature that never varied: any step away from its mean is beyond the clip.
    const scale = tf.tensor1d(
      Float32Array.from(statistics.variance, (v) => 1 / Math.sqrt(Math.max(v, 1e-12))),
    )
    return tf.clipByValue(tf.mul(tf.sub(rows, mean), scale), -clip, clip) as tf.Tensor2D
  }

  const bonus: Bonus = {
    name,
    gamma: settings.gamma,
    episodic: settings.episodic,
    lossCoefficient: settings.lossCoefficient,
    updateProportion: settings.updateProportion,
    variables,
    coefficient: (step) => settings.coefficient * (1 - settings.decay) ** step,
    observe(observations) {
      if (clip > 0) statistics.update(observations)
    },
    async reward(experience) {
      checkExperience(name, experience, context)
      const raw = await core.raw(experience, {
        // Only what is asked for is computed.
        get observations() {
          return normalized(experience.observations)
        },
        get nextObservations() {
          return normalized(experience.nextObservations)
        },
      })
      let rewards = raw
      if (settings.normalize === 'rms') rewards = normalizer.normalize(raw, numEnvs)
      if (settings.normalize === 'min-max') rewards = minMax(raw)
      if (visits) {
        const first = visits.firstVisits(experience)
        rewards = rewards.map((r, i) => (first[i] ? r : 0))
      }
      bonus.observe(experience.nextObservations)
      return rewards
    },
    async update(experience) {
      if (!bonus.loss) return 0
      return trainAlone(bonus, ownOptimizer(), experience, context, random)
    },
    save: async () => ({
      name,
      random: random.save(),
      statistics: statistics.save(),
      normalizer: normalizer.save(),
      visits: visits?.save(),
      optimizer: await optimizer?.save(),
      weights: await saveVariables([...variables, ...(core.frozen ?? [])]),
      core: core.save?.(),
    }),
    load(state) {
      if (state.name !== name)
        throw new Error(`${name}: the state is that of another bonus. Received ${state.name}.`)
      random.load(state.random as number[])
      statistics.load(state.statistics as RunningMeanStdState)
      normalizer.load(state.normalizer as RewardNormalizerState)
      visits?.load(state.visits as EpisodicVisitsState)
      loadVariables([...variables, ...(core.frozen ?? [])], state.weights as Float32Array[])
      if (state.optimizer) ownOptimizer().load(state.optimizer as ClippedAdamState)
      core.load?.(state.core as Record<string, unknown>)
    },
    dispose() {
      tf.dispose([...variables, ...(core.frozen ?? [])] as tf.Tensor[])
      optimizer?.dispose()
    },
  }
  const { loss } = core
  if (loss)
    bonus.loss = (batch) =>
      tf.tidy(() => {
        const value = loss({
          ...batch,
          observations: normalizedTensor(batch.observations),
          nextObservations: normalizedTensor(batch.nextObservations),
        })
        return value.rank === 0 ? (value as tf.Scalar) : maskedMean(value, batch.mask)
      })
  return bonus
}

function checkExperience(name: string, experience: Experience, context: BonusContext): void {
  const { numSteps, numEnvs, observations, nextObservations } = experience
  const size = numSteps * numEnvs * context.observationSize
  if (numEnvs !== context.numEnvs || observations.length !== size || nextObservations.length !== size)
    throw new Error(
      `${name}: experience must hold ${context.observationSize} values for each of numSteps x ${context.numEnvs} rows. ` +
        `Received numSteps=${numSteps}, numEnvs=${numEnvs}, ${observations.length} and ${nextObservations.length} values.`,
    )
}

/** One pass over a rollout in minibatches, by the bonus's own optimizer. */
async function trainAlone(
  bonus: Bonus,
  optimizer: ReturnType<typeof clippedAdam>,
  experience: Experience,
  context: BonusContext,
  random: SavableRandom,
): Promise<number> {
  const rows = experience.numSteps * experience.numEnvs
  const order = random.shuffle(Int32Array.from({ length: rows }, (_, i) => i))
  let [total, count] = [0, 0]
  for (let from = 0; from < rows; from += ROWS_PER_MINIBATCH, count++) {
    const chosen = order.subarray(from, Math.min(rows, from + ROWS_PER_MINIBATCH))
    const mask = Float32Array.from(chosen, () => Number(random.uniform() < bonus.updateProportion))
    const loss = tf.tidy(() => {
      const pick = (values: Float32Array) => {
        const width = values.length / rows
        const out = new Float32Array(chosen.length * width)
        chosen.forEach((row, i) => {
          out.set(values.subarray(row * width, (row + 1) * width), i * width)
        })
        return tf.tensor2d(out, [chosen.length, width])
      }
      const batch: ExperienceBatch = {
        observations: pick(experience.observations),
        nextObservations: pick(experience.nextObservations),
        actions: context.discrete
          ? tf.tensor1d(
              chosen.map((row) => experience.actions[row]!),
              'int32',
            )
          : pick(experience.actions as Float32Array),
        mask: tf.tensor1d(mask),
      }
      return optimizer.minimize(() => bonus.loss!(batch))
    })
    total += (await loss.data())[0]!
    loss.dispose()
  }
  return total / count
}
