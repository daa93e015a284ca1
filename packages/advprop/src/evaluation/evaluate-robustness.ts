/**
 * Accuracy under an ensemble of attacks, per example the worst of them, and signs that gradients are masked.
 *
 * Papers: Croce, Hein, arXiv 2003.01690 (worst case over diverse attacks); Athalye, Carlini, Wagner, "Obfuscated Gradients
 * Give a False Sense of Security", ICML 2018, arXiv 1802.00420, section 3.1 (the signs); Carlini et al., "On Evaluating
 * Adversarial Robustness", arXiv 1902.06705.
 */
import * as tf from '@tensorflow/tfjs-core'
import { apgd } from '../attacks/apgd'
import { type Bounds, toUnitRange } from '../attacks/bounds'
import { crossEntropy } from '../attacks/losses'
import { checkAttack, fgsm, linfBall, pgd } from '../attacks/pgd'
import { squareAttack } from '../attacks/square-attack'
import { type Attack, type AttackTarget, classifierOf, correct, oneHotLabels } from '../attacks/target'
import { wilsonInterval } from './wilson'

export interface RobustnessOptions {
  /** L-infinity budget, as a part of the valid range. */
  epsilon: number
  /** Range of valid inputs. @default { min: 0, max: 1 } */
  bounds?: Bounds
  /**
   * The ensemble, by name. @default PGD with 20 steps, APGD on cross entropy and (of 4 classes or more) on targeted
   * DLR with 50 steps, Square attack with 500 queries
   */
  attacks?: Record<string, Attack>
  /** Images attacked at a time. @default 100 */
  batchSize?: number
  /** @default 0 */
  seed?: number
  /** Called after each batch. */
  onProgress?: (done: number, total: number) => void
}

/** A proportion of the evaluated images. */
export interface Accuracy {
  /** In 0..1. */
  accuracy: number
  /** Wilson's 95 % confidence interval. */
  interval: [low: number, high: number]
}

/** One sign of masked gradients. */
export interface GradientCheck {
  /** What holds where gradients are honest. */
  rule: string
  passed: boolean
  /** The numbers that decided. */
  detail: string
}

export interface RobustnessReport {
  count: number
  clean: Accuracy
  /** By the attack's name. */
  attacks: Record<string, Accuracy>
  /** Of images that no attack fooled, nor the image itself. */
  worstCase: Accuracy
  /** Where one fails, the accuracies above are not to be trusted. */
  checks: GradientCheck[]
  /** All of it as text. */
  toString(): string
}

function ensemble({ epsilon, bounds, seed = 0 }: RobustnessOptions, classes: number): Record<string, Attack> {
  const options = { epsilon, bounds, seed }
  return {
    'PGD-20': (t, x, y) => pgd(t, x, y, { ...options, iterations: 20 }),
    'APGD-CE': (t, x, y) => apgd(t, x, y, { ...options, iterations: 50, restarts: 1 }),
    ...(classes >= 4
      ? {
          'APGD-T': (t: AttackTarget, x: tf.Tensor, y: tf.Tensor) =>
            apgd(t, x, y, { ...options, iterations: 50, restarts: 1, loss: 'targetedDlr', targetClasses: 3 }),
        }
      : {}),
    Square: (t, x, y) => squareAttack(t, x, y, { ...options, queries: 500 }),
  }
}

/** Attacks whose only purpose is to compare them. */
function controls({ epsilon, bounds, seed = 0 }: RobustnessOptions): Record<string, Attack> {
  const options = { epsilon, bounds, seed }
  return {
    oneStep: (t, x, y) => fgsm(t, x, y, options),
    manySteps: (t, x, y) => pgd(t, x, y, { ...options, iterations: 20 }),
    noise: (_, x) => {
      const { images, restore } = toUnitRange(x, bounds)
      const noise = tf.randomUniform(images.shape, -epsilon, epsilon, 'float32', seed)
      return restore(linfBall(images, epsilon).project(tf.add(images, noise)))
    },
    blackBox: (t, x, y) => squareAttack(t, x, y, { ...options, queries: 200 }),
    halfBudget: (t, x, y) => pgd(t, x, y, { ...options, epsilon: epsilon / 2, iterations: 20 }),
    twiceBudget: (t, x, y) => pgd(t, x, y, { ...options, epsilon: Math.min(2 * epsilon, 1), iterations: 20 }),
  }
}

const percent = (value: number) => `${(100 * value).toFixed(1)} %`

/**
 * Evaluates a classifier's robustness: accuracy under each attack of an ensemble and under the worst of them per image,
 * with confidence intervals, and a checklist of signs that gradients are masked and attacks therefore fail.
 *
 * @param target - a LayersModel, a GraphModel or a function from images to logits.
 * @param images - `[count, height, width, channels]` within `bounds`.
 * @param labels - class indices `[count]` or one-hot `[count, classes]`.
 * @throws Error when `epsilon`, `bounds` or an attack's option is invalid.
 *
 * Papers: Croce & Hein, arXiv 2003.01690; Athalye et al., arXiv 1802.00420, section 3.1.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { evaluateRobustness, pgd } from '@tfgraft/advprop'
 *
 * const logits = (x: tf.Tensor) => tf.reshape(x, [-1, 4])
 * const images = tf.randomUniform([8, 2, 2, 1])
 * const labels = tf.argMax(logits(images), 1)
 * const attacks = { 'PGD-5': (t, x, y) => pgd(t, x, y, { epsilon: 0.05, iterations: 5 }) }
 * const report = await evaluateRobustness(logits, images, labels, { epsilon: 0.05, attacks })
 * console.log(`${report}`)
 * ```
 */
export async function evaluateRobustness(
  target: AttackTarget,
  images: tf.Tensor,
  labels: tf.Tensor,
  options: RobustnessOptions,
): Promise<RobustnessReport> {
  checkAttack('evaluateRobustness', options)
  const { batchSize = 100, onProgress } = options
  const classifier = classifierOf(target)
  const classes = tf.tidy(() => classifier.logits(tf.slice(images, 0, 1)).shape[1])
  const attacks = options.attacks ?? ensemble(options, classes)
  const all = {
    ...attacks,
    ...Object.fromEntries(Object.entries(controls(options)).map(([k, a]) => [`control ${k}`, a])),
  }
  const count = images.shape[0]!
  const right: Record<string, number> = Object.fromEntries(
    ['clean', 'worst', ...Object.keys(all)].map((k) => [k, 0]),
  )
  const loss: Record<string, number> = Object.fromEntries(Object.keys(all).map((k) => [k, 0]))

  for (let at = 0; at < count; at += batchSize) {
    const size = Math.min(batchSize, count - at)
    const [x, y] = tf.tidy(() => [tf.slice(images, at, size), tf.slice(labels, at, size)]) as [
      tf.Tensor,
      tf.Tensor,
    ]
    /** Which images of the batch are classified rightly, and their summed loss. */
    const judge = async (of: tf.Tensor): Promise<{ hits: Float32Array; loss: number }> => {
      const [hits, sum] = tf.tidy(() => {
        const logits = classifier.logits(of)
        return [correct(logits, y), tf.sum(crossEntropy(logits, oneHotLabels(y, logits.shape[1])))]
      }) as [tf.Tensor, tf.Tensor]
      const values = { hits: (await hits.data()) as Float32Array, loss: (await sum.data())[0]! }
      tf.dispose([hits, sum])
      return values
    }
    const clean = await judge(x)
    const worst = clean.hits.slice()
    right.clean! += clean.hits.reduce((a, b) => a + b, 0)
    for (const [name, attack] of Object.entries(all)) {
      const adversarial = tf.tidy(() => attack(target, x, y))
      const judged = await judge(adversarial)
      adversarial.dispose()
      right[name]! += judged.hits.reduce((a, b) => a + b, 0)
      loss[name]! += judged.loss
      if (name in attacks) for (let i = 0; i < size; i++) worst[i] = Math.min(worst[i]!, judged.hits[i]!)
    }
    right.worst! += worst.reduce((a, b) => a + b, 0)
    tf.dispose([x, y])
    onProgress?.(at + size, count)
  }

  const accuracy = (name: string): Accuracy => ({
    accuracy: right[name]! / count,
    interval: wilsonInterval(right[name]!, count),
  })
  return report({
    count,
    clean: accuracy('clean'),
    attacks: Object.fromEntries(Object.keys(attacks).map((name) => [name, accuracy(name)])),
    worstCase: accuracy('worst'),
    checks: checklist(
      (name) => right[`control ${name}`]! / count,
      (name) => loss[`control ${name}`]! / count,
      count,
    ),
  })
}

function checklist(
  accuracy: (control: string) => number,
  loss: (control: string) => number,
  count: number,
): GradientCheck[] {
  const slack = 1 / Math.sqrt(count) / 2 // half a standard deviation of an accuracy of 50 %
  const compare = (rule: string, low: string, high: string): GradientCheck => ({
    rule,
    passed: accuracy(low) <= accuracy(high) + slack,
    detail: `${percent(accuracy(low))} and ${percent(accuracy(high))}`,
  })
  const losses = ['halfBudget', 'manySteps', 'twiceBudget'].map(loss)
  return [
    compare('many steps are at least as strong as one', 'manySteps', 'oneStep'),
    compare('the attack is at least as strong as random noise', 'manySteps', 'noise'),
    compare('the black box is not stronger than the white box', 'manySteps', 'blackBox'),
    {
      rule: 'the loss rises with the budget (half, whole, twice)',
      passed: losses[0]! <= losses[1]! && losses[1]! <= losses[2]!,
      detail: losses.map((value) => value.toFixed(3)).join(', '),
    },
  ]
}

function report(values: Omit<RobustnessReport, 'toString'>): RobustnessReport {
  const line = (name: string, { accuracy, interval }: Accuracy) =>
    `${name.padEnd(12)} ${percent(accuracy).padStart(7)}  [${interval.map(percent).join(', ')}]`
  const text = [
    `accuracy of ${values.count} images, 95 % confidence`,
    line('clean', values.clean),
    ...Object.entries(values.attacks).map(([name, value]) => line(name, value)),
    line('worst case', values.worstCase),
    ...values.checks.map(({ rule, passed, detail }) => `${passed ? 'ok  ' : 'FAIL'} ${rule}: ${detail}`),
  ].join('\n')
  return { ...values, toString: () => text }
}
