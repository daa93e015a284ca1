import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectGradients } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { einsumCases } from './cases'
import { parseEquation } from './einsum'
import { onBackend } from './on-backend'
import { withStock } from './register'

/** The definition, in double precision: a sum over every label of the product of the inputs. */
function definition(equation: string, tensors: tf.Tensor[]) {
  const { inputs, output } = parseEquation(equation)
  const sizes = new Map(
    inputs.flatMap((labels, i) => [...labels].map((l, axis) => [l, tensors[i]!.shape[axis]!])),
  )
  const labels = [...new Set(inputs.join(''))]
  const data = tensors.map((t) => t.dataSync())
  const offset = (own: string, at: Map<string, number>) =>
    [...own].reduce((sum, label) => sum * sizes.get(label)! + at.get(label)!, 0)
  const shape = [...output].map((label) => sizes.get(label)!)
  const result = new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0)
  const count = labels.reduce((n, label) => n * sizes.get(label)!, 1)
  for (let i = 0; i < count; i++) {
    let rest = i
    const at = new Map<string, number>()
    for (const label of labels) {
      at.set(label, rest % sizes.get(label)!)
      rest = Math.floor(rest / sizes.get(label)!)
    }
    result[offset(output, at)]! += inputs.reduce((p, own, j) => p * data[j]![offset(own, at)]!, 1)
  }
  return { shape, data: result }
}

describeBackends('einsum', () => {
  for (const { equation, shapes } of einsumCases) {
    const inputs = () => shapes.map((shape, i) => tf.randomUniform(shape, -1, 1, 'float32', i + 1))

    it(`${equation} equals its definition and its gradient equals finite differences`, () => {
      tf.tidy(() => {
        expectClose(tf.einsum(equation, ...inputs()), definition(equation, inputs()))
        expectGradients((...xs) => tf.einsum(equation, ...xs), inputs())
      })
    })
  }

  it('stock tfjs-cpu gives labels that one input alone sums out to the output', () => {
    const [a, b] = [tf.ones([3, 4]), tf.ones([2, 5])]
    onBackend('cpu', () => {
      const stock = withStock(() => tf.einsum('ij,kl->', a, b), ['Einsum'])
      expect(stock.shape).toEqual([2, 5])
      expectClose(tf.einsum('ij,kl->', a, b), { shape: [], data: [120] })
      return stock
    })
    tf.dispose([a, b])
  })

  it('integers are multiplied exactly and stay integers', () => {
    tf.tidy(() => {
      const a = tf.tensor2d([16777217, 1, 2, 3], [2, 2], 'int32') // 2^24 + 1 is no float32
      const b = tf.tensor2d([1, 0, 0, 1], [2, 2], 'int32')
      const c = tf.einsum('ij,kj->ki', a, b)
      expect(c.dtype).toBe('int32')
      expectClose(c, { shape: [2, 2], data: [16777217, 2, 1, 3] }, { rtol: 0, atol: 0 })
    })
  })

  it.each([
    ['ij,jk', 'Equations without an arrow are not supported'],
    ['ii->i', 'duplicate axes'],
    ['ij,jk->ix', 'label x'],
  ])('%s is rejected', (equation, text) => {
    const [a, b] = [tf.ones([2, 2]), tf.ones([2, 2])]
    expect(() => (equation.includes(',') ? tf.einsum(equation, a, b) : tf.einsum(equation, a))).toThrow(text)
    tf.dispose([a, b])
  })

  it('sizes that disagree are rejected', () => {
    const [a, b] = [tf.ones([2, 3]), tf.ones([2, 3])]
    expect(() => tf.einsum('ij,jk->ik', a, b)).toThrow('dim')
    tf.dispose([a, b])
  })

  it('stock tfjs has no gradient for it', () => {
    tf.tidy(() => {
      const gradient = () => tf.grad((x) => tf.einsum('ij->i', x))(tf.ones([2, 2]))
      onBackend('cpu', () => {
        expect(() => withStock(gradient, ['Einsum'])).toThrow('gradient function not found for Einsum')
        return []
      })
      expectClose(gradient(), { shape: [2, 2], data: [1, 1, 1, 1] })
    })
  })
})
