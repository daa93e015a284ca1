// Fine-tunes a pretrained MobileNetV2 on a folder of images, in the steps that a practitioner takes: a new last layer,
// augmentations compared, an attack on the result, then AdvProp and SparseTopK against plain fine-tuning.
//
//   pnpm --filter ./examples/advprop-pretrained start                          # some minutes
//   pnpm --filter ./examples/advprop-pretrained start --images ~/photos        # your own: one subfolder per class
//   pnpm --filter ./examples/advprop-pretrained start --tiny                   # to see that it runs
//   pnpm --filter ./examples/advprop-pretrained start --help
//
// Writes pictures.png: clean pictures, attacked ones, and the difference, amplified.

import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { advprop, corruptionErrors, dropAuxiliary, pgd, sparseTopK } from '@tfgraft/advprop'
import { useBackend } from '@tfgraft/backends'
import { adamW, cosineDecay, defaultStep, fit, identity, type Method } from '@tfgraft/core'
import {
  type Augmentation,
  horizontalFlip,
  randAugment,
  randomErasing,
  randomResizedCrop,
} from '@tfgraft/datasets'
import { imageFolder } from '@tfgraft/datasets/node'
import { clothesFolder } from './clothes'
import { writePictureGrid } from './picture-grid'
import { mobileNet, STRIDE } from './pretrained'

const { values } = parseArgs({
  options: {
    images: { type: 'string' },
    size: { type: 'string' },
    epochs: { type: 'string' },
    tiny: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(`Fine-tunes a pretrained MobileNetV2 with augmentations, AdvProp and SparseTopK.

  --images FOLDER  one subfolder per class; without it, photographs of clothes (Fashion-MNIST) are written to .cache
  --size PIXELS    side of the images, a multiple of 32 (default 64)
  --epochs N       passes over the training images per model (default 6)
  --tiny           few images, one epoch: to see that it runs`)
  process.exit(0)
}
const { tiny } = values
const size = Number(values.size ?? (tiny ? 32 : 64))
const epochs = Number(values.epochs ?? (tiny ? 1 : 6))
if (!(size > 0 && size % STRIDE === 0 && Number.isInteger(epochs) && epochs > 0))
  throw new Error(`--size must be a multiple of ${STRIDE}, --epochs at least 1. Received ${size}, ${epochs}.`)
const epsilon = 4 / 255 // what an attack may change per pixel
const batchSize = tiny ? 8 : 16

// Step 0. A backend that can train convolutions, the images, and the network with a last layer for their classes.
console.log(`backend: ${await useBackend('wasm')}`)
const folder = values.images ?? (await clothesFolder(resolve('.cache'), tiny ? 3 : 60))
const images = await imageFolder(folder, { size })
const [train, test] = images.split(2 / 3, 1)
console.log(
  `${folder}: ${train.count} images to train on, ${test.count} to test, ${images.classNames.length} classes`,
)
const { xs, ys } = test.tensors({ labels: 'index' }) as { xs: tf.Tensor4D; ys: tf.Tensor1D }

async function fineTune(method: Method, augment: Augmentation[]): Promise<tfl.LayersModel> {
  const steps = epochs * Math.ceil(train.count / batchSize)
  const setup = method.apply({
    model: await mobileNet(size, images.classNames.length, 1),
    optimizer: adamW({ learningRate: cosineDecay({ initial: 1e-3, steps }) }),
    loss: tfl.metrics.categoricalCrossentropy,
    step: defaultStep,
  })
  await fit(setup, train.batches({ batchSize, shuffle: 1, augment }), { epochs, seed: 1 })
  return dropAuxiliary(setup.model) // what AdvProp trained is an ordinary model again
}

const accuracy = (model: tfl.LayersModel, of: tf.Tensor) =>
  tf.tidy(() => {
    const predicted = tf.argMax(model.predict(of, { batchSize: 50 }) as tf.Tensor, 1)
    return tf.mean(tf.cast(tf.equal(predicted, ys), 'float32')).dataSync()[0]!
  })
const attack = (model: tfl.LayersModel) => pgd(model, xs, ys, { epsilon, iterations: tiny ? 1 : 10, seed: 1 })
const percent = (value: number) => `${(100 * value).toFixed(1)} %`

/** Accuracy on clean, attacked and corrupted test images. */
function evaluate(model: tfl.LayersModel): Record<string, string> {
  const kinds = tiny ? (['gaussianNoise'] as const) : undefined
  const errors = Object.values(corruptionErrors(model, xs, ys, { kinds, severities: [3] })).flat()
  const attacked = attack(model)
  const row = {
    clean: percent(accuracy(model, xs)),
    attacked: percent(accuracy(model, attacked)),
    corrupted: percent(1 - errors.reduce((a, b) => a + b, 0) / errors.length),
  }
  attacked.dispose()
  return row
}

const untrained = await mobileNet(size, images.classNames.length, 1)
console.log(`before training: ${percent(accuracy(untrained, xs))} of test images right`)
untrained.dispose()

// Step 1. Which augmentation helps? Plain fine-tuning with each.
const crop = randomResizedCrop({ scale: [0.6, 1] })
const augmentations: Record<string, Augmentation[]> = {
  none: [],
  'crop, flip': [crop, horizontalFlip()],
  'crop, flip, RandAugment': [crop, horizontalFlip(), randAugment({ magnitude: 5 })],
  'crop, flip, erasing': [crop, horizontalFlip(), randomErasing({ scale: [0.02, 0.2] })],
}
const chosen = 'crop, flip'
const byAugmentation: Record<string, Record<string, string>> = {}
let plain: tfl.LayersModel | undefined
for (const [name, augment] of Object.entries(augmentations)) {
  const model = await fineTune(identity, augment)
  byAugmentation[name] = evaluate(model)
  console.log(`augmentation '${name}': ${JSON.stringify(byAugmentation[name])}`)
  if (name === chosen) plain = model
  else model.dispose()
}

// Step 2. What an attack changes in the pictures.
const columns = Math.min(8, test.count)
const attacked = attack(plain!)
const difference = tf.clipByValue(tf.add(tf.mul(tf.sub(attacked, xs), 0.5 / epsilon), 0.5), 0, 1)
const firstOf = (batch: tf.Tensor) => tf.slice(batch, 0, columns) as tf.Tensor4D
await writePictureGrid('pictures.png', [firstOf(xs), firstOf(attacked), firstOf(difference)])

// Steps 3 and 4. AdvProp, and SparseTopK after the sixth block, against plain fine-tuning.
const adversarial = advprop({ attack: { epsilon, iterations: 1 }, adversarialWeight: 0.25 })
const sparse = sparseTopK({ k: 0.3, after: 'block_5_add' })
const byMethod: Record<string, Record<string, string>> = { plain: byAugmentation[chosen]! }
for (const method of [adversarial, sparse]) {
  const model = await fineTune(method, augmentations[chosen]!)
  byMethod[method.name] = evaluate(model)
  console.log(`${method.name}: ${JSON.stringify(byMethod[method.name])}`)
  model.dispose()
}

console.log(`\nplain fine-tuning, by augmentation (attack: PGD of ${Math.round(255 * epsilon)}/255)`)
console.table(byAugmentation)
console.log(`by method, augmentation '${chosen}'`)
console.table(byMethod)
console.log('pictures.png: clean, attacked, and the difference, amplified')
