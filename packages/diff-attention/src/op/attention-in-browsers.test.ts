/** The kernels against plain tf ops on the cpu, read asynchronously: browsers know no other way on WebGPU. */
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { it } from 'vitest'
import { attentionOp } from './attention-op'
import { attentionCases, random } from './cases'
import type { AttentionInputs, AttentionProblem } from './options'

/** Result and gradients. */
async function evaluate(make: () => AttentionInputs, attrs: AttentionProblem): Promise<number[][]> {
  const outputs = tf.tidy(() => {
    const { lambda, ...inputs } = make()
    const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, l?: tf.Tensor) =>
      attentionOp({ q, k, v, ...(l && { lambda: l }) }, attrs)
    const y = f(inputs.q, inputs.k, inputs.v, lambda)
    const xs = [inputs.q, inputs.k, inputs.v, ...(lambda ? [lambda] : [])]
    const gradients = tf.grads((...[q, k, v, l]: tf.Tensor[]) => f(q!, k!, v!, l))(xs, random(y.shape, 7))
    return [y, ...gradients]
  })
  const values = await Promise.all(outputs.map((x) => x.data()))
  tf.dispose(outputs)
  return values.map((x) => Array.from(x))
}

describeBackends('attention kernels, read asynchronously', (backend) => {
  it.each(attentionCases)('$title', async ({ inputs, attrs }) => {
    const actual = await evaluate(inputs, attrs)
    await tf.setBackend('cpu')
    const expected = await evaluate(inputs, attrs)
    await tf.setBackend(backend)
    actual.forEach((x, i) => {
      expectClose(x, expected[i]!, { rtol: 1e-4, atol: 3e-5 })
    })
  })
})
