/**
 * Batch normalisation with auxiliary statistics: the rows of a batch choose which statistics normalise them.
 *
 * Paper: Xie, Tan, Gong, Wang, Yuille, Le, "Adversarial Examples Improve Image Recognition", CVPR 2020,
 * arXiv 1911.09665, section 4.2 (auxiliary batch norm) and 4.3 (several of them).
 * Reference: timm, layers/split_batchnorm.py.
 *
 * Differs from the reference:
 * - the split is given explicitly with each call, in rows, and parts may differ in size; timm cuts equal parts;
 * - the affine may be shared by all parts (`affine: 'shared'`), only the running statistics being separate;
 * - `momentum` keeps tfjs's meaning, the part of the old value that is kept: PyTorch's 0.1 is 0.9 here.
 * As in PyTorch, and unlike tfjs's BatchNormalization, running variances average unbiased batch variances.
 */
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { type SplitBatchNormalizationCall, splitOf } from './batch-split'
import { type Branch, localName, track } from './branch'
import { type Affine, normalizeSplit, normalizeSplitWith } from './normalize-split'

type BatchNormalizationArgs = NonNullable<Parameters<typeof tfl.layers.batchNormalization>[0]>
// tfjs-layers exports these only as members of its argument types.
type Initializer = Extract<BatchNormalizationArgs['gammaInitializer'], object>
type Regularizer = Extract<BatchNormalizationArgs['gammaRegularizer'], object>
type Constraint = Extract<BatchNormalizationArgs['gammaConstraint'], object>

export interface SplitBatchNormalizationArgs extends Omit<BatchNormalizationArgs, 'momentum'> {
  /** Auxiliary statistics beside the main ones, at least 0. @default 1 */
  auxiliaries?: number
  /** Whether each part of the batch has its own gamma and beta, or all share the main ones. @default 'separate' */
  affine?: 'separate' | 'shared'
  /**
   * Part of a running statistic that a batch leaves in place, in [0, 1]. Null averages all batches seen alike,
   * as PyTorch's `momentum=None` does. @default 0.99
   */
  momentum?: number | null
  /** Running variances average unbiased batch variances, as in PyTorch; false: biased, as in tfjs. @default true */
  unbiasedVariance?: boolean
}

/** The fields of tfjs's own layer, which is made once to check and complete the arguments that both layers share. */
interface OrdinaryFields {
  axis: number
  momentum: number
  epsilon: number
  center: boolean
  scale: boolean
  betaInitializer: Initializer
  gammaInitializer: Initializer
  movingMeanInitializer: Initializer
  movingVarianceInitializer: Initializer
  betaConstraint?: Constraint
  gammaConstraint?: Constraint
  betaRegularizer?: Regularizer
  gammaRegularizer?: Regularizer
}

/**
 * The layer's class, for `instanceof` and subclass registration; make one with {@link splitBatchNormalization}.
 *
 * @example
 * ```ts
 * import { SplitBatchNormalization, splitBatchNormalization } from '@tfgraft/advprop'
 *
 * const layer = splitBatchNormalization({ auxiliaries: 2 })
 * console.log(layer instanceof SplitBatchNormalization, layer.auxiliaries)
 * ```
 */
export class SplitBatchNormalization extends tfl.layers.Layer {
  static get className() {
    return 'SplitBatchNormalization'
  }

  readonly auxiliaries: number
  readonly affine: 'separate' | 'shared'
  readonly momentum: number | null
  readonly unbiasedVariance: boolean
  private readonly ordinary: tfl.layers.Layer & OrdinaryFields
  private branches: Branch[] = []

  constructor(args: SplitBatchNormalizationArgs = {}) {
    super(args)
    const { auxiliaries = 1, affine = 'separate', momentum = 0.99, unbiasedVariance = true, ...shared } = args
    if (!(Number.isInteger(auxiliaries) && auxiliaries >= 0))
      throw new Error(
        `SplitBatchNormalization: \`auxiliaries\` must be an integer of at least 0. Received auxiliaries=${auxiliaries}.`,
      )
    if (affine !== 'separate' && affine !== 'shared')
      throw new Error(
        `SplitBatchNormalization: \`affine\` must be 'separate' or 'shared'. Received affine=${affine}.`,
      )
    if (momentum !== null && !(momentum >= 0 && momentum <= 1))
      throw new Error(
        `SplitBatchNormalization: \`momentum\` must be in [0, 1] or null. Received momentum=${momentum}.`,
      )
    this.auxiliaries = auxiliaries
    this.affine = affine
    this.momentum = momentum
    this.unbiasedVariance = unbiasedVariance
    this.ordinary = tfl.layers.batchNormalization({
      ...shared,
      momentum: momentum ?? undefined,
      name: this.name,
    }) as tfl.layers.Layer as tfl.layers.Layer & OrdinaryFields
    this.supportsMasking = true
  }

  override build(inputShape: tfl.Shape | tfl.Shape[]): void {
    const shape = (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as tfl.Shape
    const axis = this.channelAxis(shape.length)
    const channels = shape[axis]
    if (channels == null)
      throw new Error(
        `SplitBatchNormalization: axis ${axis} must have a defined size. Received inputShape=[${shape}].`,
      )
    this.inputSpec = [new tfl.InputSpec({ ndim: shape.length, axes: { [axis]: channels } })]
    // The main branch has the weight names of an ordinary BatchNormalization.
    this.branches = [this.addBranch('', channels, true)]
    for (let i = 1; i <= this.auxiliaries; i++)
      this.branches.push(this.addBranch(`auxiliary_${i}_`, channels, this.affine === 'separate'))
    super.build(inputShape)
  }

  private addBranch(prefix: string, channels: number, ownAffine: boolean): Branch {
    const o = this.ordinary
    const add = (
      name: string,
      initializer: Initializer,
      trainable: boolean,
      regularizer?: Regularizer,
      constraint?: Constraint,
    ) => this.addWeight(prefix + name, [channels], 'float32', initializer, regularizer, trainable, constraint)
    return {
      gamma:
        ownAffine && o.scale
          ? add('gamma', o.gammaInitializer, true, o.gammaRegularizer, o.gammaConstraint)
          : null,
      beta:
        ownAffine && o.center
          ? add('beta', o.betaInitializer, true, o.betaRegularizer, o.betaConstraint)
          : null,
      mean: add('moving_mean', o.movingMeanInitializer, false),
      variance: add('moving_variance', o.movingVarianceInitializer, false),
      batches:
        this.momentum === null
          ? this.addWeight(
              `${prefix}num_batches_tracked`,
              [],
              'float32',
              tfl.initializers.zeros(),
              undefined,
              false,
            )
          : null,
    }
  }

  private channelAxis(rank: number): number {
    const { axis } = this.ordinary
    return axis < 0 ? axis + rank : axis
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: SplitBatchNormalizationCall): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs
    return tf.tidy(() => {
      this.invokeCallHook(inputs, kwargs)
      const options = { axis: this.channelAxis(x.rank), epsilon: this.ordinary.epsilon }
      const parts = splitOf(x.shape[0]!, this.branches.length, kwargs.split)
        .map((size, i) => ({ size, branch: this.branches[i]!, affine: this.affineOf(this.branches[i]!) }))
        .filter(({ size }) => size > 0)
      if (!kwargs.training)
        return normalizeSplitWith(
          x,
          parts.map(({ branch, ...part }) => ({
            ...part,
            mean: branch.mean.read() as tf.Tensor1D,
            variance: branch.variance.read() as tf.Tensor1D,
          })),
          options,
        )
      const { output, statistics } = normalizeSplit(x, parts, options)
      for (const [i, batch] of statistics.entries())
        track(parts[i]!.branch, batch, this.momentum, this.unbiasedVariance)
      return output
    })
  }

  private affineOf(branch: Branch): Affine {
    const { gamma, beta } = this.affine === 'shared' ? this.branches[0]! : branch
    return {
      gamma: gamma && (gamma.read() as tf.Tensor1D),
      beta: beta && (beta.read() as tf.Tensor1D),
    }
  }

  /**
   * Takes over another normalisation's weights: from an ordinary BatchNormalization every branch receives the same
   * values, as in timm's conversion; from a SplitBatchNormalization, branch by branch.
   */
  adoptWeights(from: tfl.layers.Layer): void {
    const source = new Map(from.weights.map((weight) => [localName(weight), weight]))
    for (const weight of this.weights) {
      const name = localName(weight)
      const value = source.get(name) ?? source.get(name.replace(/^auxiliary_\d+_/, ''))
      if (value) weight.write(value.read())
      else if (!name.endsWith('num_batches_tracked'))
        throw new Error(
          `SplitBatchNormalization: cannot adopt the weights of ${from.name}, which has no '${name}'. ` +
            `Received ${[...source.keys()].join(', ') || 'none'}.`,
        )
    }
  }

  /**
   * The ordinary BatchNormalization that the main branch is: same name, same weight names. `graft` hands it the
   * weights through the `adoptWeights` that it carries.
   */
  toBatchNormalization(): tfl.layers.Layer {
    const { momentum, ...args } = this.ordinary.getConfig() as unknown as BatchNormalizationArgs
    const layer = tfl.layers.batchNormalization({
      ...args,
      momentum: this.momentum ?? momentum,
      name: this.name,
    })
    const adoptWeights = (from: tfl.layers.Layer) => {
      const source = new Map(from.weights.map((weight) => [localName(weight), weight]))
      layer.setWeights(layer.weights.map((weight) => source.get(localName(weight))!.read()))
    }
    return Object.assign(layer, { adoptWeights })
  }

  override computeOutputShape(inputShape: tfl.Shape | tfl.Shape[]): tfl.Shape | tfl.Shape[] {
    return inputShape
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {
      ...this.ordinary.getConfig(),
      ...super.getConfig(),
      auxiliaries: this.auxiliaries,
      affine: this.affine,
      momentum: this.momentum,
      unbiasedVariance: this.unbiasedVariance,
    }
  }
}

tf.serialization.registerClass(SplitBatchNormalization, '@tfgraft/advprop')

/**
 * A BatchNormalization with auxiliary statistics for rows of another distribution, such as adversarial examples.
 *
 * Input and output: any shape `[batch, ..., channels]` (or channels on `axis`). In training, part i of the batch, as
 * cut by the call's `split`, is normalised by its own mean and variance and moves the running statistics of branch i:
 * the main one first, then the auxiliaries. In inference the running statistics of the routed branch are used.
 * All arguments of tfjs's `batchNormalization` are accepted, with its defaults.
 *
 * @throws Error when `auxiliaries`, `affine` or `momentum` is invalid; when a call's `split` does not fit the batch.
 *
 * Paper: Xie et al., "Adversarial Examples Improve Image Recognition", arXiv 1911.09665, section 4.2.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { splitBatchNormalization } from '@tfgraft/advprop'
 *
 * const layer = splitBatchNormalization({ auxiliaries: 1, affine: 'separate', momentum: 0.9 })
 * const x = tf.randomNormal([8, 4, 4, 3])
 * const y = layer.apply(x, { training: true, split: [6, 2] }) as tf.Tensor // 6 rows main, 2 auxiliary
 * ```
 */
export function splitBatchNormalization(args: SplitBatchNormalizationArgs = {}): SplitBatchNormalization {
  return new SplitBatchNormalization(args)
}
