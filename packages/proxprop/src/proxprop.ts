/**
 * ProxProp as a method: replaces layers of a model by proximal ones, with the same weights.
 *
 * Paper: Frerix, Moellenhoff, Moeller, Cremers, "Proximal Backpropagation", ICLR 2018, arXiv 1706.04638.
 *
 * As in the paper, the output layer stays explicit: the proximal problem of a layer needs a target for its output,
 * which is a gradient step on the output, and no such step is taken where the loss itself is minimised.
 */
import { LayersModel, type layers, type SymbolicTensor } from '@tensorflow/tfjs-layers'
import { graft, type Method } from '@tfgraft/core'
import { checkOptions, checkTau, defaultTau, type ProximalOptions, type TrustRatio } from './options'
import { ProxConv2D } from './prox-conv2d'
import { ProxDense } from './prox-dense'
import { isProximalLayer, type ProximalLayer, type ProximalLayerClass } from './proximal-layer'

type Layer = layers.Layer

export interface ProxpropOptions extends Omit<ProximalOptions, 'tau'> {
  /** See {@link ProximalOptions}; or a schedule, from the optimizer step (from 0) to `tau`. @default 0.05 */
  tau?: number | TrustRatio | ((step: number) => number)
  /**
   * The layers to replace, by name or by a test.
   * @default every Dense and Conv2D layer but those that make the model's outputs
   */
  layers?: readonly string[] | ((layer: Layer) => boolean)
  /**
   * The proximal class for each tfjs class that can be replaced. Add classes made by `proximalLayer` here.
   * @default { Dense: ProxDense, Conv2D: ProxConv2D }
   */
  classes?: Readonly<Record<string, ProximalLayerClass<never>>>
}

const ownClasses: Readonly<Record<string, ProximalLayerClass<never>>> = {
  Dense: ProxDense,
  Conv2D: ProxConv2D,
}

/** All layers of a model, those of nested models included. */
const leaves = (model: LayersModel): Layer[] =>
  model.layers.flatMap((layer) => (layer instanceof LayersModel ? leaves(layer) : [layer]))

/** The last layers with weights on the way to the model's outputs. */
function outputLayers(model: LayersModel): Set<Layer> {
  const found = new Set<Layer>()
  const visit = ({ sourceLayer, nodeIndex }: SymbolicTensor): void => {
    if (sourceLayer.weights.length === 0) sourceLayer.inboundNodes[nodeIndex]?.inputTensors.forEach(visit)
    else if (sourceLayer instanceof LayersModel) sourceLayer.outputs.forEach(visit)
    else found.add(sourceLayer)
  }
  model.outputs.forEach(visit)
  return found
}

/** Decides which layers are replaced. */
function chosenLayers(
  model: LayersModel,
  wanted: ProxpropOptions['layers'],
  classes: Readonly<Record<string, ProximalLayerClass<never>>>,
): Set<Layer> {
  const all = leaves(model)
  const replaceable = all.filter((layer) => layer.getClassName() in classes)
  const listed = (some: readonly Layer[]) => some.map(({ name }) => name).join(', ') || 'none'
  let chosen: Layer[]
  if (wanted === undefined) {
    const outputs = outputLayers(model)
    chosen = replaceable.filter((layer) => !outputs.has(layer))
  } else if (typeof wanted === 'function') chosen = all.filter(wanted)
  else {
    const unknown = wanted.find((name) => !all.some((layer) => layer.name === name))
    if (unknown !== undefined)
      throw new Error(
        `proxprop: \`layers\` must name layers of the model: ${listed(all)}. Received ${unknown}.`,
      )
    chosen = all.filter(({ name }) => wanted.includes(name))
  }
  const wrong = chosen.find((layer) => !replaceable.includes(layer))
  if (wrong)
    throw new Error(
      `proxprop: a replaced layer must be a ${Object.keys(classes).join(' or ')}. ` +
        `Received ${wrong.name} (${wrong.getClassName()}).`,
    )
  if (chosen.length === 0)
    throw new Error(
      `proxprop: the model must have a layer to replace; the output layer stays unless \`layers\` names it. ` +
        `Received ${model.name} with layers ${listed(all)}.`,
    )
  return new Set(chosen)
}

/**
 * The method: `setup.model` with proximal layers, everything else as it was. The optimizer applies the proximal
 * steps as gradients, so its learning rate multiplies them: the paper takes 1 with SGD and Nesterov momentum for
 * exact and CG solvers, and 1e-3 with Adam.
 *
 * @throws Error for options that break a rule; on `apply`, for layers that the model does not have or that cannot be
 * replaced.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { layers, metrics, sequential } from '@tensorflow/tfjs-layers'
 * import { useBackend } from '@tfgraft/backends'
 * import { defaultStep } from '@tfgraft/core'
 * import { proxprop } from '@tfgraft/proxprop'
 *
 * await useBackend('wasm')
 * const hidden = layers.dense({ units: 16, activation: 'relu', inputShape: [4] })
 * const model = sequential({ layers: [hidden, layers.dense({ units: 3, activation: 'softmax' })] })
 * const loss = metrics.categoricalCrossentropy
 * const baseline = { model, optimizer: tf.train.momentum(1, 0.95, true), loss, step: defaultStep }
 * const setup = proxprop({ tau: 0.05 }).apply(baseline)
 * console.log(setup.model.layers.map((layer) => layer.getClassName())) // ProxDense, Dense
 * ```
 */
export function proxprop(options: ProxpropOptions = {}): Method {
  const { tau = defaultTau, layers: wanted, classes = ownClasses, ...rest } = options
  const first = typeof tau === 'function' ? tau(0) : tau
  checkOptions('proxprop', { tau: first, solver: 'gradient', bias: 'proximal', rate: 1, ...rest })
  return {
    name: 'proxprop',
    paper: {
      title: 'Proximal Backpropagation',
      authors: ['Frerix', 'Möllenhoff', 'Moeller', 'Cremers'],
      year: 2018,
      url: 'https://arxiv.org/abs/1706.04638',
    },
    apply(setup) {
      const chosen = chosenLayers(setup.model, wanted, classes)
      const model = graft(setup.model, (layer) => {
        if (!chosen.has(layer)) return undefined
        const Class = classes[layer.getClassName()] as unknown as ProximalLayerClass<object>
        return new Class({ ...layer.getConfig(), tau: first, ...rest })
      })
      if (typeof tau !== 'function') return { ...setup, model }
      return {
        ...setup,
        model,
        step: (given, batch, context) => {
          const next = tau(context.step)
          checkTau('proxprop', next)
          for (const layer of scheduledLayers(given.model)) layer.tau = next
          return setup.step(given, batch, context)
        },
      }
    },
  }
}

/** Found anew each step, because a method that comes later may rebuild the model. */
const scheduledLayers = (model: LayersModel): ProximalLayer[] => leaves(model).filter(isProximalLayer)
