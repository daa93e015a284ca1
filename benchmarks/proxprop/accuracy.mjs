/**
 * Accuracy of the exact step in float32, against the same step in double precision; beside it the reference's way,
 * which solves for the weights and subtracts.
 *
 *     node benchmarks/proxprop/accuracy.mjs [--out file.json]
 *
 * Numbers are |error| / |step| over four outputs, Euclidean norms. Run `pnpm build` first.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { useBackend } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { proximalStep, solveSpd } from '@tfgraft/proxprop'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const backend = await useBackend('wasm')
const outputs = 4

/** A'(AA' + I/tau)^-1 G by Cholesky in double precision, [d, outputs]. */
function doublePrecision(a, g, tau) {
  const [n, d] = a.shape
  const [A, G] = [a.dataSync(), g.dataSync()]
  const L = Array.from({ length: n }, () => new Float64Array(n))
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 1 + (i === j ? 1 / tau : 0) // 1: the bias's column of ones
      for (let k = 0; k < d; k++) sum += A[i * d + k] * A[j * d + k]
      for (let k = 0; k < j; k++) sum -= L[i][k] * L[j][k]
      L[i][j] = i === j ? Math.sqrt(sum) : sum / L[j][j]
    }
  const step = new Float64Array(d * outputs)
  for (let c = 0; c < outputs; c++) {
    const u = new Float64Array(n)
    for (let i = 0; i < n; i++) {
      u[i] = G[i * outputs + c]
      for (let k = 0; k < i; k++) u[i] -= L[i][k] * u[k]
      u[i] /= L[i][i]
    }
    for (let i = n - 1; i >= 0; i--) {
      for (let k = i + 1; k < n; k++) u[i] -= L[k][i] * u[k]
      u[i] /= L[i][i]
    }
    for (let k = 0; k < d; k++) for (let i = 0; i < n; i++) step[k * outputs + c] += A[i * d + k] * u[i]
  }
  return step
}

const relativeError = (actual, expected) => {
  let [error, length] = [0, 0]
  expected.forEach((value, i) => {
    error += (actual[i] - value) ** 2
    length += value ** 2
  })
  return Math.sqrt(error / length)
}

const rows = []
for (const [n, d] of [
  [128, 784],
  [300, 299],
  [512, 256],
])
  for (const tau of [0.05, 1, 10])
    tf.tidy(() => {
      const a = tf.relu(tf.randomNormal([n, d], 0.2, 0.5, 'float32', 1))
      const g = tf.mul(tf.randomNormal([n, outputs], 0, 1, 'float32', 2), 1 / n)
      const w = tf.randomNormal([d + 1, outputs], 0, 1 / Math.sqrt(d), 'float32', 3)
      const expected = doublePrecision(a, g, tau)
      const { kernel } = proximalStep(a, g, { tau })
      const full = tf.concat([a, tf.ones([n, 1])], 1)
      const target = tf.sub(tf.matMul(full, w), g)
      const rhs = tf.add(tf.matMul(full, target, true), tf.div(w, tau))
      const solved = solveSpd(tf.matMul(full, full, true), rhs, { ridge: 1 / tau })
      const subtracted = tf.slice(tf.sub(w, solved), [0, 0], [d, outputs])
      rows.push({
        'rows x inputs': `${n} x ${d}`,
        tau,
        'update (ours)': relativeError(kernel.dataSync(), expected),
        'weights, then subtracted': relativeError(subtracted.dataSync(), expected),
      })
    })
console.table(
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([key, x]) => [
        key,
        typeof x === 'number' && key !== 'tau' ? x.toExponential(1) : x,
      ]),
    ),
  ),
)
const report = { command: 'node benchmarks/proxprop/accuracy.mjs', environment: environment(backend), rows }
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 2)}\n`)
