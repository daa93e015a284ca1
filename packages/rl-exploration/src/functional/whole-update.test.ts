/**
 * Three steps of a whole PPO + RND update as CleanRL makes them: one loss of agent and predictor, one clipping by the
 * global norm, one Adam. The reference is written in plain float64 numbers, with gradients by central differences.
 */
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { rndLoss } from '../bonuses/rnd'
import { mlp, saveVariables } from '../networks/network'
import { clippedAdam } from '../networks/optimizer'
import { SavableRandom } from '../networks/random'
import { categorical } from './distributions'
import { ppoLoss } from './ppo-loss'

const [ROWS, INPUTS, ACTIONS, STREAMS] = [8, 4, 3, 2]
const AGENT = [INPUTS, 6, ACTIONS + STREAMS]
const PREDICTOR = [INPUTS, 5, 3]
const settings = { clip: 0.1, entropyCoefficient: 0.01, valueCoefficient: 0.5 }
const adam = { learningRate: 0.02, maxGradNorm: 0.4, epsilon: 1e-5 }
const clippings = [false, 'extrinsic', true] as const

interface Minibatch {
  x: number[][]
  actions: number[]
  oldLogProbs: number[]
  advantages: number[]
  returns: number[][]
  oldValues: number[][]
  mask: number[]
  features: number[][]
}

/** Minibatches whose ratios and values lie on both sides of the clipping ranges. */
function minibatches(random: SavableRandom): Minibatch[] {
  const row = (length: number, scale = 1) => Array.from({ length }, () => scale * random.normal())
  const table = (columns: number, scale?: number) => Array.from({ length: ROWS }, () => row(columns, scale))
  return [0, 1, 2].map(() => ({
    x: table(INPUTS),
    actions: Array.from({ length: ROWS }, () => random.integer(ACTIONS)),
    oldLogProbs: Array.from({ length: ROWS }, () => -1.1 + 0.15 * random.normal()),
    advantages: row(ROWS, 2),
    returns: table(STREAMS),
    oldValues: table(STREAMS, 0.3),
    mask: Array.from({ length: ROWS }, (_, i) => Number(i % 4 === 0)),
    features: table(PREDICTOR.at(-1)!),
  }))
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
const clamp = (v: number, low: number, high: number) => Math.min(high, Math.max(low, v))

/** Dense layers, relu between them, over arrays of `[weights, biases, ...]`. */
function forward(x: number[], sizes: number[], weights: Float64Array[]): number[] {
  let h = x
  for (let layer = 0; layer + 1 < sizes.length; layer++) {
    const [w, b] = [weights[2 * layer]!, weights[2 * layer + 1]!]
    const out = Array.from(b, (bias, c) => h.reduce((sum, v, r) => sum + v * w[r * b.length + c]!, bias))
    h = layer + 2 < sizes.length ? out.map((v) => Math.max(0, v)) : out
  }
  return h
}

function referenceLoss(
  weights: Float64Array[],
  m: Minibatch,
  clipValues: (typeof clippings)[number],
): number {
  const outputs = m.x.map((x) => forward(x, AGENT, weights.slice(0, 4)))
  const logProbs = outputs.map((o) => {
    const logits = o.slice(0, ACTIONS)
    const logSum = Math.log(logits.reduce((sum, l) => sum + Math.exp(l), 0))
    return logits.map((l) => l - logSum)
  })
  const centre = mean(m.advantages)
  const std = Math.sqrt(m.advantages.reduce((sum, a) => sum + (a - centre) ** 2, 0) / (ROWS - 1))
  const surrogate = logProbs.map((row, i) => {
    const ratio = Math.exp(row[m.actions[i]!]! - m.oldLogProbs[i]!)
    const advantage = (m.advantages[i]! - centre) / (std + 1e-8)
    return Math.max(-advantage * ratio, -advantage * clamp(ratio, 1 - settings.clip, 1 + settings.clip))
  })
  const entropies = logProbs.map((row) => -row.reduce((sum, l) => sum + Math.exp(l) * l, 0))
  let values = 0
  for (let k = 0; k < STREAMS; k++) {
    const clipped = clipValues === true || (clipValues === 'extrinsic' && k === 0)
    const errors = outputs.map((o, i) => {
      const [value, target, old] = [o[ACTIONS + k]!, m.returns[i]![k]!, m.oldValues[i]![k]!]
      const plain = (value - target) ** 2
      const moved = old + clamp(value - old, -settings.clip, settings.clip)
      return clipped ? Math.max(plain, (moved - target) ** 2) : plain
    })
    values += 0.5 * mean(errors)
  }
  const predicted = m.x.map((x) => forward(x, PREDICTOR, weights.slice(4)))
  const errors = predicted.map((p, i) => mean(p.map((v, k) => (v - m.features[i]![k]!) ** 2)))
  const learnt = m.mask.reduce((a, b) => a + b, 0)
  const distillation = errors.reduce((sum, e, i) => sum + e * m.mask[i]!, 0) / Math.max(learnt, 1)
  return (
    mean(surrogate) -
    settings.entropyCoefficient * mean(entropies) +
    settings.valueCoefficient * values +
    distillation
  )
}

function referenceUpdate(
  start: Float64Array[],
  batches: Minibatch[],
  clipValues: (typeof clippings)[number],
) {
  const weights = start.map((w) => w.slice())
  const [first, second] = [
    start.map((w) => new Float64Array(w.length)),
    start.map((w) => new Float64Array(w.length)),
  ]
  const [losses, norms]: [number[], number[]] = [[], []]
  batches.forEach((batch, k) => {
    losses.push(referenceLoss(weights, batch, clipValues))
    const gradients = weights.map((w) =>
      w.map((at, i) => {
        const h = 1e-6
        w[i] = at + h
        const above = referenceLoss(weights, batch, clipValues)
        w[i] = at - h
        const below = referenceLoss(weights, batch, clipValues)
        w[i] = at
        return (above - below) / (2 * h)
      }),
    )
    const norm = Math.sqrt(gradients.reduce((sum, g) => g.reduce((s, v) => s + v * v, sum), 0))
    norms.push(norm)
    const scale = Math.min(1, adam.maxGradNorm / (norm + 1e-6))
    weights.forEach((w, n) => {
      for (let i = 0; i < w.length; i++) {
        const g = gradients[n]![i]! * scale
        const m = 0.9 * first[n]![i]! + 0.1 * g
        const s = 0.999 * second[n]![i]! + 0.001 * g * g
        first[n]![i] = m
        second[n]![i] = s
        const [mHat, sHat] = [m / (1 - 0.9 ** (k + 1)), s / (1 - 0.999 ** (k + 1))]
        w[i]! -= (adam.learningRate * mHat) / (Math.sqrt(sHat) + adam.epsilon)
      }
    })
  })
  return { weights, losses, norms }
}

describeBackends('a whole update of PPO + RND', () => {
  it.each(clippings)('is that of the float64 reference (clipped values: %s)', async (clipValueLoss) => {
    await expectNoTensorLeak(async () => {
      const random = new SavableRandom(11)
      const agent = mlp({ sizes: AGENT, random })
      const predictor = mlp({ sizes: PREDICTOR, random })
      const variables = [...agent.variables, ...predictor.variables]
      const batches = minibatches(random)
      const expected = referenceUpdate(
        (await saveVariables(variables)).map((w) => Float64Array.from(w)),
        batches,
        clipValueLoss,
      )
      // The case is only worth something where clipping happens.
      for (const norm of expected.norms) expect(norm).toBeGreaterThan(adam.maxGradNorm)

      const optimizer = clippedAdam(variables, adam)
      batches.forEach((m, k) => {
        tf.tidy(() => {
          const loss = optimizer.minimize(() => {
            const outputs = agent.apply(tf.tensor2d(m.x))
            const policy = categorical(tf.slice2d(outputs, [0, 0], [ROWS, ACTIONS]))
            const ppo = ppoLoss(
              {
                logProbs: policy.logProb(tf.tensor1d(m.actions, 'int32')),
                oldLogProbs: tf.tensor1d(m.oldLogProbs),
                entropy: policy.entropy(),
                advantages: tf.tensor1d(m.advantages),
                values: tf.slice2d(outputs, [0, ACTIONS], [ROWS, STREAMS]),
                returns: tf.tensor2d(m.returns),
                oldValues: tf.tensor2d(m.oldValues),
              },
              { ...settings, clipValueLoss },
            )
            const target = tf.tensor2d(m.features)
            return tf.add(ppo.loss, rndLoss(target, predictor.apply(tf.tensor2d(m.x)), tf.tensor1d(m.mask)))
          })
          expectClose(loss, [expected.losses[k]!])
        })
      })
      const weights = await saveVariables(variables)
      weights.forEach((w, n) => {
        expectClose(w, expected.weights[n]!, { rtol: 1e-4, atol: 2e-5 })
      })
      optimizer.dispose()
      agent.dispose()
      predictor.dispose()
    })
  })

  it('clipping of values is refused without the old ones', () => {
    const [x, y] = [tf.ones([2]), tf.ones([2, 1]) as tf.Tensor2D]
    const inputs = { logProbs: x, oldLogProbs: x, entropy: x, advantages: x, values: y, returns: y }
    expect(() => ppoLoss(inputs, { clipValueLoss: true })).toThrow(
      'ppoLoss: `clipValueLoss` needs `oldValues`. Received clipValueLoss=true.',
    )
  })
})
