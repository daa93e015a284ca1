/** The build with fused multiply-add, on engines that have it: all of the kernels' cases again. */
import { setFlagsFromString } from 'node:v8'
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { kernels } from '../generated/kernels'
import { hasRelaxedSimd } from '../heap/instantiate'
import { kernelCases } from './cases'
import { expectSameAsCpu } from './same-as-cpu'

// Node 20 has relaxed SIMD behind a flag, newer ones without.
setFlagsFromString('--experimental-wasm-relaxed-simd')

describeBackends('with relaxed SIMD, a kernel equals tfjs-cpu', () => {
  it('the engine runs the relaxed build', () => {
    expect(hasRelaxedSimd(kernels)).toBe(true)
  })

  it.each(kernelCases)('$title', expectSameAsCpu)

  it('products of 64 x 300 x 50', () =>
    expectSameAsCpu({
      title: 'product',
      atol: 5e-5,
      run: () =>
        tf.matMul(
          tf.randomNormal([64, 300], 0, 1, 'float32', 1),
          tf.randomNormal([300, 50], 0, 1, 'float32', 2),
        ),
    }))
}, ['wasm'])
