/**
 * One contender of `op-times.mjs`, in a process of its own: stock tfjs-wasm, or tfgraft's backend, cannot be both in one
 * process. Answers `{ task, length }` with milliseconds of processor time. Started by `op-times.mjs`.
 */
import '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-layers' // registers tfjs's gradients
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { diffAttention, scaledDotProductAttention } from '@tfgraft/diff-attention'

const [, , backend] = process.argv
if (backend === 'stock') await tf.setBackend('wasm')
else await useBackend('wasm')

const heads = 4
const width = 64

/** Causal differential attention as a tfjs user composes it. */
function composed(q1, k1, q2, k2, v, lambda, mask) {
  const map = (q, k) => tf.softmax(tf.add(tf.mul(tf.matMul(q, k, false, true), width ** -0.5), mask))
  return tf.matMul(tf.sub(map(q1, k1), tf.mul(lambda, map(q2, k2))), v)
}

const random = (shape, seed) => tf.randomNormal(shape, 0, 1, 'float32', seed)

/** Inputs and the function of each task, made once per length. */
function makeTask(task, length) {
  const lambda = tf.scalar(0.5)
  const dy = tf.ones([1, heads, length, 2 * width])
  if (task.startsWith('composed')) {
    const mask = tf.tidy(() => {
      const rows = tf.tile(tf.reshape(tf.range(0, length), [length, 1]), [1, length])
      return tf.mul(tf.cast(tf.less(rows, tf.transpose(rows)), 'float32'), -1e9)
    })
    const maps = [1, 2, 3, 4].map((seed) => random([1, heads, length, width], seed))
    const v = random([1, heads, length, 2 * width], 5)
    const forward = (q1, k1, q2, k2, v, lambda) => composed(q1, k1, q2, k2, v, lambda, mask)
    const inputs = [...maps, v, lambda]
    return task === 'composed forward'
      ? () => [forward(...inputs)]
      : () => tf.grads((...xs) => forward(...xs))(inputs, dy)
  }
  if (task === 'sgemm') {
    const [a, b] = [random([length, length], 1), random([length, length], 2)]
    return () => [tf.matMul(a, b)]
  }
  const plain = task.startsWith('plain')
  const [q, k] = [1, 2].map((seed) => random([1, 2 * heads, length, width], seed))
  const v = random(plain ? [1, 2 * heads, length, width] : [1, heads, length, 2 * width], 3)
  const forward = plain
    ? (q, k, v) => scaledDotProductAttention(q, k, v, { causal: true })
    : (q, k, v, lambda) => diffAttention(q, k, v, lambda, { causal: true })
  const inputs = plain ? [q, k, v] : [q, k, v, lambda]
  const upstream = plain ? tf.ones([1, 2 * heads, length, width]) : dy
  return task.endsWith('forward')
    ? () => [forward(...inputs)]
    : () => tf.grads((...xs) => forward(...xs))(inputs, upstream)
}

const tasks = new Map()
process.on('message', ({ task, length }) => {
  const key = `${task} ${length}`
  if (!tasks.has(key)) {
    tasks.set(key, makeTask(task, length))
    tf.dispose(tasks.get(key)())
  }
  const from = process.cpuUsage()
  const outputs = tasks.get(key)()
  outputs[0].dataSync()
  const { user, system } = process.cpuUsage(from)
  tf.dispose(outputs)
  process.send({ ms: (user + system) / 1000 })
})
process.send('ready')
