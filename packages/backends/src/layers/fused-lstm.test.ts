import * as tf from '@tensorflow/tfjs-core'
import { input, layers, model, sequential } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { lstm } from '../ops/lstm'

const initializers = { kernelInitializer: 'ones', recurrentInitializer: 'ones' } as const
const values = (...shape: number[]) => tf.randomNormal(shape, 0, 0.3, 'float32', 1)
type Arguments = Parameters<typeof layers.lstm>[0]

/** Outputs and gradients by input and weights of a layer on sequences of 4 x 3. */
function compute(make: () => ReturnType<typeof layers.lstm>, x: tf.Tensor): number[][] {
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

const layersOf: Record<string, () => unknown> = Object.fromEntries(
  (
    [
      ['the last state', {}],
      ['all states', { returnSequences: true }],
      ['the state too', { returnState: true }],
      ['all states, and the state too', { returnSequences: true, returnState: true }],
      ['backwards', { goBackwards: true, returnSequences: true }],
      ['sigmoid gates', { recurrentActivation: 'sigmoid' }],
      ['no bias', { useBias: false }],
      ['relu, which the op does not cover', { activation: 'relu' }],
    ] as [string, Partial<Arguments>][]
  ).map(([title, args]) => [title, () => layers.lstm({ units: 5, ...initializers, ...args })]),
)
layersOf['both directions'] = () =>
  layers.bidirectional({ layer: layers.lstm({ units: 5, ...initializers }), mergeMode: 'sum' })

describeBackends(
  'the fused LSTM layer',
  (backend) => {
    it.each(Object.entries(layersOf))('%s: as on tfjs-cpu, with the gradients', async (_, make) => {
      const x = values(2, 4, 3)
      const actual = compute(make as never, x)
      await tf.setBackend('cpu')
      const expected = compute(make as never, x)
      await tf.setBackend(backend)
      x.dispose()
      for (const [i, numbers] of expected.entries())
        expectClose(actual[i]!, numbers, { rtol: 1e-4, atol: 1e-5 })
    })

    it('runs as one op where that covers the layer, and as plain ops where not', async () => {
      const x = values(2, 4, 3)
      const names = async (args: Partial<Arguments>, training = true) => {
        const layer = layers.lstm({ units: 5, ...initializers, ...args })
        const { kernelNames } = await tf.profile(() => layer.apply(x, { training }) as tf.Tensor)
        return kernelNames.includes(lstm.opName)
      }
      expect(await names({})).toBe(true)
      expect(await names({ dropout: 0.5 })).toBe(false)
      expect(await names({ dropout: 0.5 }, false)).toBe(true)
      expect(await names({ recurrentDropout: 0.5 })).toBe(false)
      expect(await names({ activation: 'relu' })).toBe(false)
      expect(await names({ recurrentActivation: 'relu' })).toBe(false)
      x.dispose()
    })

    it('leaves masked sequences to tfjs', () => {
      tf.tidy(() => {
        const network = sequential({
          layers: [
            layers.masking({ maskValue: 0, inputShape: [4, 3] }),
            layers.lstm({ units: 2, ...initializers }),
          ],
        })
        const x = values(1, 2, 3)
        const padded = network.predict(tf.concat([x, tf.zeros([1, 2, 3])], 1)) as tf.Tensor
        const longer = network.predict(tf.concat([tf.zeros([1, 2, 3]), x], 1)) as tf.Tensor
        expectClose(padded, longer)
      })
    })

    it('goes on from the state before, when stateful or given one', () =>
      expectNoTensorLeak(() => {
        const x = values(2, 6, 3)
        const [first, second] = tf.split(x, 2, 1) as [tf.Tensor, tf.Tensor]
        const whole = sequential({
          layers: [layers.lstm({ units: 4, inputShape: [6, 3], ...initializers })],
        })
        const stateful = sequential({
          layers: [layers.lstm({ units: 4, batchInputShape: [2, 3, 3], stateful: true, ...initializers })],
        })
        const expected = whole.predict(x) as tf.Tensor
        tf.dispose(stateful.predict(first))
        const actual = stateful.predict(second) as tf.Tensor
        expectClose(actual, expected)

        const sequences = input({ shape: [3, 3] })
        const [h, c] = [input({ shape: [4] }), input({ shape: [4] })]
        const layer = layers.lstm({ units: 4, returnState: true, ...initializers })
        const outputs = layer.apply(sequences, { initialState: [h, c] }) as never[]
        const steps = model({ inputs: [sequences, h, c], outputs })
        const zeros = tf.zeros([2, 4])
        const [y1, h1, c1] = steps.predict([first, zeros, zeros]) as [tf.Tensor, tf.Tensor, tf.Tensor]
        const after = steps.predict([second, h1, c1]) as tf.Tensor[]
        expectClose(after[0]!, expected)
        tf.dispose([x, first, second, expected, actual, zeros, y1, h1, c1, after])
        stateful.resetStates()
        for (const network of [whole, stateful, steps]) network.dispose()
        const { states_: states } = stateful.layers[0] as unknown as { states_: tf.Tensor[] }
        tf.dispose(states)
      }))
  },
  ['wasm'],
)
