/**
 * tfjs's own LSTM layer with all its time steps in one op. Weights, configuration, saving and loading stay as they are: only
 * `call` changes, only while the backend is wasm, and only for what the op covers: no mask, no dropout while training, tanh,
 * and a (hard) sigmoid for the gates.
 */
import * as tf from '@tensorflow/tfjs-core'
import { RNN } from '@tensorflow/tfjs-layers'
import { type LstmOptions, lstm } from '../ops/lstm'
import { isFused } from '../training-kernels/fusion'
import { type CallOptions, replaceCall } from './replace-call'

interface Weight {
  read(): tf.Tensor
}

interface NamedFunction {
  getClassName(): string
}

/** What we use of tfjs's layer and of its cell. */
interface LstmLayer {
  cell: {
    getClassName(): string
    units: number
    activation: NamedFunction
    recurrentActivation: NamedFunction
    useBias: boolean
    dropout: number
    recurrentDropout: number
    kernel: Weight
    recurrentKernel: Weight
    bias: Weight | null
  }
  goBackwards: boolean
  returnSequences: boolean
  returnState: boolean
  stateful: boolean
  states_: tf.Tensor[] | null
  resetStates(states: tf.Tensor[], training: boolean): void
}

interface LstmCallOptions extends CallOptions {
  mask?: tf.Tensor | tf.Tensor[] | null
  initialState?: tf.Tensor[] | null
}

type RecurrentActivation = LstmOptions['recurrentActivation']

const isCovered = ({ cell }: LstmLayer, { mask, training }: LstmCallOptions): boolean =>
  cell.getClassName() === 'LSTMCell' &&
  cell.activation.getClassName() === 'tanh' &&
  ['sigmoid', 'hardSigmoid'].includes(cell.recurrentActivation.getClassName()) &&
  !(Array.isArray(mask) ? mask.some((one) => one) : mask) &&
  !(training && (cell.dropout || cell.recurrentDropout))

function callLstm(layer: LstmLayer, input: tf.Tensor, { training = false, initialState }: LstmCallOptions) {
  const { cell, goBackwards, returnSequences, returnState, stateful } = layer
  const { units } = cell
  const [batch, time] = input.shape as [number, number]
  const given = initialState ?? (stateful ? layer.states_ : null)
  const [h, c] = given ?? [tf.zeros([batch, units]), tf.zeros([batch, units])]
  const states = lstm(
    {
      x: goBackwards ? tf.reverse(input, 1) : input,
      kernel: cell.kernel.read(),
      recurrentKernel: cell.recurrentKernel.read(),
      ...(cell.bias ? { bias: cell.bias.read() } : {}),
      ...{ h: h!, c: c! },
    },
    { recurrentActivation: cell.recurrentActivation.getClassName() as RecurrentActivation },
  ) // [batch, time, 2 units]
  const last = (from: number) =>
    tf.reshape(tf.slice(states, [0, time - 1, from], [batch, 1, units]), [batch, units])
  const lastStates = () => [last(0), last(units)]
  if (stateful) layer.resetStates(lastStates(), training)
  const output = returnSequences ? tf.slice(states, [0, 0, 0], [batch, time, units]) : last(0)
  return returnState ? [output, ...lastStates()] : output
}

/** Makes `tf.layers.lstm` run as one op on wasm, also inside `bidirectional`. */
export function fuseLstm(): void {
  replaceCall<LstmLayer, LstmCallOptions>(RNN.prototype, {
    isCovered: (layer, _, options) => isFused() && isCovered(layer, options),
    call: callLstm,
  })
}
