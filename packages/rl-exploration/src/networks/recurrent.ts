/**
 * A network that remembers: dense layers, a recurrent cell, and a dense layer on what the cell tells. For worlds
 * where one observation does not say enough.
 *
 * Papers: LSTM: Hochreiter & Schmidhuber 1997, with forget gates (Gers et al. 2000) that start open (bias 1); GRU: Cho et
 * al. 2014, arXiv 1406.1078, equations 5 to 8 (the reset gate acts before the product, as in tfjs-layers).
 */
import * as tf from '@tensorflow/tfjs-core'
import { mlp, orthogonal } from './network'
import type { SavableRandom } from './random'

/** A differentiable function with weights and a memory of each environment. */
export interface RecurrentNetwork {
  readonly variables: readonly tf.Variable[]
  /** Numbers that are remembered of each environment. */
  readonly memorySize: number
  /**
   * Goes along sequences of equal length, time-major: row `t * sequences + s`. Call it inside `tf.tidy`.
   *
   * @param x `[steps * sequences, features]`.
   * @param memory `[sequences, memorySize]`, 0 for a blank one.
   * @param keep `[steps * sequences, 1]`: 0 where an episode begins, which erases the memory before the step; else 1.
   * @returns `[steps * sequences, outputs]`, and the memory after the last step.
   */
  unroll(
    x: tf.Tensor2D,
    memory: tf.Tensor2D,
    keep: tf.Tensor2D,
  ): { outputs: tf.Tensor2D; memory: tf.Tensor2D }
  dispose(): void
}

/** Shape of a {@link recurrentNetwork}. */
export interface RecurrentNetworkOptions {
  /** `'lstm'` remembers `2 * units` numbers, `'gru'` remembers `units`. */
  cell: 'lstm' | 'gru'
  /** Width of the cell. */
  units: number
  /** Widths from the input to the cell: `[147, 64]` has one dense layer before it. */
  sizes: readonly number[]
  outputs: number
  /** Gains of column ranges of the output layer: `[[columns, gain], ...]`. */
  outputGains?: readonly (readonly [columns: number, gain: number])[]
  random: SavableRandom
}

/** Relu layers, a cell, and a linear layer. */
export function recurrentNetwork(options: RecurrentNetworkOptions): RecurrentNetwork {
  const { cell, units, sizes, outputs, outputGains, random } = options
  const features = sizes.at(-1)!
  const gates = cell === 'lstm' ? 4 : 3
  // The encoder ends in a relu: its last layer is the cell's own input product.
  const encoder = mlp({ sizes: [...sizes, gates * units], outputGain: 1, random })
  const [inputWeights, bias] = encoder.variables.slice(-2) as [tf.Variable, tf.Variable]
  assignColumns(inputWeights, features, units, gates, random)
  if (cell === 'lstm') openForgetGates(bias, units)
  const recurrent = tf.tidy(() => tf.variable(tf.zeros([units, gates * units])))
  assignColumns(recurrent, units, units, gates, random)
  const head = mlp({ sizes: [units, outputs], outputGains, random })
  const step = cell === 'lstm' ? lstmStep : gruStep
  return {
    variables: [...encoder.variables, recurrent, ...head.variables],
    memorySize: cell === 'lstm' ? 2 * units : units,
    unroll(x, memory, keep) {
      const sequences = memory.shape[0]
      const steps = x.shape[0] / sequences
      // One product for all steps; only what depends on the memory goes step by step.
      const inputs = tf.split(encoder.apply(x), steps) as tf.Tensor2D[]
      const keeps = tf.split(keep, steps) as tf.Tensor2D[]
      const told: tf.Tensor2D[] = []
      let state = memory
      for (let t = 0; t < steps; t++) {
        const next = step(inputs[t]!, tf.mul(state, keeps[t]!), recurrent as tf.Tensor as tf.Tensor2D, units)
        told.push(next.hidden)
        state = next.memory
      }
      const hidden = steps === 1 ? told[0]! : (tf.concat(told, 0) as tf.Tensor2D)
      return { outputs: head.apply(hidden), memory: state }
    },
    dispose() {
      encoder.dispose()
      head.dispose()
      recurrent.dispose()
    },
  }
}

type Step = (
  input: tf.Tensor2D,
  memory: tf.Tensor2D,
  recurrent: tf.Tensor2D,
  units: number,
) => { hidden: tf.Tensor2D; memory: tf.Tensor2D }

/** Columns: input, forget, candidate, output. Memory: hidden, then cell. */
const lstmStep: Step = (input, memory, recurrent) => {
  const [hidden, cell] = tf.split(memory, 2, 1) as [tf.Tensor2D, tf.Tensor2D]
  const [i, f, g, o] = tf.split(tf.add(input, tf.matMul(hidden, recurrent)), 4, 1) as tf.Tensor2D[]
  const nextCell = tf.add(tf.mul(tf.sigmoid(f!), cell), tf.mul(tf.sigmoid(i!), tf.tanh(g!)))
  const nextHidden = tf.mul(tf.sigmoid(o!), tf.tanh(nextCell)) as tf.Tensor2D
  return { hidden: nextHidden, memory: tf.concat2d([nextHidden, nextCell as tf.Tensor2D], 1) }
}

/** Columns: update, reset, candidate. */
const gruStep: Step = (input, memory, recurrent, units) => {
  const columns = (x: tf.Tensor2D, from: number, count: number) =>
    tf.slice2d(x, [0, from], [x.shape[0], count])
  const gates = tf.sigmoid(
    tf.add(columns(input, 0, 2 * units), tf.matMul(memory, columns(recurrent, 0, 2 * units))),
  )
  const [update, reset] = tf.split(gates, 2, 1) as [tf.Tensor2D, tf.Tensor2D]
  const candidate = tf.tanh(
    tf.add(
      columns(input, 2 * units, units),
      tf.matMul(tf.mul(reset, memory), columns(recurrent, 2 * units, units)),
    ),
  )
  const hidden = tf.add(candidate, tf.mul(update, tf.sub(memory, candidate))) as tf.Tensor2D
  return { hidden, memory: hidden }
}

/** Orthogonal weights, each gate's columns by themselves. */
function assignColumns(
  variable: tf.Variable,
  rows: number,
  units: number,
  gates: number,
  random: SavableRandom,
): void {
  const values = new Float32Array(rows * gates * units)
  for (let gate = 0; gate < gates; gate++) {
    const block = orthogonal(rows, units, 1, random)
    for (let r = 0; r < rows; r++)
      values.set(block.subarray(r * units, (r + 1) * units), (r * gates + gate) * units)
  }
  tf.tidy(() => variable.assign(tf.tensor2d(values, [rows, gates * units])))
}

function openForgetGates(bias: tf.Variable, units: number): void {
  const values = new Float32Array(4 * units).fill(1, units, 2 * units)
  tf.tidy(() => bias.assign(tf.tensor1d(values)))
}
