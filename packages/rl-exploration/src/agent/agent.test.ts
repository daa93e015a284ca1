import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { compose, type Method } from '@tfgraft/core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { episodicCount } from '../bonuses/episodic-count'
import { icm } from '../bonuses/icm'
import { rnd } from '../bonuses/rnd'
import { gae } from '../functional/gae'
import { gridWorld } from '../grid-world/grid-world'
import { mlp } from '../networks/network'
import { clippedAdam } from '../networks/optimizer'
import { SavableRandom } from '../networks/random'
import type { VectorEnv } from '../vector-env'
import { createAgent } from './agent'
import type { AgentSetup } from './agent-setup'
import { flattenObservations } from './flatten'
import { policyHead } from './policy-head'
import { ppo } from './ppo'
import { combineStreams, minibatchLoss } from './ppo-update'
import { createRollout } from './rollout'
import { trainAgent } from './train-agent'

/** A corridor of `length` places: right is rewarded at its end; a time limit cuts after `limit` steps. */
function corridor(numEnvs: number, length: number, limit = 50): VectorEnv {
  const place = new Int32Array(numEnvs)
  const steps = new Int32Array(numEnvs)
  const observe = () => Float32Array.from(place, (p) => p / length)
  return {
    numEnvs,
    observationSpace: { type: 'box', shape: [1], dtype: 'float32', low: 0, high: 1 },
    actionSpace: { type: 'discrete', n: 2 },
    reset() {
      place.fill(0)
      steps.fill(0)
      return observe()
    },
    step(actions) {
      const rewards = new Float32Array(numEnvs)
      const terminated = new Uint8Array(numEnvs)
      const truncated = new Uint8Array(numEnvs)
      for (let i = 0; i < numEnvs; i++) {
        place[i] = Math.max(0, place[i]! + (actions[i] === 1 ? 1 : -1))
        steps[i]! += 1
        if (place[i] === length) [rewards[i], terminated[i]] = [1, 1]
        if (steps[i]! >= limit) truncated[i] = 1
      }
      const finalObservations = observe()
      for (let i = 0; i < numEnvs; i++) if (terminated[i] || truncated[i]) [place[i], steps[i]] = [0, 0]
      return { observations: observe(), rewards, terminated, truncated, finalObservations }
    },
    close() {},
  }
}

const quick = { numSteps: 16, numMinibatches: 2, updateEpochs: 2, warmupRollouts: 1, learningRate: 3e-3 }

describeBackends('ppo', () => {
  it('learns to walk down a corridor', async () => {
    const setup = ppo(corridor(16, 5), {
      ...quick,
      numSteps: 32,
      updateEpochs: 4,
      learningRate: 1e-2,
      gamma: 0.95,
    })
    const { agent, history } = await trainAgent(setup, { totalSteps: 16 * 32 * 25, seed: 1 })
    expect(history.at(-1)!.meanLength).toBeLessThan(7)
    expect([...(await agent.act(Float32Array.of(0, 0.5), true))]).toEqual([1, 1])
    agent.dispose()
  })

  it('a run that was saved and resumed continues as the one that was not', async () => {
    const make = () =>
      compose(rnd({ updateProportion: 0.5 }), episodicCount()).apply(
        ppo(gridWorld('DoorKey-5x5-v0', { numEnvs: 4, seed: 3 }), quick),
      )
    const whole = await trainAgent(make(), { totalSteps: 64 * 6, seed: 7 })
    let saved: unknown
    const first = await trainAgent(make(), {
      totalSteps: 64 * 6,
      seed: 7,
      onUpdate: async ({ update }, agent) => {
        if (update < 3) return
        saved = structuredClone(await agent.save())
        return false
      },
    })
    const rest = await trainAgent(make(), { totalSteps: 64 * 6, seed: 7, resumeFrom: saved as never })
    const curve = (history: typeof whole.history) =>
      history.map(({ policyLoss, valueLoss, entropy, bonuses }) => ({
        policyLoss,
        valueLoss,
        entropy,
        bonuses,
      }))
    expect(curve([...first.history, ...rest.history])).toEqual(curve(whole.history))
    for (const { agent } of [whole, first, rest]) agent.dispose()
  })

  it('each of several bonuses learns from its own share of the samples', async () => {
    const shares = async (...methods: Method<AgentSetup>[]) => {
      const seen: Record<string, number> = {}
      const env = gridWorld('Empty-5x5-v0', { numEnvs: 4, seed: 1 })
      const agent = await createAgent(compose(...methods).apply(ppo(env, quick)))
      for (const bonus of agent.bonuses) {
        const { loss } = bonus
        if (loss)
          bonus.loss = (batch) => {
            seen[bonus.name] = (seen[bonus.name] ?? 0) + batch.mask.size
            return loss(batch)
          }
      }
      await agent.update(0)
      agent.dispose()
      return seen
    }
    const samples = 4 * quick.numSteps * quick.updateEpochs
    // Counts learn nothing, and icm learns from all: neither makes rnd do so.
    const { rnd: ofRnd, icm: ofIcm } = await shares(rnd({ updateProportion: 0.25 }), icm(), episodicCount())
    expect(ofIcm).toBe(samples)
    expect(ofRnd).toBeGreaterThan(0)
    expect(ofRnd).toBeLessThan(samples / 2)
    const shared = await shares(rnd({ updateProportion: 0.5 }), icm({ updateProportion: 0.5 }))
    expect(shared.icm).toBe(shared.rnd)
  })

  it('two bonuses of one kind are told apart in reports', async () => {
    const env = gridWorld('Empty-5x5-v0', { numEnvs: 4, seed: 1 })
    const twice = compose(episodicCount(), episodicCount({ normalize: 'min-max' }))
    const { agent, history } = await trainAgent(twice.apply(ppo(env, quick)), { totalSteps: 64 })
    const { bonuses } = history[0]!
    expect(Object.keys(bonuses)).toEqual(['episodicCount', 'episodicCount 2'])
    expect(bonuses['episodicCount 2']).toBeGreaterThan(0)
    agent.dispose()
  })

  it('a state of other bonuses, or of another world, is refused', async () => {
    const make = (world: 'Empty-5x5-v0' | 'DoorKey-5x5-v0', method: Method<AgentSetup>) =>
      createAgent(method.apply(ppo(gridWorld(world, { numEnvs: 4, seed: 1 }), quick)))
    const agent = await make('Empty-5x5-v0', rnd())
    const state = await agent.save()
    const [curious, elsewhere] = [await make('Empty-5x5-v0', icm()), await make('DoorKey-5x5-v0', rnd())]
    await expect(curious.load(state)).rejects.toThrow(
      'ppo: the state must have the bonuses of the setup: icm. Received rnd.',
    )
    await expect(elsewhere.load(state)).rejects.toThrow(
      'gridWorld: the state must come from DoorKey-5x5-v0. Received that of Empty-5x5-v0.',
    )
    for (const each of [agent, curious, elsewhere]) each.dispose()
  })

  it('the same seed gives the same run', async () => {
    const run = async () => {
      const env = gridWorld('Empty-5x5-v0', { numEnvs: 4, seed: 1 })
      const { agent, history } = await trainAgent(rnd().apply(ppo(env, quick)), { totalSteps: 128, seed: 5 })
      agent.dispose()
      return history.map(({ stepsPerSecond, ...report }) => ({
        ...report,
        stepsPerSecond: stepsPerSecond > 0,
      }))
    }
    expect(await run()).toEqual(await run())
  })

  it('leaves no tensor behind', async () => {
    await expectNoTensorLeak(async () => {
      const env = gridWorld('Empty-5x5-v0', { numEnvs: 4, seed: 1 })
      const { agent } = await trainAgent(
        rnd({ updateProportion: 0.3 }).apply(ppo(env, { ...quick, targetKl: 1 })),
        {
          totalSteps: 128,
        },
      )
      await agent.act(env.reset())
      agent.dispose()
    })
  })

  it('stops epochs when the policy has moved too far', async () => {
    const env = gridWorld('Empty-5x5-v0', { numEnvs: 4, seed: 1 })
    const agent = await createAgent(
      ppo(env, { ...quick, updateEpochs: 5, targetKl: 1e-9, learningRate: 0.05 }),
    )
    expect((await agent.update(0)).epochs).toBe(1)
    agent.dispose()
  })

  it('anneals the learning rate', async () => {
    const { agent, history } = await trainAgent(ppo(corridor(4, 5), quick), { totalSteps: 64 * 4 })
    expectClose(
      history.map((update) => update.learningRate),
      [3e-3, 2.25e-3, 1.5e-3, 0.75e-3],
    )
    agent.dispose()
  })

  it("works with the user's own LayersModel, and rejects one with wrong columns", async () => {
    const model = (columns: number) => {
      const input = layers.input({ shape: [7, 7, 3] })
      const flat = layers.layers.flatten().apply(input)
      const policy = layers.layers.dense({ units: 7 }).apply(flat)
      const values = layers.layers.dense({ units: columns - 7 }).apply(flat)
      return layers.model({ inputs: input, outputs: [policy, values] as layers.SymbolicTensor[] })
    }
    const env = gridWorld('Empty-5x5-v0', { numEnvs: 4, seed: 1 })
    const network = ({ policySize, numStreams }: { policySize: number; numStreams: number }) =>
      model(policySize + numStreams)
    const { agent, history } = await trainAgent(rnd().apply(ppo(env, { ...quick, network })), {
      totalSteps: 64,
    })
    expect(history[0]!.valueLoss).toBeGreaterThan(0)
    agent.dispose()
    const wrong = await createAgent(ppo(env, { ...quick, network: () => model(9) }))
    await expect(wrong.update(0)).rejects.toThrow(
      '`network` must give 8 columns (policy 7, values 1). Received 9',
    )
    wrong.dispose()
  })

  it('acts in continuous spaces', async () => {
    const base = corridor(4, 5)
    const env: VectorEnv = {
      ...base,
      actionSpace: { type: 'box', shape: [2], dtype: 'float32', low: -1, high: 1 },
      step: (actions) => base.step(Int32Array.from({ length: 4 }, (_, i) => Number(actions[2 * i]! > 0))),
    }
    const { agent, history } = await trainAgent(ppo(env, quick), { totalSteps: 128 })
    expect(Number.isFinite(history.at(-1)!.policyLoss)).toBe(true)
    agent.dispose()
  })

  it('a minibatch whose policy has not moved has ratio 1: the policy loss is minus the mean advantage', () => {
    tf.tidy(() => {
      const head = policyHead({ type: 'discrete', n: 3 })
      const network = mlp({ sizes: [2, 4], random: new SavableRandom(1) })
      const { options } = ppo(corridor(4, 5), {
        normalizeAdvantages: false,
        entropyCoefficient: 0,
        valueCoefficient: 0,
      })
      const inputs = tf.tensor2d([1, 2, 3, 4], [2, 2])
      const actions = tf.tensor1d([2, 0], 'int32')
      const columns = tf.slice2d(network.apply(inputs), [0, 0], [2, 3])
      const { loss, parts } = minibatchLoss(
        { network, head, bonuses: [], options },
        {
          inputs,
          actions,
          oldLogProbs: head.distribution(columns).logProb(actions),
          advantages: tf.tensor1d([1, 3]),
          returns: tf.zeros([2, 1]),
          oldValues: tf.zeros([2, 1]),
          experience: [],
        },
      )
      expectClose(loss, [-2])
      expectClose([parts.dataSync()[3]!], [0])
      network.dispose()
    })
  })

  it('clips by the global norm as PyTorch does, then steps as Adam', () => {
    const x = tf.variable(tf.tensor1d([3, 4]))
    const adam = clippedAdam([x], { learningRate: 0.1, maxGradNorm: 1, epsilon: 1e-5 })
    for (let k = 0; k < 3; k++)
      adam.minimize(() => tf.sum(tf.mul(x, tf.tensor1d([3, 4]))) as tf.Scalar).dispose()
    // A constant gradient of norm 5, scaled to (0.6, 0.8): corrected moments are constant.
    const move = (g: number) => (3 * 0.1 * g) / (g + 1e-5)
    expectClose(x, [3 - move(0.6), 4 - move(0.8)])
    adam.dispose()
    x.dispose()
  })
})

describe('streams', () => {
  const head = policyHead({ type: 'discrete', n: 2 })

  it('are estimated apart and added by their coefficients', () => {
    const rollout = createRollout({ numSteps: 2, numEnvs: 1, observationSize: 1, numStreams: 2 }, head)
    rollout.rewards.set([1, 2])
    rollout.values[0]!.set([0.5, 0.25])
    rollout.values[1]!.set([0.1, 0.2])
    rollout.ended.set([0, 1])
    const streams = [
      {
        rewards: rollout.rewards,
        gamma: 0.9,
        episodic: true,
        coefficient: 2,
        nextValues: Float32Array.of(3),
      },
      {
        rewards: Float32Array.of(4, 5),
        gamma: 0.8,
        episodic: false,
        coefficient: 0.5,
        nextValues: Float32Array.of(6),
      },
    ]
    const { advantages, returns } = combineStreams(rollout, streams, 0.95)
    const apart = streams.map((stream, k) =>
      gae({ ...stream, values: rollout.values[k]!, dones: [0, 0], nextDones: [1], lambda: 0.95 }),
    )
    expectClose(
      advantages,
      [0, 1].map((t) => 2 * apart[0]!.advantages[t]! + 0.5 * apart[1]!.advantages[t]!),
    )
    expectClose(returns[1]!, apart[1]!.returns)
  })
})

describe('acting', () => {
  it('draws actions with the probabilities of the policy, and reports their logarithms', () => {
    const head = policyHead({ type: 'discrete', n: 3, start: 5 })
    const outputs = Float32Array.of(9, Math.log(1), Math.log(2), Math.log(5))
    const random = new SavableRandom(3)
    const counts = [0, 0, 0]
    const actions = new Int32Array(1)
    for (let k = 0; k < 8000; k++) {
      const logProb = head.act(outputs, 1, actions, 0, random)
      const chosen = actions[0]! - 5
      counts[chosen]!++
      expect(logProb).toBeCloseTo(Math.log([1, 2, 5][chosen]! / 8), 5)
    }
    expectClose(counts, [1000, 2000, 5000], { rtol: 0.08 })
    head.act(outputs, 1, actions, 0)
    expect(actions[0]).toBe(7)
  })

  it('flattens dict observations in the order of the space', () => {
    const space = {
      type: 'dict',
      spaces: {
        a: { type: 'box', shape: [2], dtype: 'float32', low: 0, high: 1 },
        b: { type: 'discrete', n: 4 },
      },
    } as const
    const out = new Float32Array(6)
    flattenObservations({ a: Float32Array.of(1, 2, 3, 4), b: Int32Array.of(8, 9) }, space, 2, out)
    expect([...out]).toEqual([1, 2, 8, 3, 4, 9])
    expect(() => flattenObservations({ a: new Float32Array(4) }, space, 2, out)).toThrow('no entry "b"')
    const none: unknown = undefined
    expect(() => flattenObservations(none as Float32Array, space.spaces.a, 2, out)).toThrow(
      'flattenObservations: an observation must be a typed array. Received undefined.',
    )
  })

  it('rejects options that make no sense', () => {
    const env = corridor(4, 5)
    expect(() => ppo(env, { gamma: 1.5 })).toThrow('ppo: `gamma` must be within 0 and 1. Received gamma=1.5.')
    expect(() => ppo(env, { numSteps: 0 })).toThrow('`numSteps` must be a positive integer')
    expect(() => ppo(env, { numSteps: 1, numMinibatches: 8 })).toThrow('finds a minibatch of two or more')
    expect(() => ppo({ ...env, autoreset: 'off' })).toThrow('Received autoreset=off')
    const misspelt: object = { learningrate: 1 }
    expect(() => ppo(env, misspelt)).toThrow(
      'ppo: there is no option `learningrate`. Choose from learningRate, annealLearningRate,',
    )
    expect(() => policyHead({ type: 'multi-discrete', nvec: [2] })).toThrow('Received multi-discrete')
  })
})
