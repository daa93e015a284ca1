/**
 * Makes a proximal layer out of any layer whose linear output depends linearly on its weights.
 *
 * Paper: Frerix, Moellenhoff, Moeller, Cremers, "Proximal Backpropagation", ICLR 2018, arXiv 1706.04638, algorithm 1.
 * Reference implementation: github.com/tfrerix/proxprop, `ProxProp.py`.
 *
 * The layer owns a stock layer for its weights, initializers, regularizers, constraints and shapes, and computes
 * activation(map(x, weights)). Its weights' gradient is the proximal step X0 - X+, so any optimizer applies it.
 *
 * Differs from the reference: gradients add up over several backward passes and over several uses of a layer (which
 * solve one joint problem), layers without bias work, so do inputs of any rank, CG is the textbook's, and the update
 * is solved for instead of the weights. Regularizers act beside the proximal step, through their own gradient.
 */
import * as tf from '@tensorflow/tfjs-core'
import { initializers, type LayerVariable, layers, type Shape } from '@tensorflow/tfjs-layers'
import type { LinearLayer } from './linear-layer'
import { observer } from './observe'
import {
  checkOptions,
  checkTau,
  defaultTau,
  learnedTauRange,
  type ProximalOptions,
  type Solver,
  type TrustRatio,
} from './options'
import { detach, isRecording, type LinearUse, recordUse } from './record-use'
import { type LayerProblem, type LayerStep, layerOperator, solveLayer } from './solve-layer'

/** What every proximal layer is, beside a tfjs layer. */
export interface ProximalLayer extends layers.Layer {
  /** Step size of the next step. A number may be replaced at any time, by a schedule for instance. */
  tau: number | TrustRatio
  readonly solver: Solver
  readonly bias: 'proximal' | 'gradient'
  readonly rate: number
  /** Takes over kernel and bias of a stock layer with equal shapes; both layers must be built. */
  adoptWeights(old: layers.Layer): void
}

/** The class that {@link proximalLayer} makes. */
export interface ProximalLayerClass<Config extends object> {
  new (config: Config & ProximalOptions): ProximalLayer
  readonly className: string
  fromConfig: typeof layers.Layer.fromConfig
}

/** A weight's name without that of its layer. */
const partName = ({ originalName }: LayerVariable) => originalName.split('/').at(-1)!

const scaled = (update: tf.Tensor, rate: number) => (rate === 1 ? update : tf.mul(update, rate))

const builtBy = new WeakSet<object>()

/** Whether a layer was made by a class of this package. */
export const isProximalLayer = (layer: layers.Layer): layer is ProximalLayer => builtBy.has(layer)

/**
 * A layer class with proximal steps, from the forward map alone.
 *
 * @throws Error, from the constructor of the class, for options that break a rule, and for `solver: 'exact'` when the
 * description has no `rows`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { layers, sequential } from '@tensorflow/tfjs-layers'
 * import { useBackend } from '@tfgraft/backends'
 * import { proximalLayer } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * type Config = Parameters<typeof layers.depthwiseConv2d>[0]
 * const ProxDepthwise = proximalLayer<Config>({
 *   className: 'ProxDepthwiseExample',
 *   layer: layers.depthwiseConv2d,
 *   map: (x, [kernel, bias]) =>
 *     tf.add(tf.depthwiseConv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid'), bias!),
 * })
 * const layer = new ProxDepthwise({ kernelSize: 3, inputShape: [8, 8, 2], tau: 0.1, solver: { cg: 3 } })
 * const model = sequential({ layers: [layer, layers.flatten(), layers.dense({ units: 1 })] })
 * model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
 * await model.fit(tf.randomNormal([4, 8, 8, 2]), tf.ones([4, 1]), { epochs: 1, verbose: 0 })
 * ```
 */
export function proximalLayer<Config extends object>(
  description: LinearLayer<Config>,
): ProximalLayerClass<Config> {
  type Args = Config & ProximalOptions
  const { className, map } = description
  const defaultSolver: Solver = description.blockCg ? 'exact' : { cg: 3 }

  class Proximal extends layers.Layer {
    static get className() {
      return className
    }

    readonly solver: Solver
    readonly bias: 'proximal' | 'gradient'
    readonly rate: number
    private currentTau: number | TrustRatio
    private readonly stock: layers.Layer
    private readonly config: Config
    private readonly activation: layers.Layer | undefined
    private readonly activationName: string | undefined
    /** The stock layer's weights in its order, which freezing a single weight does not change here. */
    private parameters: LayerVariable[] = []
    private learnedTau: LayerVariable | undefined

    constructor(args: Args) {
      const { tau = defaultTau, solver = defaultSolver, bias = 'proximal', rate = 1, ...rest } = args
      checkOptions(className, { tau, solver, bias, rate })
      if (solver === 'exact' && !description.rows)
        throw new Error(
          `${className}: \`solver\` must be 'gradient' or { cg: steps } for a layer described without \`rows\`. Received solver=exact.`,
        )
      super(rest as ConstructorParameters<typeof layers.Layer>[0])
      const { activation, ...config } = rest as { activation?: string | null }
      this.config = config as Config
      this.stock = description.layer({ ...this.config, name: this.name, trainable: true })
      this.activationName = activation ?? undefined
      if (activation && activation !== 'linear')
        this.activation = layers.activation({ activation: activation as 'relu' })
      this.currentTau = tau
      this.solver = solver
      this.bias = bias
      this.rate = rate
      this.supportsMasking = this.stock.supportsMasking
      builtBy.add(this)
    }

    get tau(): number | TrustRatio {
      return this.currentTau
    }

    set tau(tau: number | TrustRatio) {
      checkTau(className, tau)
      if (typeof this.currentTau === 'object')
        throw new Error(`${className}: \`tau\` cannot be set while it is learned. Received tau=${tau}.`)
      this.currentTau = tau
    }

    override build(inputShape: Shape | Shape[]): void {
      this.stock.build(inputShape)
      this.inputSpec = this.stock.inputSpec
      this.parameters = this.stock.trainableWeights
      this.trainableWeights = this.parameters
      this.addLoss(this.stock.losses)
      if (typeof this.currentTau === 'object') {
        const initial = initializers.constant({ value: this.currentTau.initial ?? defaultTau })
        this.learnedTau = this.addWeight('tau', [], 'float32', initial, undefined, false)
      }
      this.built = true
    }

    override setFastWeightInitDuringBuild(value: boolean): void {
      super.setFastWeightInitDuringBuild(value)
      this.stock.setFastWeightInitDuringBuild(value)
    }

    override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Parameters<layers.Layer['call']>[1]): tf.Tensor {
      return tf.tidy(() => {
        this.invokeCallHook(inputs, kwargs)
        const x = Array.isArray(inputs) ? inputs[0]! : inputs
        const weights = this.parameters.map((weight) => weight.read())
        const z =
          this.trainable && isRecording()
            ? recordUse(this, x, map(x, weights.map(detach), this.config), weights, (uses) =>
                this.step(uses, weights),
              )
            : map(x, weights, this.config)
        return this.activation ? (this.activation.apply(z) as tf.Tensor) : z
      })
    }

    /** X0 - X+ for each weight, from all uses of the layer in one backward pass. */
    private step(uses: LinearUse[], weights: tf.Tensor[]): tf.Tensor[] {
      const problem: LayerProblem = {
        uses,
        weights,
        biasIndex: this.parameters.findIndex((weight) => partName(weight) === 'bias'),
        tau: this.learnedTau ? (this.learnedTau.read() as tf.Scalar) : tf.scalar(this.currentTau as number),
        solver: this.solver,
        bias: this.bias,
      }
      const solve = (given: LayerProblem) => {
        const { updates, iterations } = solveLayer(description, this.config, given)
        return { updates: updates.map((update) => scaled(update, this.rate)), iterations }
      }
      const step = solve(problem)
      const { watch, dry = false } = observer() ?? {}
      watch?.({
        layer: this.name,
        problem,
        step,
        gradient: solve({ ...problem, solver: 'gradient' }),
        operator: layerOperator(description, this.config, problem),
      })
      if (this.learnedTau && !dry) this.learnTau(step, weights)
      return step.updates
    }

    private learnTau({ updates }: LayerStep, weights: tf.Tensor[]): void {
      const { trustRatio } = this.currentTau as TrustRatio
      const tau = this.learnedTau!
      const norm = (parts: tf.Tensor[]) => tf.sqrt(tf.addN(parts.map((part) => tf.sum(tf.square(part)))))
      const [length, stepLength] = [norm(weights), norm(updates)]
      const known = tf.logicalAnd(tf.greater(length, 0), tf.greater(stepLength, 0))
      const ratio = tf.where(known, tf.divNoNan(tf.mul(length, trustRatio), stepLength), tf.scalar(1))
      tau.write(tf.clipByValue(tf.mul(tau.read(), tf.clipByValue(ratio, 0.5, 2)), ...learnedTauRange))
    }

    override computeOutputShape(inputShape: Shape | Shape[]): Shape | Shape[] {
      return this.stock.computeOutputShape(inputShape)
    }

    adoptWeights(old: layers.Layer): void {
      tf.tidy(() => {
        for (const weight of this.parameters) {
          const source = old.weights.find((other) => partName(other) === partName(weight))
          if (!source || `${source.shape}` !== `${weight.shape}`)
            throw new Error(
              `${className}: the adopted layer must have a weight ${partName(weight)} of shape [${weight.shape}]. ` +
                `Received ${source ? `[${source.shape}]` : 'none'} from layer "${old.name}".`,
            )
          weight.write(tf.mul(source.read(), 1)) // a copy: an optimizer may work in place
          weight.trainable = source.trainable
        }
      })
    }

    override getConfig(): tf.serialization.ConfigDict {
      return {
        ...this.stock.getConfig(),
        ...super.getConfig(),
        activation: this.activationName ?? 'linear',
        tau: this.currentTau as number,
        solver: this.solver as string,
        bias: this.bias,
        rate: this.rate,
      }
    }
  }
  return Proximal as unknown as ProximalLayerClass<Config>
}
