import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { rnd } from '../bonuses/rnd'
import { gridWorld } from '../grid-world/grid-world'
import { SavableRandom } from '../networks/random'
import { recurrentNetwork } from '../networks/recurrent'
import type { VectorEnv } from '../vector-env'
import { createAgent } from './agent'
import { createCollector } from './collector'
import { minibatches } from './minibatches'
import { policyHead } from './policy-head'
import { ppo } from './ppo'
import { trainAgent } from './train-agent'

/** A sign is shown once, and asked for `delay` steps later; nothing in between tells it. Steps do not end by themselves. */
function recall(numEnvs: number, delay: number): VectorEnv {
  const random = new SavableRandom(1)
  const signs = new Int8Array(numEnvs)
  const steps = new Int32Array(numEnvs)
  const begin = (i: number) => {
    signs[i] = random.uniform() < 0.5 ? -1 : 1
    steps[i] = 0
  }
  const observe = () => Float32Array.from(signs, (sign, i) => (steps[i] === 0 ? sign : 0))
  return {
    numEnvs,
    observationSpace: { type: 'box', shape: [1], dtype: 'float32', low: -1, high: 1 },
    actionSpace: { type: 'discrete', n: 2 },
    reset() {
      for (let i = 0; i < numEnvs; i++) begin(i)
      return observe()
    },
    step(actions) {
      const rewards = new Float32Array(numEnvs)
      const terminated = new Uint8Array(numEnvs)
      for (let i = 0; i < numEnvs; i++)
        if (++steps[i]! > delay) {
          rewards[i] = actions[i] === (signs[i]! > 0 ? 1 : 0) ? 1 : 0
          terminated[i] = 1
        }
      const finalObservations = observe()
      for (let i = 0; i < numEnvs; i++) if (terminated[i]) begin(i)
      return {
        observations: observe(),
        rewards,
        terminated,
        truncated: new Uint8Array(numEnvs),
        finalObservations,
      }
    },
    close() {},
  }
}

const small = {
  hidden: [8],
  recurrentUnits: 8,
  numSteps: 16,
  warmupRollouts: 1,
  normalizeObservations: false,
}
const cells = ['lstm', 'gru'] as const

describeBackends('a recurrent policy', () => {
  it('remembers what a feed-forward one cannot know', async () => {
    const success = async (recurrent?: 'lstm' | 'gru') => {
      const setup = ppo(recall(32, 2), {
        ...small,
        recurrent,
        numSteps: 12,
        numMinibatches: 2,
        updateEpochs: 4,
        learningRate: 2e-2,
        gamma: 0.95,
        clip: 0.2,
      })
      const { agent, history } = await trainAgent(setup, { totalSteps: 32 * 12 * 25, seed: 2 })
      agent.dispose()
      return history.at(-1)!.successRate
    }
    for (const cell of cells) expect(await success(cell)).toBeGreaterThan(0.95)
    expect(await success()).toBeLessThan(0.7)
  })

  it.each(cells)('%s: learns from the probabilities that it acted with', async (recurrent) => {
    // Episodes end within rollouts and within sequences; the divergence is that before the first step of learning.
    const env = recall(6, 4)
    const learn = { numMinibatches: 1, updateEpochs: 1, sequenceLength: 8, learningRate: 0.05 }
    const agent = await createAgent(ppo(env, { ...small, ...learn, recurrent }), { seed: 3 })
    for (let k = 0; k < 3; k++) expectClose([(await agent.update(0)).approximateKl], [0], { atol: 1e-6 })
    agent.dispose()
  })

  it.each(cells)(
    '%s: a run that was saved and resumed continues as the one that was not',
    async (recurrent) => {
      const make = () =>
        rnd().apply(
          ppo(gridWorld('MemoryS7-v0', { numEnvs: 4, seed: 3 }), {
            ...small,
            recurrent,
            numMinibatches: 2,
            updateEpochs: 2,
            sequenceLength: 8,
          }),
        )
      const whole = await trainAgent(make(), { totalSteps: 64 * 4, seed: 7 })
      let saved: unknown
      const first = await trainAgent(make(), {
        totalSteps: 64 * 4,
        seed: 7,
        onUpdate: async ({ update }, agent) => {
          if (update < 2) return
          saved = structuredClone(await agent.save())
          return false
        },
      })
      const rest = await trainAgent(make(), { totalSteps: 64 * 4, seed: 7, resumeFrom: saved as never })
      const curve = (history: typeof whole.history) => history.map(({ stepsPerSecond, ...report }) => report)
      expect(curve([...first.history, ...rest.history])).toEqual(curve(whole.history))
      for (const { agent } of [whole, first, rest]) agent.dispose()
    },
  )

  it('acts with a memory of its own, which blank means an episode that begins', async () => {
    const agent = await createAgent(ppo(recall(2, 4), { ...small, recurrent: 'gru', numMinibatches: 2 }))
    const memory = agent.newMemory(3)
    await agent.act(Float32Array.of(1, -1, 0), true, memory)
    expect([...memory].some((value) => value !== 0)).toBe(true)
    await expect(agent.act(Float32Array.of(1, -1, 0), true)).rejects.toThrow(
      'ppo: `memory` must come from newMemory(3): the policy is recurrent. Received 0 values.',
    )
    agent.dispose()
  })

  it('values the last observation of a cut episode by what was remembered there', async () => {
    const env = recall(2, 100)
    let step = 0
    const cutting: VectorEnv = {
      ...env,
      async step(actions) {
        const result = await env.step(actions)
        const truncated = Uint8Array.of(Number(++step % 3 === 0), 0)
        return { ...result, truncated, finalObservations: Float32Array.of(5, 5) }
      },
    }
    const setup = ppo(cutting, { ...small, recurrent: 'lstm', numSteps: 4, numMinibatches: 2 })
    const head = policyHead(env.actionSpace)
    const network = recurrentNetwork({
      cell: 'lstm',
      units: 8,
      sizes: [1],
      outputs: 3,
      random: new SavableRandom(4),
    })
    const collector = createCollector(setup, network, head, 1, new SavableRandom(5))
    await collector.warmUp(() => {})
    step = 0
    await collector.collect()
    const { rollout } = collector
    expect([...rollout.truncated]).toEqual([0, 0, 0, 0, 1, 0, 0, 0])
    const { final } = await collector.bootstrap()
    // Environment 0, by hand: three observations, then the last one.
    let memory: Float32Array = new Float32Array(16)
    for (const row of [0, 2, 4])
      memory = (await collector.forward(rollout.inputs.slice(row, row + 1), memory)).memory
    const { outputs } = await collector.forward(Float32Array.of(5), memory)
    expectClose(final[0]!, [0, 0, 0, 0, outputs[2]!, 0, 0, 0])
    // The episode that follows begins blank.
    expect([...rollout.memories.slice(6 * 16, 7 * 16)]).toEqual(Array(16).fill(0))
    network.dispose()
  })

  it('leaves no tensor behind', async () => {
    await expectNoTensorLeak(async () => {
      const { agent } = await trainAgent(
        ppo(recall(4, 3), { ...small, recurrent: 'lstm', numMinibatches: 2 }),
        {
          totalSteps: 128,
        },
      )
      agent.dispose()
    })
  })
})

describe('minibatches', () => {
  const random = new SavableRandom(1)
  it('of single rows deal every row once an epoch', () => {
    const deal = minibatches({ numSteps: 6, numEnvs: 2, memorySize: 0 }, { numMinibatches: 5, random })
    for (let epoch = 0; epoch < 2; epoch++) {
      const dealt = [...deal()].flatMap(({ rows }) => [...rows])
      expect(dealt.sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, k) => k))
    }
  })

  it('of sequences deal stretches of one environment in the order of time', () => {
    const sizes = { numSteps: 6, numEnvs: 2, memorySize: 1 }
    const dealt = [...minibatches(sizes, { numMinibatches: 2, sequenceLength: 3, random })()]
    expect(dealt.map(({ sequences }) => sequences)).toEqual([2, 2])
    const stretches = dealt.flatMap(({ rows, sequences }) =>
      Array.from({ length: sequences }, (_, s) => [0, 1, 2].map((t) => rows[t * sequences + s])),
    )
    expect(stretches.sort((a, b) => a[0]! - b[0]!)).toEqual([
      [0, 2, 4],
      [1, 3, 5],
      [6, 8, 10],
      [7, 9, 11],
    ])
  })

  it('of sequences must fit the rollout', () => {
    const make = (options: object) => () => ppo(recall(2, 4), { ...small, recurrent: 'lstm', ...options })
    expect(make({ sequenceLength: 5 })).toThrow('`sequenceLength` must be a divisor of numSteps=16')
    expect(make({ numMinibatches: 4 })).toThrow(
      'ppo: `numMinibatches` must not exceed the sequences of a rollout. Received numMinibatches=4, 2 sequences.',
    )
    expect(() => ppo(recall(2, 4), { recurrent: 'rnn' as never, numMinibatches: 2 })).toThrow(
      "`recurrent` must be 'lstm' or 'gru'",
    )
  })
})
