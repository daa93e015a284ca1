import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { proxDense } from './prox-dense'
import { proximalBackpropagation, type SigmoidNetwork } from './proximal-backpropagation'

interface Values {
  shape: number[]
  data: number[]
}
const golden = JSON.parse(
  readFileSync(new URL('../fixtures/hw1_network_backprop.json', import.meta.url), 'utf8'),
)
/** The course stores examples and units in columns; here they are rows and kernels are [inputs, units]. */
const turned = ({ data, shape }: Values) => tf.transpose(tf.tensor2d(data, shape as [number, number]))
const flat = ({ data }: Values) => tf.tensor1d(data)

const load = () =>
  tf.tidy(() => {
    const { weights, biases } = golden.params as Record<'weights' | 'biases', Values[]>
    const network = { weights: weights.map(turned), biases: biases.map(flat) }
    return { network, x: turned(golden.inputs.x), y: turned(golden.inputs.y) }
  })

describeBackends('proximalBackpropagation', () => {
  it.each(['sum', 'mean'] as const)('solves every layer of the course: data term %s', (dataTerm) => {
    tf.tidy(() => {
      const { network, x, y } = load()
      const eta = 0.7
      const n = x.shape[0]
      const result = proximalBackpropagation(network, x, y, { eta, dataTerm })
      const layers = network.weights.length
      let gTarget = tf.sub(result.g[layers - 1]!, tf.mul(tf.sub(result.g[layers - 1]!, y), eta))
      for (let l = layers - 1; l >= 0; l--) {
        const [f, g, old] = [result.f[l]!, result.g[l]!, network.weights[l]!]
        const input = result.g[l - 1] ?? x
        const fTarget = tf.sub(f, tf.mul(tf.mul(g, tf.sub(1, g)), tf.sub(g, gTarget)))
        expectClose(result.gTarget[l]!, gTarget)
        expectClose(result.fTarget[l]!, fTarget)
        // The gradient of the proximal objective vanishes at the solution.
        const misfit = tf.sub(tf.add(tf.matMul(input, result.weights[l]!), result.biases[l]!), fTarget)
        const data = tf.matMul(input, misfit as tf.Tensor2D, true)
        const pull = tf.div(tf.sub(result.weights[l]!, old), eta)
        const residual = tf.add(tf.div(data, dataTerm === 'sum' ? 1 : n), pull)
        expectClose(residual, tf.zerosLike(residual), { atol: 1e-5 })
        gTarget = tf.sub(result.g[l - 1] ?? x, tf.matMul(tf.sub(f, fTarget) as tf.Tensor2D, old, false, true))
      }
    })
  })

  it('moves biases by eta times the mean gradient, as backpropagation does', () => {
    tf.tidy(() => {
      const { network, x, y } = load()
      const { biases } = proximalBackpropagation(network, x, y, { eta: golden.config.eta })
      biases.forEach((bias, l) => void expectClose(bias, flat(golden.outputs.new_biases[l])))
    })
  })

  it("the gradient solver under SGD is the course's own backpropagation", async () => {
    const { network, x, y } = load()
    const { eta, batch, sizes } = golden.config
    const model = tfl.sequential({
      layers: sizes
        .slice(1)
        .map((units: number, l: number) =>
          proxDense({ units, activation: 'sigmoid', inputShape: [sizes[l]], solver: 'gradient' }),
        ),
    })
    model.setWeights(network.weights.flatMap((kernel, l): tf.Tensor[] => [kernel, network.biases[l]!]))
    const halfSquares = (labels: tf.Tensor, outputs: tf.Tensor) =>
      tf.mul(tf.sum(tf.square(tf.sub(outputs, labels)), -1), 0.5)
    model.compile({ optimizer: tf.train.sgd(eta), loss: halfSquares })
    expect(x.shape[0]).toBe(batch)
    await model.trainOnBatch(x, y)
    tf.tidy(() => {
      golden.outputs.new_weights.forEach((expected: Values, l: number) => {
        const [kernel, bias] = model.layers[l]!.getWeights()
        expectClose(tf.transpose(kernel!), expected)
        expectClose(bias!, flat(golden.outputs.new_biases[l]))
      })
      expectClose(tf.transpose(model.predict(x) as tf.Tensor), golden.outputs.feedforward)
    })
    tf.dispose([x, y, network])
    model.dispose()
  })

  it('lowers the loss step by step', () => {
    tf.tidy(() => {
      const { network, x, y } = load()
      let current: SigmoidNetwork = network
      const losses: number[] = []
      for (let step = 0; step < 30; step++) {
        const next = proximalBackpropagation(current, x, y, { eta: 0.5 })
        losses.push(tf.sum(tf.square(tf.sub(next.g.at(-1)!, y))).dataSync()[0]!)
        current = next
      }
      losses.slice(1).forEach((loss, i) => void expect(loss).toBeLessThan(losses[i]!))
    })
  })

  it('leaves no tensor behind and rejects wrong shapes and steps', async () => {
    const { network, x, y } = load()
    await expectNoTensorLeak(() => tf.dispose(proximalBackpropagation(network, x, y)))
    expect(() => proximalBackpropagation(network, x, y, { eta: 0 })).toThrow('Received eta=0.')
    expect(() => proximalBackpropagation(network, y, y)).toThrow(
      'proximalBackpropagation: each layer must take the outputs of the one before',
    )
    tf.dispose([x, y, network])
  })
})
