import * as tf from '@tensorflow/tfjs-core'
import { initializers as initializersOf, input, layers, model, sequential } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { gru } from '../ops/gru'
import { lstm } from '../ops/lstm'
import { simpleRnn } from '../ops/simple-rnn'

const initializers = {
  kernelInitializer: initializersOf.randomNormal({ stddev: 0.5, seed: 2 }),
  recurrentInitializer: initializersOf.randomNormal({ stddev: 0.5, seed: 3 }),
  biasInitializer: initializersOf.randomNormal({ stddev: 0.5, seed: 4 }),
}
const values = (...shape: number[]) => tf.randomNormal(shape, 0, 0.3, 'float32', 1)
type Arguments = Parameters<typeof layers.gru>[0]

/** Outputs and gradients by input and weights of a layer on sequences of 4 x 3. */
function compute(make: () => ReturnType<typeof layers.gru>, x: tf.Tensor): number[][] {
  return tf.tidy(() => {
    const layer = make()
    tf.dispose(layer.apply(x) as tf.Tensor) // makes the weights
    const loss = (x: tf.Tensor) => {
      const outputs = layer.apply(x, { training: true }) as tf.Tensor | tf.Tensor[]
      return tf.addN((Array.isArray(outputs) ? outputs : [outputs]).map((y) => tf.sum(tf.square(y))))
    }
    const { value, grads } = tf.variableGrads(() => loss(x) as tf.Scalar)
    const dx = tf.grad(loss)(x)
    const numbers = [value, dx, ...Object.values(grads)].map((t) => Array.from(t.dataSync()))
    for (const weight of layer.weights) weight.dispose()
    return numbers
  })
}

/** What each layer is made of, its op, and activations that the op does not cover. */
const kinds = {
  lstm: {
    layer: layers.lstm,
    op: lstm,
    uncovered: [{ activation: 'relu' }, { recurrentActivation: 'relu' }],
  },
  gru: { layer: layers.gru, op: gru, uncovered: [{ activation: 'elu' }, { recurrentActivation: 'elu' }] },
  simpleRNN: { layer: layers.simpleRNN, op: simpleRnn, uncovered: [{ activation: 'elu' }] },
} as const
type Kind = keyof typeof kinds
const kindNames = Object.keys(kinds) as Kind[]
const make = (kind: Kind, args: Partial<Arguments> = {}) =>
  (kinds[kind].layer as typeof layers.gru)({ units: 5, ...initializers, ...args })

const variants: [string, Partial<Arguments>][] = [
  ['the last state', {}],
  ['all states', { returnSequences: true }],
  ['the state too', { returnState: true }],
  ['all states, and the state too', { returnSequences: true, returnState: true }],
  ['backwards', { goBackwards: true, returnSequences: true }],
  ['sigmoid gates', { recurrentActivation: 'sigmoid' }],
  ['no bias', { useBias: false }],
  ['relu, which the op of the LSTM does not cover', { activation: 'relu' }],
  ['elu, which no op covers', { activation: 'elu' }],
]
const cases: [Kind, string, () => unknown][] = kindNames.flatMap((kind) => [
  ...variants.map(([title, args]): [Kind, string, () => unknown] => [kind, title, () => make(kind, args)]),
  [kind, 'both directions', () => layers.bidirectional({ layer: make(kind) as never, mergeMode: 'sum' })] as [
    Kind,
    string,
    () => unknown,
  ],
])

describeBackends(
  'fused recurrent layers',
  (backend) => {
    it.each(cases)('%s, %s: as on tfjs-cpu, with the gradients', async (_, __, make) => {
      const x = values(2, 4, 3)
      const actual = compute(make as never, x)
      await tf.setBackend('cpu')
      const expected = compute(make as never, x)
      await tf.setBackend(backend)
      x.dispose()
      for (const [i, numbers] of expected.entries())
        expectClose(actual[i]!, numbers, { rtol: 1e-4, atol: 1e-5 })
    })

    it.each(kindNames)(
      '%s runs as one op where that covers the layer, and as plain ops where not',
      async (kind) => {
        const x = values(2, 4, 3)
        const isOneOp = async (args: Partial<Arguments>, training = true) => {
          const { kernelNames } = await tf.profile(() => make(kind, args).apply(x, { training }) as tf.Tensor)
          return kernelNames.includes(kinds[kind].op.opName)
        }
        expect(await isOneOp({})).toBe(true)
        expect(await isOneOp({ dropout: 0.5 })).toBe(false)
        expect(await isOneOp({ dropout: 0.5 }, false)).toBe(true)
        expect(await isOneOp({ recurrentDropout: 0.5 })).toBe(false)
        for (const args of kinds[kind].uncovered)
          expect(await isOneOp(args as Partial<Arguments>)).toBe(false)
        x.dispose()
      },
    )

    it.each(kindNames)('%s leaves masked sequences to tfjs', (kind) => {
      tf.tidy(() => {
        const network = sequential({
          layers: [
            layers.masking({ maskValue: 0, inputShape: [4, 3] }),
            make(kind, { units: 2, returnSequences: false }),
          ],
        })
        const x = values(1, 2, 3)
        const padded = network.predict(tf.concat([x, tf.zeros([1, 2, 3])], 1)) as tf.Tensor
        const longer = network.predict(tf.concat([tf.zeros([1, 2, 3]), x], 1)) as tf.Tensor
        expectClose(padded, longer)
      })
    })

    it.each(kindNames)('%s goes on from the state before, when stateful or given one', (kind) =>
      expectNoTensorLeak(() => {
        const x = values(2, 6, 3)
        const [first, second] = tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor]
        const whole = sequential({ layers: [make(kind, { units: 4, inputShape: [6, 3] })] })
        const stateful = sequential({
          layers: [make(kind, { units: 4, batchInputShape: [2, 3, 3], stateful: true })],
        })
        const expected = whole.predict(x) as tf.Tensor
        tf.dispose(stateful.predict(first))
        const actual = stateful.predict(second) as tf.Tensor
        expectClose(actual, expected)

        const sequences = input({ shape: [3, 3] })
        const initialState = (kind === 'lstm' ? [0, 1] : [0]).map(() => input({ shape: [4] }))
        const outputs = make(kind, { units: 4, returnState: true }).apply(sequences, {
          initialState,
        }) as never[]
        const steps = model({ inputs: [sequences, ...initialState], outputs })
        const zeros = tf.zeros([2, 4])
        const [y, ...states] = steps.predict([first, ...initialState.map(() => zeros)]) as tf.Tensor[]
        const after = steps.predict([second, ...states]) as tf.Tensor[]
        expectClose(after[0]!, expected)
        tf.dispose([x, first, second, expected, actual, zeros, y!, states, after])
        stateful.resetStates()
        for (const network of [whole, stateful, steps]) network.dispose()
        const { states_: left } = stateful.layers[0] as unknown as { states_: tf.Tensor[] }
        tf.dispose(left)
      }),
    )
  },
  ['wasm'],
)
