/**
 * tfjs's own LSTM, GRU and SimpleRNN layers with all their time steps in one op. Weights, configuration, saving and loading stay as
 * they are: only `call` changes, only while the backend is wasm, and only for what the ops cover: no mask, no dropout while
 * training, and the activations below.
 */
import * as tf from '@tensorflow/tfjs-core'
import { RNN } from '@tensorflow/tfjs-layers'
import { gru } from '../ops/gru'
import { type LstmOptions, lstm } from '../ops/lstm'
import { isRecurrentActivation, type RecurrentActivation } from '../ops/recurrent-activations'
import { simpleRnn } from '../ops/simple-rnn'
import { isFused } from '../training-kernels/fusion'
import { type CallOptions, replaceCall } from './replace-call'

interface Weight {
  read(): tf.Tensor
}

interface NamedFunction {
  getClassName(): string
}

/** What we use of tfjs's cells. */
interface Cell {
  getClassName(): string
  units: number
  activation: NamedFunction
  /** Absent in the simple cell. */
  recurrentActivation?: NamedFunction
  dropout: number
  recurrentDropout: number
  kernel: Weight
  recurrentKernel: Weight
  bias: Weight | null
}

/** What we use of tfjs's layers. */
interface RecurrentLayer {
  cell: Cell
  goBackwards: boolean
  returnSequences: boolean
  returnState: boolean
  stateful: boolean
  states_: tf.Tensor[] | null
  resetStates(states: tf.Tensor[], training: boolean): void
}

interface RecurrentCallOptions extends CallOptions {
  mask?: tf.Tensor | tf.Tensor[] | null
  initialState?: tf.Tensor[] | null
}

/** An op of a whole layer. States of several parts lie beside each other. */
interface WholeLayer {
  isCovered: (activation: string, recurrentActivation?: string) => boolean
  /** States per time step. */
  parts: number
  /** @returns [batch, time, parts units] */
  run: (inputs: Inputs, cell: Cell) => tf.Tensor
}

interface Inputs {
  x: tf.Tensor
  kernel: tf.Tensor
  recurrentKernel: tf.Tensor
  bias?: tf.Tensor
  /** Before the first step, [batch, units] each. */
  before: tf.Tensor[]
}

const nameOf = (f?: NamedFunction) => f?.getClassName() as RecurrentActivation

const wholeLayers: Record<string, WholeLayer> = {
  LSTMCell: {
    isCovered: (activation, gate) => activation === 'tanh' && (gate === 'sigmoid' || gate === 'hardSigmoid'),
    parts: 2,
    run: ({ before: [h, c], ...inputs }, { recurrentActivation }) =>
      lstm({ ...inputs, h: h!, c: c! }, {
        recurrentActivation: nameOf(recurrentActivation),
      } as LstmOptions),
  },
  GRUCell: {
    isCovered: (activation, gate) => isRecurrentActivation(activation) && isRecurrentActivation(gate!),
    parts: 1,
    run: ({ before: [h], ...inputs }, { activation, recurrentActivation }) =>
      gru(
        { ...inputs, h: h! },
        { activation: nameOf(activation), recurrentActivation: nameOf(recurrentActivation) },
      ),
  },
  SimpleRNNCell: {
    isCovered: isRecurrentActivation,
    parts: 1,
    run: ({ before: [h], ...inputs }, { activation }) =>
      simpleRnn({ ...inputs, h: h! }, { activation: nameOf(activation) }),
  },
}

const isCovered = ({ cell }: RecurrentLayer, x: tf.Tensor, { mask, training }: RecurrentCallOptions) =>
  x.rank === 3 &&
  !(Array.isArray(mask) ? mask.some((one) => one) : mask) &&
  !(training && (cell.dropout || cell.recurrentDropout)) &&
  !!wholeLayers[cell.getClassName()]?.isCovered(nameOf(cell.activation), nameOf(cell.recurrentActivation))

function callWhole(
  layer: RecurrentLayer,
  input: tf.Tensor,
  { training = false, initialState }: RecurrentCallOptions,
) {
  const { cell, goBackwards, returnSequences, returnState, stateful } = layer
  const { units, kernel, recurrentKernel, bias } = cell
  const { parts, run } = wholeLayers[cell.getClassName()]!
  const [batch, time] = input.shape as [number, number]
  const zeros = () => Array.from({ length: parts }, () => tf.zeros([batch, units]))
  const states = run(
    {
      x: goBackwards ? tf.reverse(input, 1) : input,
      ...{ kernel: kernel.read(), recurrentKernel: recurrentKernel.read() },
      ...(bias ? { bias: bias.read() } : {}),
      before: initialState ?? (stateful ? layer.states_ : null) ?? zeros(),
    },
    cell,
  ) // [batch, time, parts units]
  const last = (part: number) =>
    tf.reshape(tf.slice(states, [0, time - 1, part * units], [batch, 1, units]), [batch, units])
  const lastStates = () => Array.from({ length: parts }, (_, part) => last(part))
  if (stateful) layer.resetStates(lastStates(), training)
  const all = () => (parts === 1 ? states : tf.slice(states, [0, 0, 0], [batch, time, units]))
  const output = returnSequences ? all() : last(0)
  return returnState ? [output, ...lastStates()] : output
}

/** Makes `tf.layers.lstm`, `gru` and `simpleRNN` run as one op on wasm, also inside `bidirectional`. */
export function fuseRecurrent(): void {
  replaceCall<RecurrentLayer, RecurrentCallOptions>(RNN.prototype, {
    isCovered: (layer, x, options) => isFused() && isCovered(layer, x, options),
    call: callWhole,
  })
}
