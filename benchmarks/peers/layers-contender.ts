/**
 * One JavaScript side of `run.ts`, in a process of its own: `ours`, `stock` (tfjs-wasm as it comes, with compositions), `tfjs-node` or
 * `jax-js`. The same protocol as `layers.py`: what it can do in the first line, then a case per line, answered by milliseconds.
 */
import '@tensorflow/tfjs-backend-wasm'
import { createInterface } from 'node:readline'
import * as tf from '@tensorflow/tfjs-core'
import { layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { pgd, splitBatchNormalization } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { processorTime } from '@tfgraft/bench/measure'
import { differentialAttention } from '@tfgraft/diff-attention'

type Run = () => tf.TensorContainer | Promise<unknown>
const side = process.argv[2]

const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed)

function matmul(): Run {
  const [a, b] = [normal([512, 512], 1), normal([512, 512], 2)] as [tf.Tensor, tf.Tensor]
  return () => tf.matMul(a, b)
}

/** A layer's output, and its gradients with regard to input and weights. */
function layerRuns(
  layer: { apply(x: tf.Tensor, options: object): unknown },
  x: tf.Tensor,
): [forward: Run, both: Run] {
  const forward = (input: tf.Tensor) => layer.apply(input, { training: true }) as tf.Tensor
  const variable = tf.variable(x)
  return [
    () => forward(x),
    () => {
      const { value, grads } = tf.variableGrads(() => tf.sum(forward(variable)) as tf.Scalar)
      return [value, ...Object.values(grads)]
    },
  ]
}

function attack(): Run {
  const model = sequential({
    layers: [
      layers.conv2d({ filters: 16, kernelSize: 5, strides: 2, activation: 'relu', inputShape: [28, 28, 1] }),
      layers.conv2d({ filters: 32, kernelSize: 3, strides: 2, activation: 'relu' }),
      layers.flatten(),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  })
  const images = tf.randomUniform([32, 28, 28, 1], 0, 1, 'float32', 1)
  const labels = tf.oneHot(
    tf.tensor1d(
      Array.from({ length: 32 }, (_, i) => i % 10),
      'int32',
    ),
    10,
  )
  return () =>
    pgd(model, images, labels, {
      ...{ epsilon: 0.1, stepSize: 0.025, iterations: 10, seed: 0 },
      loss: metrics.categoricalCrossentropy,
    })
}

/** Cases that need gradients which stock tfjs-wasm lacks are left out there: it throws. */
function ours(): Record<string, Run> {
  const attention = differentialAttention({ numHeads: 4 })
  const [forward, both] = layerRuns(attention, normal([1, 512, 256], 1))
  const [, split] = layerRuns(splitBatchNormalization(), normal([32, 32, 32, 32], 1))
  return {
    'matmul 512 x 512 x 512': matmul(),
    'differential attention, forward': forward,
    'differential attention, with gradients': both,
    'split batch norm, with gradients': split,
    'PGD, 10 steps': attack(),
  }
}

/** Differential attention as a user composes it, with the same weights to learn. */
function composedAttention(): [forward: Run, both: Run] {
  const [q, k, v, o] = [1, 2, 3, 4].map((seed) => tf.variable(tf.mul(normal([256, 256], seed), 1 / 16)))
  const x = tf.variable(normal([1, 512, 256], 5))
  const heads = (projected: tf.Tensor, count: number) =>
    tf.transpose(tf.reshape(projected, [512, count, 256 / count]), [1, 0, 2])
  const forward = () =>
    tf.tidy(() => {
      const flat = tf.reshape(x, [512, 256])
      const project = (w: tf.Tensor, count: number) => heads(tf.matMul(flat, w), count)
      const scores = tf.matMul(project(q!, 8), project(k!, 8), false, true)
      const maps = tf.reshape(tf.softmax(tf.mul(scores, 32 ** -0.5)), [4, 2, 512, 512])
      const [first, second] = tf.unstack(maps, 1) as [tf.Tensor, tf.Tensor]
      const mixed = tf.matMul(tf.sub(first, tf.mul(second, 0.5)), project(v!, 4))
      const rms = tf.sqrt(tf.add(tf.mean(tf.square(mixed), -1, true), 1e-5))
      return tf.matMul(tf.reshape(tf.transpose(tf.div(mixed, rms), [1, 0, 2]), [512, 256]), o!)
    })
  return [
    forward,
    () => {
      const { value, grads } = tf.variableGrads(() => tf.sum(forward()) as tf.Scalar)
      return [value, ...Object.values(grads)]
    },
  ]
}

function compositions(): Record<string, Run> {
  const [forward, both] = composedAttention()
  return {
    'matmul 512 x 512 x 512': matmul(),
    'differential attention, forward': forward,
    'differential attention, with gradients': both,
  }
}

interface JaxArray {
  ref: JaxArray
  data(): Promise<unknown>
}

async function jax(): Promise<Record<string, Run>> {
  const { numpy } = await import('@jax-js/jax' as string)
  const array = (seed: number): JaxArray =>
    numpy.array(Array.from(normal([512 * 512], seed).dataSync())).reshape([512, 512])
  const [a, b] = [array(1), array(2)]
  return { 'matmul 512 x 512 x 512': () => (numpy.matmul(a.ref, b.ref) as JaxArray).data() }
}

async function start(): Promise<{ version: string; cases: Record<string, Run> }> {
  if (side === 'ours') {
    await useBackend('wasm')
    return { version: `tfgraft on tfjs ${tf.version_core}`, cases: ours() }
  }
  if (side === 'tfjs-node') {
    await import('@tensorflow/tfjs-node' as string)
    await tf.setBackend('tensorflow')
    return { version: tf.version_core, cases: compositions() }
  }
  await tf.setBackend('wasm')
  await tf.ready()
  return { version: tf.version_core, cases: side === 'jax-js' ? await jax() : compositions() }
}

try {
  const { version, cases } = await start()
  const peer = {
    ours: 'tfgraft',
    stock: 'tfjs-wasm, composed',
    'tfjs-node': 'tfjs-node, composed',
    'jax-js': 'jax-js',
  }[side!]
  console.log(
    JSON.stringify({
      version,
      cases: Object.fromEntries(Object.keys(cases).map((name) => [name, peer])),
      absent: {},
    }),
  )
  for await (const line of createInterface({ input: process.stdin })) {
    const from = processorTime()
    const output = cases[line]!()
    const result = output instanceof Promise ? await output : output
    if (!(output instanceof Promise)) tf.dispose(result as tf.TensorContainer)
    console.log(processorTime() - from)
  }
} catch (error) {
  console.log(JSON.stringify({ error: (error as Error).message.split(/\n| imported from/)[0] }))
}
