/** The training steps of the benchmark. Each is one optimizer step on a fixed random batch, its loss read back. */
import * as tf from '@tensorflow/tfjs-core'
import {
  input,
  type LayersModel,
  layers,
  model,
  type SymbolicTensor,
  sequential,
} from '@tensorflow/tfjs-layers'

export interface TrainingStep {
  name: string
  run: () => number
}

const readLoss = (optimizer: tf.Optimizer, loss: () => tf.Scalar): number => {
  const cost = optimizer.minimize(loss, true)!
  const value = cost.dataSync()[0]!
  cost.dispose()
  return value
}

function classifier(name: string, network: LayersModel, x: tf.Tensor, classes: number): TrainingStep {
  const labels = tf.oneHot(tf.randomUniform([x.shape[0]!], 0, classes, 'int32', 1), classes)
  const optimizer = tf.train.adam(1e-3)
  const loss = () =>
    tf.losses.softmaxCrossEntropy(labels, network.apply(x, { training: true }) as tf.Tensor) as tf.Scalar
  return { name, run: () => readLoss(optimizer, loss) }
}

export function lenet(): TrainingStep {
  const network = sequential({
    layers: [
      layers.conv2d({
        inputShape: [28, 28, 1],
        filters: 6,
        kernelSize: 5,
        padding: 'same',
        activation: 'relu',
      }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 5, activation: 'relu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 120, activation: 'relu' }),
      layers.dense({ units: 84, activation: 'relu' }),
      layers.dense({ units: 10 }),
    ],
  })
  return classifier('LeNet, batch 64, 28 x 28', network, tf.randomNormal([64, 28, 28, 1]), 10)
}

export function resnet(): TrainingStep {
  const image = input({ shape: [32, 32, 3] })
  const apply = (layer: { apply(x: SymbolicTensor): unknown }, x: SymbolicTensor) =>
    layer.apply(x) as SymbolicTensor
  const norm = (x: SymbolicTensor) => apply(layers.batchNormalization(), x)
  const relu = (x: SymbolicTensor) => apply(layers.activation({ activation: 'relu' }), x)
  const conv = (x: SymbolicTensor, filters: number, strides: number, kernelSize = 3) =>
    apply(layers.conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }), x)
  let x = relu(norm(conv(image, 16, 1)))
  for (const [filters, strides] of [
    [16, 1],
    [32, 2],
    [64, 2],
  ] as const) {
    const branch = norm(conv(relu(norm(conv(x, filters, strides))), filters, 1))
    const shortcut = strides === 1 ? x : norm(conv(x, filters, strides, 1))
    x = relu(layers.add().apply([branch, shortcut]) as SymbolicTensor)
  }
  const pooled = apply(layers.globalAveragePooling2d({}), x)
  const network = model({ inputs: image, outputs: apply(layers.dense({ units: 10 }), pooled) })
  return classifier(
    'ResNet of 3 blocks, batch 32, 32 x 32 x 3',
    network,
    tf.randomNormal([32, 32, 32, 3]),
    10,
  )
}

const recurrentLayers = { LSTM: layers.lstm, GRU: layers.gru, SimpleRNN: layers.simpleRNN }

function recurrent(kind: keyof typeof recurrentLayers): TrainingStep {
  const network = sequential({
    layers: [
      layers.embedding({ inputDim: 500, outputDim: 64, inputLength: 20 }),
      recurrentLayers[kind]({ units: 128, recurrentInitializer: 'glorotUniform' } as never),
      layers.dense({ units: 10 }),
    ],
  })
  const words = tf.randomUniform([32, 20], 0, 500, 'int32', 2)
  return classifier(`embedding and ${kind} of 128, batch 32, length 20`, network, words, 10)
}

export const lstm = () => recurrent('LSTM')
export const gru = () => recurrent('GRU')
export const simpleRnn = () => recurrent('SimpleRNN')

/** A bag of words: the mean of 100 of 10,000 word vectors, batch 64. */
export function embedding(): TrainingStep {
  const network = sequential({
    layers: [
      layers.embedding({ inputDim: 10_000, outputDim: 64, inputLength: 100 }),
      layers.globalAveragePooling1d({}),
      layers.dense({ units: 10 }),
    ],
  })
  const words = tf.randomUniform([64, 100], 0, 10_000, 'int32', 2)
  return classifier('embedding of 10,000 words, mean of 100, batch 64', network, words, 10)
}

/** A language model: 4 layers of width 128 with 4 heads, batch 8, length 128, in plain tf ops. */
export function transformer(): TrainingStep {
  const [batch, length, width, heads, vocabulary] = [8, 128, 128, 4, 64] as const
  const weight = (shape: number[]) => tf.variable(tf.randomNormal(shape, 0, 0.05))
  const constant = (value: number, size: number) => tf.variable(tf.fill([size], value))
  const blocks = Array.from({ length: 4 }, () => ({
    norm1: [constant(1, width), constant(0, width)] as const,
    norm2: [constant(1, width), constant(0, width)] as const,
    project: weight([width, 3 * width]),
    out: weight([width, width]),
    widen: weight([width, 4 * width]),
    widenBias: constant(0, 4 * width),
    narrow: weight([4 * width, width]),
    narrowBias: constant(0, width),
  }))
  const [tokens, positions, head] = [
    weight([vocabulary, width]),
    weight([length, width]),
    weight([width, vocabulary]),
  ]
  const ids = tf.randomUniform([batch, length], 0, vocabulary, 'int32', 1) as tf.Tensor2D
  const targets = tf.oneHot(tf.randomUniform([batch * length], 0, vocabulary, 'int32', 2), vocabulary)
  const future = tf.tidy(() =>
    tf.mul(tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]) as tf.Tensor2D, -1, 0)), -1e9),
  )
  const norm = (x: tf.Tensor, [gain, bias]: readonly [tf.Tensor, tf.Tensor]) => {
    const { mean, variance } = tf.moments(x, -1, true)
    return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), gain), bias)
  }
  const dense = (x: tf.Tensor, w: tf.Tensor) =>
    tf.reshape(tf.matMul(tf.reshape(x, [batch * length, -1]), w as tf.Tensor2D), [batch, length, -1])
  const gelu = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1))
  const split = (x: tf.Tensor) =>
    tf.transpose(tf.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3])
  const loss = () => {
    let x: tf.Tensor = tf.add(tf.gather(tokens, ids), positions)
    for (const block of blocks) {
      const [q, k, v] = tf.split(dense(norm(x, block.norm1), block.project), 3, -1).map(split)
      const scores = tf.mul(tf.matMul(q!, k!, false, true), Math.sqrt(heads / width))
      const attended = tf.matMul(tf.softmax(tf.add(scores, future)), v!)
      x = tf.add(
        x,
        dense(tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), [batch, length, width]), block.out),
      )
      const hidden = gelu(tf.add(dense(norm(x, block.norm2), block.widen), block.widenBias))
      x = tf.add(x, tf.add(dense(hidden, block.narrow), block.narrowBias))
    }
    return tf.losses.softmaxCrossEntropy(targets, tf.reshape(dense(x, head), [-1, vocabulary])) as tf.Scalar
  }
  const optimizer = tf.train.adam(1e-3)
  return {
    name: 'transformer of 4 layers, width 128, length 128, batch 8',
    run: () => readLoss(optimizer, loss),
  }
}
