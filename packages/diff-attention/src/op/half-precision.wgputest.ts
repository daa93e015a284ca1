/**
 * The WebGPU kernels with half floats, on an adapter that has them. `TFGRAFT_PYTHON` names a Python with wgpu and numpy; without it these
 * tests fail. Run: `pnpm test:wgpu`
 */
import { useBackend } from '@tfgraft/backends'
import { beforeAll, expect, it } from 'vitest'
import { onWgpu } from '../../wgpu/on-wgpu'
import { attentionGradientOp, attentionOp } from './attention-op'
import { attentionCases, random } from './cases'
import { forwardOnWebgpu } from './webgpu'
import { backwardOnWebgpu } from './webgpu-backward'

beforeAll(async () => {
  await useBackend('cpu')
})

/** Largest difference of the result and of each gradient, relative to the largest number of the reference. */
function errors({ inputs: make, attrs }: (typeof attentionCases)[number], features: readonly string[]) {
  const inputs = make()
  const expected = attentionOp.reference(inputs, attrs)
  const dy = random(expected.shape, 7)
  const gradients = attentionGradientOp.reference({ ...inputs, dy }, attrs)
  const { values } = onWgpu(features, (tools) => [
    forwardOnWebgpu.run({ ...tools, inputs, attrs }),
    ...backwardOnWebgpu.run({ ...tools, inputs: { ...inputs, dy }, attrs }),
  ])
  return [expected, ...gradients].map((x, i) => {
    const truth = Array.from(x.dataSync())
    expect(values[i]).toHaveLength(truth.length)
    const largest = Math.max(1, ...truth.map(Math.abs))
    return Math.max(...truth.map((value, j) => Math.abs(value - values[i]![j]!))) / largest
  })
}

const titles = ['a tile and a row', 'more keys than queries', 'plain', 'grouped heads', 'a scale']
const cases = attentionCases.filter(({ title }) => titles.includes(title))

it.each(cases)('rounds queries, keys and values to half floats, and nothing else: $title', ({ ...row }) => {
  const half = errors({ ...row, attrs: { ...row.attrs, tilePrecision: 'float16' } }, ['shader-f16'])
  const single = errors(row, [])
  expect(Math.max(...single)).toBeLessThan(2e-5)
  expect(Math.max(...half)).toBeLessThan(4e-3) // eight roundings of 2^-11
  expect(half[0]).toBeGreaterThan(2e-5)
})
