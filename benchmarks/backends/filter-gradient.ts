/**
 * The filter gradient of one convolution, 32 images of 28x28x32 to 64 channels, on wasm and on tfjs-cpu. Stock tfjs-wasm
 * has no such kernel. In this folder's parent:
 *
 *     node --no-liftoff --conditions=@tfgraft/source --import tsx backends/filter-gradient.ts
 *
 * Runs for one to two minutes: tfjs-cpu computes it once. Writes `results/committed/backends-filter-gradient.json`.
 */
import { writeFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { environment, median } from '@tfgraft/bench/measure'
import { timed, warmUp } from './measure'

const images = [32, 28, 28, 32] as const
const outputs = [32, 28, 28, 64] as const
const filters = [3, 3, 32, 64] as [number, number, number, number]
const flops =
  2 * outputs.reduce((product, length) => product * length, 1) * filters[0] * filters[1] * filters[2]

/** The gradient on the current backend, from the same numbers on each. */
function problem() {
  const x = tf.randomUniform<tf.Rank.R4>([...images], -1, 1, 'float32', 1)
  const dy = tf.randomUniform<tf.Rank.R4>([...outputs], -1, 1, 'float32', 2)
  const filter = tf.zeros<tf.Rank.R4>(filters)
  return {
    gradient: () => tf.grad((w) => tf.conv2d(x, w as tf.Tensor4D, 1, 'same'))(filter, dy),
    forward: () => tf.conv2d(x, filter, 1, 'same'),
  }
}

const runOnce = (body: () => tf.Tensor) => () => tf.tidy(() => void body().dataSync())

await useBackend('wasm')
const wasm = problem()
const milliseconds = (body: () => void) => {
  const calls = warmUp(body, 500)
  return median(Array.from({ length: 15 }, () => timed(body, calls)))
}
const onWasm = {
  gradient: milliseconds(runOnce(wasm.gradient)),
  forward: milliseconds(runOnce(wasm.forward)),
}
const fromWasm = tf.tidy(() => wasm.gradient().dataSync())

await useBackend('cpu')
let fromCpu: Float32Array = new Float32Array()
const onCpu = timed(() => {
  fromCpu = tf.tidy(() => problem().gradient().dataSync() as Float32Array)
})
const largest = fromCpu.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
const error = fromCpu.reduce((most, value, i) => Math.max(most, Math.abs(value - fromWasm[i]!)), 0) / largest

const result = {
  environment: { ...environment(), backend: 'wasm and cpu' },
  shape: { images, filters, outputs },
  unit: 'processor milliseconds',
  wasm: { ...onWasm, gflops: flops / onWasm.gradient / 1e6 },
  cpu: { gradient: onCpu },
  cpuOverWasm: onCpu / onWasm.gradient,
  relativeError: error,
}
writeFileSync(
  new URL('../results/committed/backends-filter-gradient.json', import.meta.url),
  `${JSON.stringify(result, null, 2)}\n`,
)
console.log(result)
