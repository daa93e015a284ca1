/** The options of AdvProp: checked and completed once, before there is a model. */
import type { LossFunction } from '@tfgraft/core'
import { type AttackOptions, checkAttack, type PgdOptions } from '../attacks/pgd'
import type { Attack } from '../attacks/target'

/** PGD within an L-infinity ball; its loss is that of the setup. */
export type TrainingAttack = Omit<PgdOptions, 'loss' | 'targeted' | 'seed'>

export interface AdvPropOptions {
  /**
   * How adversarial examples are made: PGD by its options, any attack function, or several of them, each with an
   * auxiliary of its own (fine-grained AdvProp). @default { epsilon: 4/255, stepSize: 2/255, iterations: 1, randomStart: false }
   */
  attack?: TrainingAttack | Attack | readonly (TrainingAttack | Attack)[]
  /** Weight of the adversarial loss, in [0, 1]; the clean loss has the rest. Several attacks share it. @default 0.25 */
  adversarialWeight?: number
  /** Adversarial examples per clean example and attack, in (0, 1]. @default 1; 0.2 with `gradientReuse` */
  adversarialFraction?: number
  /**
   * What the auxiliary batch normalisation has of its own: `'separate'`: statistics and affine, as in the paper and timm;
   * `'shared'`: statistics alone; `'none'`: nothing, clean and adversarial rows are normalised together. @default 'separate'
   */
  auxiliary?: 'separate' | 'shared' | 'none'
  /** Statistics that normalise while attacking: the paper's are the auxiliary ones. @default 'auxiliary' */
  attackStatistics?: 'auxiliary' | 'main'
  /** Replaces the momentum of every batch normalisation; null averages all batches. @default that of each layer */
  momentum?: number | null
  /** See {@link SplitBatchNormalizationArgs}. @default true */
  unbiasedVariance?: boolean
  /** Loss of the adversarial examples, or one per output. @default that of the setup */
  adversarialLoss?: LossFunction | LossFunction[]
  /**
   * Fast AdvProp: the input gradient of the clean training pass makes the adversarial examples in one step, so that the
   * attack costs no pass of its own. Needs one PGD attack of one iteration, and the default training step. @default false
   */
  gradientReuse?: boolean
  /**
   * Trains on so many of the batch's examples that the step costs what a plain step on the whole batch costs, counting a
   * forward pass as 1 and a backward pass as 2 (1 to the input alone). The others are only predicted. @default false
   */
  equalBudget?: boolean
}

export interface ResolvedOptions {
  attacks: (TrainingAttack | Attack)[]
  adversarialWeight: number
  adversarialFraction: number
  auxiliary: 'separate' | 'shared' | 'none'
  attackStatistics: 'auxiliary' | 'main'
  momentum?: number | null
  unbiasedVariance?: boolean
  adversarialLoss?: LossFunction | LossFunction[]
  gradientReuse: boolean
  /** Part of the batch to train on. */
  trainedPart: number
}

const courseAttack: TrainingAttack & AttackOptions = {
  epsilon: 4 / 255,
  stepSize: 2 / 255,
  iterations: 1,
  randomStart: false,
}

// Passes, in forward passes: with the gradient to all weights, and to the input alone.
const TRAINING_PASS = 3
const INPUT_PASS = 2

/** Part of a batch whose AdvProp step costs as much as a plain step on all of it, the rest being predicted. */
export function equalBudgetPart(
  attacks: readonly { iterations?: number }[],
  adversarialFraction: number,
  gradientReuse: boolean,
): number {
  const perAttack = (iterations: number) => (gradientReuse ? 0 : iterations * INPUT_PASS) + TRAINING_PASS
  const perExample =
    TRAINING_PASS +
    adversarialFraction * attacks.reduce((sum, { iterations = 10 }) => sum + perAttack(iterations), 0)
  // part * perExample + (1 - part) * 1 = TRAINING_PASS
  return (TRAINING_PASS - 1) / (perExample - 1)
}

export function resolveOptions(options: AdvPropOptions): ResolvedOptions {
  const { adversarialWeight = 0.25, auxiliary = 'separate', attackStatistics = 'auxiliary' } = options
  const { gradientReuse = false, equalBudget = false, attack = courseAttack } = options
  const {
    adversarialFraction = gradientReuse ? 0.2 : 1, // the authors' 4 : 1 is four images as they are to one that is attacked too
    momentum,
    unbiasedVariance,
    adversarialLoss,
  } = options
  const attacks = [attack].flat() as (TrainingAttack | Attack)[]
  const reject = (rule: string, received: string): never => {
    throw new Error(`advprop: ${rule}. Received ${received}.`)
  }
  if (!(adversarialWeight >= 0 && adversarialWeight <= 1))
    reject('`adversarialWeight` must be in [0, 1]', `adversarialWeight=${adversarialWeight}`)
  if (!(adversarialFraction > 0 && adversarialFraction <= 1))
    reject('`adversarialFraction` must be in (0, 1]', `adversarialFraction=${adversarialFraction}`)
  if (!['separate', 'shared', 'none'].includes(auxiliary))
    reject("`auxiliary` must be 'separate', 'shared' or 'none'", `auxiliary=${auxiliary}`)
  if (!['auxiliary', 'main'].includes(attackStatistics))
    reject("`attackStatistics` must be 'auxiliary' or 'main'", `attackStatistics=${attackStatistics}`)
  if (attacks.length === 0) reject('`attack` must hold at least one attack', 'none')
  const described = attacks.filter((a) => typeof a !== 'function')
  for (const options of described) checkAttack('advprop', options, options.iterations)
  if (gradientReuse && !(described.length === 1 && attacks.length === 1 && described[0]!.iterations === 1))
    reject('`gradientReuse` needs one PGD attack with `iterations: 1`', `${attacks.length} attacks`)
  if (gradientReuse && adversarialWeight === 1)
    reject('`gradientReuse` needs a clean loss: `adversarialWeight` below 1', 'adversarialWeight=1')
  if (equalBudget && described.length < attacks.length)
    reject('`equalBudget` needs attacks whose cost is known: PGD by its options', 'an attack function')
  return {
    ...{ attacks, adversarialWeight, adversarialFraction, auxiliary, attackStatistics },
    ...{ momentum, unbiasedVariance, adversarialLoss, gradientReuse },
    trainedPart: equalBudget ? equalBudgetPart(described, adversarialFraction, gradientReuse) : 1,
  }
}
