import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, describeOp, expectClose, expectGradients } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { softmaxCrossEntropy, softmaxCrossEntropyOps } from './softmax-cross-entropy'

const normal = (shape: number[], seed: number, scale = 2) => tf.randomNormal(shape, 0, scale, 'float32', seed)
const shapes = [
  [1, 1],
  [3, 4],
  [5, 10],
  [2, 3, 7],
  [9, 33],
]
const rowsOf = (shape: number[]) => shape.slice(0, -1)
const classesOf = (shape: number[]) => tf.randomUniform(rowsOf(shape), -1, shape.at(-1)!, 'int32', 3)

const cases = shapes.flatMap((shape) => [
  {
    title: `rows of labels, [${shape}]`,
    inputs: () => ({ logits: normal(shape, 1), labels: tf.randomUniform(shape, 0, 1, 'float32', 2) }),
    attrs: undefined,
  },
  {
    title: `classes, [${shape}]`,
    inputs: () => ({ logits: normal(shape, 1), classes: classesOf(shape) }),
    attrs: undefined,
  },
])

describeOp(softmaxCrossEntropyOps.forward, [
  ...cases,
  {
    title: 'extreme logits',
    inputs: () => ({
      logits: tf.tensor2d([1e4, -1e4, 0, 88, 89, 90], [2, 3]),
      classes: tf.tensor1d([1, 0], 'int32'),
    }),
    attrs: undefined,
  },
  {
    title: 'a masked logit and NaN',
    inputs: () => ({
      logits: tf.tensor2d([1, Number.NEGATIVE_INFINITY, 0, 1, Number.NaN, 0], [2, 3]),
      classes: tf.tensor1d([0, 0], 'int32'),
    }),
    attrs: undefined,
    gradient: false,
  },
])
describeOp(
  softmaxCrossEntropyOps.backward,
  cases.map((row, i) => ({
    ...row,
    inputs: () => {
      const shape = rowsOf(shapes[i >> 1]!)
      return { ...row.inputs(), logSums: normal(shape, 4, 1), dy: normal(shape, 5) }
    },
    gradient: false,
  })),
)

/** -log softmax(x)[k] in double precision. */
function surprise(x: number[], k: number): number {
  const largest = Math.max(...x)
  return largest - x[k]! + Math.log(x.reduce((sum, v) => sum + Math.exp(v - largest), 0))
}

describeBackends('softmaxCrossEntropy', (backend) => {
  it('is -log softmax of the class, to single precision', () => {
    tf.tidy(() => {
      const logits = normal([50, 13], 1, 6)
      const classes = tf.randomUniform([50], 0, 13, 'int32', 2)
      const [x, k] = [logits.arraySync() as number[][], classes.dataSync()]
      const expected = x.map((row, i) => surprise(row, k[i]!))
      expectClose(
        softmaxCrossEntropy(classes, logits),
        { shape: [50], data: expected },
        { rtol: 2e-6, atol: 1e-6 },
      )
    })
  })

  it('agrees with finite differences, for labels that do not add up to 1 too', () => {
    tf.tidy(() => {
      const [logits, labels] = [normal([3, 5], 1), tf.randomUniform([3, 5], 0, 1, 'float32', 2)]
      expectGradients((labels, logits) => softmaxCrossEntropy(labels!, logits!), [labels, logits])
      const classes = tf.tensor1d([4, -1, 0], 'int32')
      expectGradients((logits) => softmaxCrossEntropy(classes, logits!), [logits])
    })
  })

  it('takes no notice of a class that is none, and of what is added to all logits', () => {
    tf.tidy(() => {
      const logits = normal([2, 4], 1)
      const classes = tf.tensor1d([-1, 2], 'int32')
      const loss = softmaxCrossEntropy(classes, logits)
      expect(loss.dataSync()[0]).toBe(0)
      expectClose(softmaxCrossEntropy(classes, tf.add(logits, 7)), loss, { rtol: 1e-5, atol: 1e-5 })
    })
  })

  it('is what tf.losses.softmaxCrossEntropy runs as, with weights, smoothing and every reduction', async () => {
    const [logits, weights] = [normal([4, 3], 1), tf.tensor1d([1, 0, 2, 3])]
    const labels = tf.oneHot([0, 2, 1, 1], 3) // int32
    const [none, mean, sum] = [tf.Reduction.NONE, tf.Reduction.MEAN, tf.Reduction.SUM]
    const calls = [
      () => tf.losses.softmaxCrossEntropy(labels, logits),
      () => tf.losses.softmaxCrossEntropy(labels, logits, weights, 0.1),
      ...[none, mean, sum].map(
        (reduction) => () => tf.losses.softmaxCrossEntropy(labels, logits, weights, 0, reduction),
      ),
      () => tf.grad((x) => tf.losses.softmaxCrossEntropy(labels, x, weights, 0.2))(logits),
    ]
    const actual = calls.map((call) => call())
    await tf.setBackend('cpu')
    const expected = calls.map((call) => call())
    await tf.setBackend(backend)
    actual.forEach((y, i) => void expectClose(y, expected[i]!))
    const { kernelNames } = await tf.profile(() => calls[0]!())
    expect(kernelNames.includes('backends/SoftmaxCrossEntropy')).toBe(backend === 'wasm')
    tf.dispose([logits, weights, labels, ...actual, ...expected])
  })

  it('rejects labels that do not fit', () => {
    tf.tidy(() => {
      expect(() => softmaxCrossEntropy(tf.zeros([2]), tf.zeros([2, 3]))).toThrow(
        'Received labels=float32 [2], logits=[2,3].',
      )
    })
  })
})
