import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { rnd } from '../bonuses/rnd'
import { mlp, type Network } from '../networks/network'
import { SavableRandom } from '../networks/random'
import type { VectorEnv } from '../vector-env'
import { createAgent } from './agent'
import type { PpoOptions } from './agent-setup'
import { createCollector } from './collector'
import { policyHead } from './policy-head'
import { ppo } from './ppo'

/** One state for ever; every step earns 1 and is the last of its episode. */
function treadmill(end: 'terminated' | 'truncated', observe = () => 1): VectorEnv {
  const observations = () => Float32Array.from({ length: 4 }, observe)
  return {
    numEnvs: 4,
    observationSpace: { type: 'box', shape: [1], dtype: 'float32', low: 0, high: 200 },
    actionSpace: { type: 'discrete', n: 2 },
    reset: observations,
    step: () => ({
      observations: observations(),
      rewards: new Float32Array(4).fill(1),
      terminated: new Uint8Array(4).fill(Number(end === 'terminated')),
      truncated: new Uint8Array(4).fill(Number(end === 'truncated')),
      finalObservations: observations(),
    }),
    close() {},
  }
}
const quick: PpoOptions = { numSteps: 4, numMinibatches: 1, updateEpochs: 8, warmupRollouts: 0 }

describeBackends('time limits and statistics', () => {
  const cases: [PpoOptions['timeLimit'], 'terminated' | 'truncated', number][] = [
    // V = 1 + gamma V, gamma 0.5: the state goes on behind the limit.
    ['final-observation', 'truncated', 2],
    ['reward', 'truncated', 2],
    ['end', 'truncated', 1],
    ['final-observation', 'terminated', 1],
  ]
  it.each(cases)(
    "timeLimit '%s', an episode that is %s: the value learnt is %d",
    async (timeLimit, end, value) => {
      const learn = {
        gamma: 0.5,
        learningRate: 0.03,
        normalizeObservations: false,
        annealLearningRate: false,
      }
      const agent = await createAgent(
        ppo(treadmill(end), { ...quick, ...learn, timeLimit, valueCoefficient: 1, hidden: [8] }),
      )
      for (let k = 0; k < 20; k++) await agent.update(0)
      const outputs = tf.tidy(() => (agent.network as Network).apply(tf.tensor2d([[1]])).dataSync())
      expect(outputs[2]).toBeCloseTo(value, 1)
      agent.dispose()
    },
  )

  it('observations are normalised by what random play has shown, and clipped to 5', async () => {
    const random = new SavableRandom(1)
    const env = treadmill('truncated', () => 100 + 10 * random.normal())
    const network = mlp({ sizes: [1, 3], random: new SavableRandom(2) })
    const collector = createCollector(
      ppo(env, { ...quick, numSteps: 50, warmupRollouts: 3 }),
      network,
      policyHead(env.actionSpace),
      1,
      new SavableRandom(3),
    )
    const shown: number[] = []
    await collector.warmUp((rows) => shown.push(rows.length))
    expect(shown).toEqual([200, 200, 200])
    const [low, mean, high] = collector.inputsOf(Float32Array.of(90, 100, 1000))
    expectClose([low!, mean!], [-1, 0], { atol: 0.15 })
    expect(high).toBe(5)
    network.dispose()
  })

  it('a bonus that learns from no sample keeps its weights while the agent learns', async () => {
    const agent = await createAgent(rnd({ updateProportion: 0 }).apply(ppo(treadmill('truncated'), quick)))
    const weights = () => agent.bonuses[0]!.variables.map((variable) => [...variable.dataSync()])
    const policy = () => agent.network.variables.map((variable) => [...variable.dataSync()])
    const [before, policyBefore] = [weights(), policy()]
    await agent.update(0)
    expect(weights()).toEqual(before)
    expect(policy()).not.toEqual(policyBefore)
    agent.dispose()
  })
})
