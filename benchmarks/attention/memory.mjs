/**
 * By how much the wasm heap grows in differential attention of length 8192, forward and backward (4 heads, queries and keys 64
 * wide, values 128), beyond inputs and outputs. The maps themselves would take 2 GB.
 *
 *     node benchmarks/attention/memory.mjs [--out file.json]
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { diffAttention } from '@tfgraft/diff-attention'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const backend = await useBackend('wasm')
const length = 8192
const random = (shape) => tf.randomNormal(shape)
const inputs = [
  random([1, 8, length, 64]),
  random([1, 8, length, 64]),
  random([1, 4, length, 128]),
  tf.scalar(0.5),
]
const dy = random([1, 4, length, 128])
const heapBytes = () => tf.backend().wasm.asm.memory.buffer.byteLength
const before = heapBytes()
const gradients = tf.grads((q, k, v, lambda) => diffAttention(q, k, v, lambda, { causal: true }))(inputs, dy)
const outputBytes = 4 * (gradients.reduce((sum, { size }) => sum + size, 0) + dy.size)
const results = {
  'heap growth, MB': (heapBytes() - before) / 1e6,
  'outputs and result, MB': outputBytes / 1e6,
  'beyond them, MB': (heapBytes() - before - outputBytes) / 1e6,
}
console.log(results)
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ command: 'node benchmarks/attention/memory.mjs', environment: environment(backend), results }, null, 2)}\n`,
  )
