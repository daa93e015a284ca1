/** Every pure function against the numbers of the original implementations (CleanRL, Gym), run in float64. */
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectGradients, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { categorical, diagonalGaussian } from './distributions'
import { gae } from './gae'
import { normalizeAdvantages, ppoPolicyLoss, valueLoss } from './losses'
import { RewardForwardFilter, RewardNormalizer } from './reward-forward-filter'
import { RunningMeanStd } from './running-mean-std'

interface Golden {
  shape: number[]
  data: number[]
}
const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}.json`, import.meta.url), 'utf8'))
const exact = { rtol: 1e-10, atol: 1e-12 }

describe('gae', () => {
  const { inputs, outputs, config } = golden('rl_gae')
  const d = (name: string): number[] => inputs[name].data
  const shared = { dones: d('dones'), nextDones: d('next_done'), lambda: config.gae_lambda }
  const extrinsic = {
    ...shared,
    rewards: d('rewards'),
    values: d('ext_values'),
    nextValues: d('next_value_ext'),
    gamma: config.gamma,
  }

  it('agrees with the episodic reference', () => {
    const { advantages, returns } = gae(extrinsic)
    expectClose(advantages, outputs.ext_advantages.data, exact)
    expectClose(returns, outputs.ext_returns.data, exact)
  })

  it('agrees with the non-episodic reference', () => {
    const { advantages, returns } = gae({
      ...shared,
      rewards: d('curiosity_rewards'),
      values: d('int_values'),
      nextValues: d('next_value_int'),
      gamma: config.int_gamma,
      episodic: false,
    })
    expectClose(advantages, outputs.int_advantages.data, exact)
    expectClose(returns, outputs.int_returns.data, exact)
  })

  it('float32 rewards give float32 results', () => {
    const { advantages } = gae({ ...extrinsic, rewards: Float32Array.from(extrinsic.rewards) })
    expect(advantages).toBeInstanceOf(Float32Array)
    expectClose(advantages, outputs.ext_advantages.data)
  })

  it('a cut episode bootstraps from its last observation and does not leak into the next', () => {
    const cut = (rewardAfter: number) =>
      gae({
        rewards: [1, rewardAfter],
        values: [0.5, 0],
        nextValues: [9],
        dones: [0, 1],
        nextDones: [1],
        gamma: 0.9,
        lambda: 0.95,
        finalValues: [2, 0],
      }).advantages[0]
    expect(cut(0)).toBeCloseTo(1 + 0.9 * 2 - 0.5, 12)
    expect(cut(100)).toBe(cut(0))
  })

  it('lambda 1 and a zero baseline give discounted returns', () => {
    const { returns } = gae({
      rewards: [1, 2, 3],
      values: [0, 0, 0],
      nextValues: [0],
      dones: [0, 0, 0],
      nextDones: [0],
      gamma: 0.5,
      lambda: 1,
    })
    expectClose(returns, [1 + 0.5 * (2 + 0.5 * 3), 2 + 0.5 * 3, 3], exact)
  })

  it('names the input whose length is wrong', () => {
    expect(() => gae({ ...extrinsic, dones: [0] })).toThrow(
      'gae: `dones.length` must be 36. Received dones.length=1.',
    )
    expect(() => gae({ ...extrinsic, nextValues: [1, 2, 3, 4, 5] })).toThrow('whole steps')
  })
})

describe('running statistics', () => {
  it('agree with Gym after batches of different sizes', () => {
    const statistics = new RunningMeanStd(3)
    for (const update of golden('rl_running_mean_std').array_updates) {
      statistics.update(update.batch.data)
      expectClose(statistics.mean, update.mean.data, exact)
      expectClose(statistics.variance, update.var.data, exact)
      expect(statistics.count).toBeCloseTo(update.count, 10)
    }
  })

  it('agree with Gym from moments, and go on after save and load', () => {
    let statistics = new RunningMeanStd()
    for (const update of golden('rl_running_mean_std').update_from_moments) {
      statistics.updateFromMoments([update.batch_mean], [update.batch_var], update.batch_count)
      expectClose(statistics.mean, [update.mean], exact)
      expectClose(statistics.variance, [update.var], exact)
      const restored = new RunningMeanStd()
      restored.load(JSON.parse(JSON.stringify(statistics.save())))
      statistics = restored
    }
  })

  it('normalise rows and clip them, a feature without variance included', () => {
    const statistics = new RunningMeanStd(2, 0)
    statistics.update([0, 5, 2, 5])
    const out = statistics.normalize([3, 5, 100, 6, -100, 4], new Float32Array(6), 5)
    expect([...out]).toEqual([2, 0, 5, 5, -5, -5])
  })
})

describe('reward filter', () => {
  const { inputs, config, ...expected } = golden('rl_reward_forward_filter')

  it('agrees with the reference, step by step', () => {
    const filter = new RewardForwardFilter(config.gamma)
    for (const { rews, out } of expected.filter_sequence_time_major)
      expectClose(filter.update(rews.data), out.data, exact)
  })

  it.each([
    ['time', 'time_major'],
    ['environment', 'cleanrl'],
  ] as const)('along the %s axis, normalises rewards as the reference does', (axis, name) => {
    const reference = expected.reward_normalisation[name]
    const normalizer = new RewardNormalizer({ gamma: config.gamma, axis })
    const rewards = Float64Array.from(inputs.curiosity_rewards.data)
    expectClose(normalizer.normalize(rewards, config.N), reference.normalised_rewards_first_pass.data, exact)
    normalizer.normalize(rewards, config.N)
    expectClose(normalizer.statistics.variance, [reference.stats_second_pass.rms_var], exact)
    expect(normalizer.statistics.count).toBeCloseTo(reference.stats_second_pass.rms_count, 10)
  })
})

describeBackends('losses', () => {
  const { inputs, cases, hw4_tester } = golden('rl_ppo_losses')
  const t = (g: Golden) => tf.tensor1d(g.data)

  it.each(cases as ReturnType<typeof JSON.parse>[])(
    'agree with CleanRL, values and gradients (normalised $norm_adv, clipped values $clip_vloss)',
    async (c) => {
      await expectNoTensorLeak(() =>
        tf.tidy(() => {
          const loss = (ratio: tf.Tensor, external: tf.Tensor, internal: tf.Tensor, entropy: tf.Tensor) => {
            const given = t(inputs.advantages)
            const advantages = c.norm_adv ? normalizeAdvantages(given) : given
            expectClose(advantages, c.outputs.mb_advantages)
            const policy = ppoPolicyLoss(ratio, advantages, c.clip_coef)
            expectClose(policy, [c.outputs.pg_loss])
            const clipped = c.clip_vloss
              ? { oldValues: t(inputs.old_ext_values), clip: c.clip_coef }
              : undefined
            const values = tf.add(
              valueLoss(external, t(inputs.ext_returns), clipped),
              valueLoss(internal, t(inputs.int_returns)),
            )
            expectClose(values, [c.outputs.v_loss])
            return tf.add(
              tf.sub(policy, tf.mul(c.ent_coef, tf.mean(entropy))),
              tf.mul(c.vf_coef, values),
            ) as tf.Scalar
          }
          const ratio = tf.exp(t(inputs.logratio))
          const at = [ratio, t(inputs.new_ext_values), t(inputs.new_int_values), t(inputs.entropy)]
          const { value, grads } = tf.valueAndGrads(loss as never)(at)
          expectClose(value, [c.outputs.loss])
          const names = ['ratio', 'new_ext_values', 'new_int_values', 'entropy']
          names.forEach((name, i) => {
            expectClose(grads[i]!.dataSync(), c.grads_of_loss[name].data)
          })
        }),
      )
    },
  )

  it('agree with the course tests', () => {
    const ten = (otherwise: number) =>
      tf.tensor1d(Array.from({ length: 512 }, (_, i) => (i < 10 ? 10 : otherwise)))
    expectClose(ppoPolicyLoss(ten(1), tf.ones([512]), 0.1), [hw4_tester.policy.pg_loss])
    expectClose(valueLoss(tf.ones([512]), ten(1)), [hw4_tester.value.v_loss])
  })

  it('reject what makes no sense', () => {
    const x = tf.ones([2])
    expect(() => ppoPolicyLoss(x, x, 0)).toThrow('ppoPolicyLoss: `clip` must be above 0. Received clip=0.')
    expect(() => valueLoss(x, x, { clip: 0.1 })).toThrow('go together')
    expect(() => ppoPolicyLoss(x, tf.ones([2, 1]), 0.1)).toThrow('ppoPolicyLoss')
  })
})

describeBackends('distributions', () => {
  it('categorical: probabilities sum to one, entropy is that of the definition, gradients are right', () => {
    const logits = tf.tensor2d([1, -2, 0.5, 30, 0, -30], [2, 3])
    const { logProb, entropy, mode } = categorical(logits)
    const probabilities = [0, 1, 2].map((a) => tf.exp(logProb(tf.tensor1d([a, a], 'int32'))).dataSync())
    for (const row of [0, 1]) expectClose([probabilities.reduce((sum, p) => sum + p[row]!, 0)], [1])
    const definition = [0, 1].map((row) =>
      probabilities.reduce((sum, p) => (p[row]! > 0 ? sum - p[row]! * Math.log(p[row]!) : sum), 0),
    )
    expectClose(entropy(), definition)
    expect([...mode().dataSync()]).toEqual([0, 0])
    const actions = tf.tensor1d([2, 1], 'int32')
    expectGradients((x) => categorical(x).logProb(actions), [tf.tensor2d([1, -2, 0.5, 1, 0, -1], [2, 3])])
    expectGradients((x) => categorical(x).entropy(), [tf.tensor2d([1, -2, 0.5, 1, 0, -1], [2, 3])])
  })

  it('diagonal Gaussian: density and entropy are those of the definition, gradients are right', () => {
    const mean = tf.tensor2d([0.5, -1], [1, 2])
    const logStd = tf.tensor1d([0.2, -0.3])
    const x = tf.tensor2d([1, 1], [1, 2])
    const density = [0, 1].reduce((log, k) => {
      const std = Math.exp([0.2, -0.3][k]!)
      const z = (1 - [0.5, -1][k]!) / std
      return log - 0.5 * z * z - Math.log(std * Math.sqrt(2 * Math.PI))
    }, 0)
    expectClose(diagonalGaussian(mean, logStd).logProb(x), [density])
    expectClose(diagonalGaussian(mean, logStd).entropy(), [1 + Math.log(2 * Math.PI) - 0.1])
    expectGradients((m, s) => diagonalGaussian(m, s).logProb(x), [mean, tf.tensor2d([0.2, -0.3], [1, 2])])
  })

  it('reject wrong shapes', () => {
    expect(() => categorical(tf.ones([3]))).toThrow('categorical: `logits` must be [batch, actions].')
    expect(() => diagonalGaussian(tf.ones([1, 2]), tf.ones([3]))).toThrow('diagonalGaussian')
  })
})
