// Trains a small ResNet on pictures of clothes three times from the same weights: plainly, with AdvProp (adversarial
// examples with batch statistics of their own) and with SparseTopK (only each channel's strongest responses pass). Then
// asks each: how often is it right on clean, attacked and corrupted pictures, and does it look at shape or texture?
//
//   pnpm --filter ./examples/advprop-fashion start          # some minutes
//   pnpm --filter ./examples/advprop-fashion start --tiny   # to see that it runs
//
// Writes pictures.png: clean pictures, attacked ones, and the difference, amplified.

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import {
  advprop,
  corruptionErrors,
  cueConflict,
  dropAuxiliary,
  evaluateRobustness,
  pgd,
  shapeBias,
  sparseTopK,
} from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { defaultStep, fit, identity, type Method, type TrainingSetup } from '@tfgraft/core'
import { fashionMnist, mnist } from '@tfgraft/datasets'
import { writePictureGrid } from './picture-grid'

const tiny = process.argv.includes('--tiny')
const epsilon = 8 / 255 // what an attack may change per pixel

// 1. A backend that can train convolutions, and data. The tiny run takes digits: they load faster.
console.log(`backend: ${await useBackend('wasm')}`)
const { train, test } = tiny ? await mnist() : await fashionMnist()
const trainSet = train.shuffle(1).take(tiny ? 256 : 10_000)
const testSet = test.shuffle(1).take(tiny ? 40 : 500)

// 2. A ResNet with two blocks.
function resNet(): tfl.LayersModel {
  let seed = 1
  const conv = (x: tfl.SymbolicTensor, filters: number, strides: number, kernelSize = 3) =>
    tfl.layers
      .conv2d({
        ...{ filters, strides, kernelSize, padding: 'same' as const, useBias: false },
        kernelInitializer: tfl.initializers.heNormal({ seed: seed++ }),
      })
      .apply(x) as tfl.SymbolicTensor
  const norm = (x: tfl.SymbolicTensor) =>
    tfl.layers.batchNormalization({ momentum: 0.9 }).apply(x) as tfl.SymbolicTensor
  const relu = (x: tfl.SymbolicTensor, name?: string) =>
    tfl.layers.reLU({ name }).apply(x) as tfl.SymbolicTensor
  const block = (x: tfl.SymbolicTensor, filters: number, name: string) => {
    const inner = norm(conv(relu(norm(conv(x, filters, 2))), filters, 1))
    return relu(tfl.layers.add().apply([inner, norm(conv(x, filters, 2, 1))]) as tfl.SymbolicTensor, name)
  }
  const input = tfl.input({ shape: [28, 28, 1] })
  const features = block(block(relu(norm(conv(input, 8, 1))), 16, 'stage1'), 32, 'stage2')
  const pooled = tfl.layers.globalAveragePooling2d({}).apply(features)
  const kernelInitializer = tfl.initializers.glorotUniform({ seed })
  const output = tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer }).apply(pooled)
  return tfl.model({ inputs: input, outputs: output as tfl.SymbolicTensor })
}

const baseline = (): TrainingSetup => ({
  model: resNet(),
  optimizer: tf.train.adam(2e-3),
  loss: tfl.metrics.categoricalCrossentropy,
  step: defaultStep,
})

// 3. The methods. AdvProp swaps every batch normalisation and wraps the step; SparseTopK inserts a layer.
const attack = { epsilon, stepSize: epsilon, iterations: 1, randomStart: false }
const methods: Method[] = [
  identity,
  advprop({ attack, adversarialWeight: 0.5 }),
  sparseTopK({ k: 0.2, after: 'stage1' }),
]

// 4. Train each, on the same batches in the same order, and evaluate.
const { xs: images, ys: labels } = testSet.tensors({ labels: 'index' }) as {
  xs: tf.Tensor4D
  ys: tf.Tensor1D
}
const conflict = cueConflict(images, labels, { count: tiny ? 20 : 500 })
const rows: Record<string, Record<string, string>> = {}
const percent = (value: number) => `${(100 * value).toFixed(1)} %`
let attacked: tf.Tensor | undefined
for (const method of methods) {
  const setup = method.apply(baseline())
  const history = await fit(setup, trainSet.batches({ batchSize: 64, shuffle: 1 }), {
    epochs: tiny ? 1 : 3,
    seed: 1,
  })
  console.log(`${method.name}: loss ${(history.history.loss!.at(-1) as number).toFixed(4)}`)

  // What AdvProp trained is an ordinary model again: this is what you would save.
  const model = dropAuxiliary(setup.model)
  const robustness = await evaluateRobustness(model, images, labels, {
    epsilon,
    attacks: { 'PGD-20': (t, x, y) => pgd(t, x, y, { epsilon, iterations: tiny ? 2 : 20 }) },
  })
  const severities = tiny ? ([3] as const) : ([1, 3, 5] as const)
  const errors = Object.values(corruptionErrors(model, images, labels, { severities })).flat()
  rows[method.name] = {
    clean: percent(robustness.clean.accuracy),
    'PGD-20': percent(robustness.worstCase.accuracy),
    corrupted: percent(1 - errors.reduce((a, b) => a + b, 0) / errors.length),
    'shape bias': percent(shapeBias(model, conflict).shapeBias),
    'gradients honest': robustness.checks.every(({ passed }) => passed) ? 'yes' : 'NO',
  }
  attacked ??= pgd(model, images, labels, { epsilon, iterations: 20 })
}
console.table(rows)

// 5. What the attack on the plain model changed.
const columns = 8
const pictures = (batch: tf.Tensor) =>
  tf.unstack(tf.slice(batch, 0, columns)).map((image) => image.dataSync() as Float32Array)
const difference = tf.clipByValue(tf.add(tf.mul(tf.sub(attacked!, images), 0.5 / epsilon), 0.5), 0, 1)
writePictureGrid('pictures.png', [pictures(images), pictures(attacked!), pictures(difference)], 28)
console.log('pictures.png: clean, attacked, and the difference, amplified')
