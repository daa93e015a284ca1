/**
 * Rebuilds a model with some layers replaced and all weights carried over: Keras's `clone_model`, for methods that
 * swap layers of a model that somebody else made.
 */
import * as tfl from '@tensorflow/tfjs-layers'
import type { Method } from '../method'
import { type AdoptingLayer, carryWeights } from './carry-weights'
import { checkLosses, cloneLayer } from './clone-layer'

type Layer = tfl.layers.Layer

/** Returns what replaces a layer: a layer, a chain of layers that may contain the layer itself, or nothing. */
export type Replace = (layer: Layer) => Layer | readonly Layer[] | undefined

/** What stands where a layer stood. */
interface Chain {
  old: Layer
  layers: Layer[]
  /** The copy of `old` in `layers`, where it is kept. */
  copy?: Layer
  /** The layer of `layers` that has the name of `old`. */
  heir?: Layer
  carried: boolean
}

interface Graft {
  replace: Replace
  chains: Map<Layer, Chain>
  /** Layers that `replace` returned: each may stand in one place only. */
  used: Set<Layer>
}

const isModel = (layer: Layer): layer is tfl.LayersModel => layer instanceof tfl.LayersModel
const isInput = (layer: Layer) => layer.getClassName() === 'InputLayer'
const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])
const nameOf = (layer: Layer) => `layer "${layer.name}" (${layer.getClassName()})`

function checkReplacement(old: Layer, layer: Layer, used: Set<Layer>): void {
  const rule =
    typeof layer?.apply !== 'function'
      ? 'must be a layer'
      : used.has(layer)
        ? 'must be a new layer for each replaced layer'
        : !isModel(layer) && layer.inboundNodes.length
          ? 'must not be part of a model yet'
          : undefined
  if (rule) {
    const received = typeof layer?.apply === 'function' ? nameOf(layer) : String(layer)
    throw new Error(`graft: the replacement of ${nameOf(old)} ${rule}. Received ${received}.`)
  }
}

/** The layers that replace `old`, asked for once per layer however often the layer is used. */
function chainOf(old: Layer, graft: Graft): Chain {
  const known = graft.chains.get(old)
  if (known) return known
  const answer = graft.replace(old)
  const wanted = answer === undefined ? [old] : Array.isArray(answer) ? answer : [answer as Layer]
  if (wanted.filter((layer) => layer === old).length > 1)
    throw new Error(`graft: a replacement may keep ${nameOf(old)} once. Received it several times.`)
  const chain: Chain = { old, layers: [], carried: false }
  for (const layer of wanted) {
    if (layer === old) {
      chain.copy = isModel(old) ? graftModel(old, graft) : cloneLayer(old)
      chain.layers.push(chain.copy)
    } else {
      checkReplacement(old, layer, graft.used)
      graft.used.add(layer)
      chain.layers.push(layer)
    }
  }
  // The name goes to the copy, else to the first layer that can take weights, so that weights keep their names too.
  chain.heir =
    chain.copy ??
    chain.layers.find((layer) => typeof (layer as AdoptingLayer).adoptWeights === 'function') ??
    chain.layers[0]
  if (chain.heir) chain.heir.name = old.name
  graft.chains.set(old, chain)
  return chain
}

/** Carries weights once, when the chain has been built. A kept model has carried its own. */
function carry(chain: Chain): void {
  if (chain.carried) return
  chain.carried = true
  if (chain.copy && isModel(chain.copy)) return
  carryWeights(chain.old, chain.layers, chain.copy)
  if (chain.copy) checkLosses(chain.old, chain.copy)
}

/** Renames inserted layers whose automatic name another layer of the model already has. */
function makeNamesUnique(layers: readonly Layer[], reserved: ReadonlySet<string>): void {
  const taken = new Set(reserved)
  for (const layer of layers) {
    const base = layer.name
    for (let i = 1; taken.has(layer.name); i++) layer.name = `${base}_${i}`
    taken.add(layer.name)
  }
}

const inserted = (chains: readonly Chain[]) =>
  chains.flatMap(({ heir, layers }) => layers.filter((layer) => layer !== heir))

/** Call arguments without symbolic tensors, such as initial states: those are inputs of the node already. */
function callArguments(args: object | undefined): Record<string, unknown> {
  const symbolic = (value: unknown) => list(value).some((item) => item instanceof tfl.SymbolicTensor)
  return Object.fromEntries(Object.entries(args ?? {}).filter(([, value]) => !symbolic(value)))
}

function graftFunctional(model: tfl.LayersModel, graft: Graft): tfl.LayersModel {
  const nodes = Object.keys(model.nodesByDepth)
    .map(Number)
    .sort((a, b) => b - a)
    .flatMap((depth) => model.nodesByDepth[depth]!)
    .filter(({ outboundLayer }) => !isInput(outboundLayer))
  const chains = [...new Set(nodes.map(({ outboundLayer }) => outboundLayer))].map((l) => chainOf(l, graft))
  makeNamesUnique(inserted(chains), new Set(model.layers.map(({ name }) => name)))

  const tensors = new Map<number, tfl.SymbolicTensor>() // old tensor id -> new tensor
  const inputs = model.inputs.map((old, i) => {
    const input = cloneLayer(model.inputLayers[i]!).inboundNodes[0]!.outputTensors[0]!
    tensors.set(old.id, input)
    return input
  })
  for (const node of nodes) {
    const chain = chainOf(node.outboundLayer, graft)
    let values = node.inputTensors.map(({ id }) => tensors.get(id)!)
    chain.layers.forEach((layer, i) => {
      const args = i === 0 ? callArguments(node.callArgs) : {}
      values = list(layer.apply(values.length === 1 ? values[0]! : values, args) as tfl.SymbolicTensor)
    })
    if (values.length !== node.outputTensors.length)
      throw new Error(
        `graft: the replacement of ${nameOf(chain.old)} must have ${node.outputTensors.length} outputs. ` +
          `Received ${values.length}.`,
      )
    node.outputTensors.forEach(({ id }, i) => {
      tensors.set(id, values[i]!)
    })
    carry(chain)
  }
  const outputs = model.outputs.map(({ id }) => tensors.get(id)!)
  return tfl.model({ inputs, outputs, name: model.name })
}

function graftSequential(model: tfl.Sequential, graft: Graft): tfl.Sequential {
  const chains = model.layers.map((layer): Chain => {
    if (!isInput(layer)) return chainOf(layer, graft)
    const copy = cloneLayer(layer)
    return { old: layer, layers: [copy], copy, heir: copy, carried: true }
  })
  makeNamesUnique(inserted(chains), new Set(model.layers.map(({ name }) => name)))
  const layers = chains.flatMap((chain) => chain.layers)
  const [first] = layers
  const { shape, dtype, sourceLayer } = model.inputs[0]!
  const inputName = sourceLayer.name
  if (!first || (!isInput(first) && !isModel(first) && `${first.name}_input` !== inputName))
    layers.unshift(tfl.layers.inputLayer({ batchInputShape: shape, dtype, name: inputName }))
  else if (!isInput(first) && !isModel(first)) {
    first.batchInputShape ??= shape
    first.dtype ??= dtype
  }
  const grafted = tfl.sequential({ layers, name: model.name })
  grafted.build() // now, because it resets the flags of single weights
  chains.forEach(carry)
  return grafted
}

function graftModel(model: tfl.LayersModel, graft: Graft): tfl.LayersModel {
  const sequential = model instanceof tfl.Sequential
  if (sequential && !model.inputs?.length)
    throw new Error(
      `graft: the model must be built: give its first layer an \`inputShape\`. Received ${model.name}.`,
    )
  const grafted = sequential ? graftSequential(model, graft) : graftFunctional(model, graft)
  if (!model.trainable) grafted.trainable = false
  const metadata = model.getUserDefinedMetadata()
  if (metadata) grafted.setUserDefinedMetadata(metadata)
  return grafted
}

/**
 * A copy of `model` in which `replace` decides what stands in the place of each layer. Weights are carried over: a
 * kept layer keeps its own; a replacement receives those of the old layer through its
 * `adoptWeights(old)`, or, without that, by equal shapes. Names and frozen flags stay. The given model is untouched,
 * and its weights are copied, not shared.
 *
 * Handles `Sequential`, functional graphs with shared layers and several inputs and outputs, nested models (`replace`
 * is asked about the nested model itself, then about its layers), masks and recurrent layers with initial states. A
 * wrapper, such as `Bidirectional`, counts as one layer.
 *
 * @param replace Called once per layer, without input layers. Returns a layer, an array of layers (a chain, which may
 *   contain the old layer itself: that one is kept there), or `undefined` to keep the layer.
 * @throws When something cannot be carried: weights of other shapes, a layer whose config does not rebuild it, losses
 *   that were added by hand.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs'
 * import { graft } from '@tfgraft/core'
 *
 * const model = tf.sequential({
 *   layers: [
 *     tf.layers.dense({ units: 8, inputShape: [4], activation: 'relu', name: 'hidden' }),
 *     tf.layers.dense({ units: 2, name: 'logits' }),
 *   ],
 * })
 * // Dropout after every hidden layer; all weights stay.
 * const regularised = graft(model, (layer) =>
 *   layer.name === 'hidden' ? [layer, tf.layers.dropout({ rate: 0.5 })] : undefined,
 * )
 * console.log(regularised.layers.map(({ name }) => name)) // hidden, dropout_Dropout1, logits
 * ```
 */
export function graft(model: tfl.LayersModel, replace: Replace): tfl.LayersModel {
  if (!(model instanceof tfl.LayersModel))
    throw new Error(`graft: \`model\` must be a tf.LayersModel. Received ${String(model)}.`)
  if (typeof replace !== 'function') {
    const { name, apply } = (replace ?? {}) as Partial<Method>
    const received = apply
      ? `the method "${name}": use its apply({ model, optimizer, loss, step }).model`
      : replace
    throw new Error(
      `graft: \`replace\` must be a function from a layer to what replaces it. Received ${received}.`,
    )
  }
  return graftModel(model, { replace, chains: new Map(), used: new Set() })
}
