import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { describe, expect, it } from 'vitest'
import { ppo } from '../agent/ppo'
import { trainAgent } from '../agent/train-agent'
import { gridWorld } from '../grid-world/grid-world'
import { SavableRandom } from '../networks/random'
import type { Experience } from './bonus'
import { type BonusOptions, minMax } from './define-bonus'
import { disagreement } from './disagreement'
import { e3b, ellipticalBonus } from './e3b'
import { episodicCount } from './episodic-count'
import { EpisodicMemory } from './episodic-memory'
import { icm } from './icm'
import { ngu } from './ngu'
import { pseudoCounts } from './pseudo-counts'
import { context, walk } from './random-walk.fixture'
import { nearestDistances, re3 } from './re3'
import { ride } from './ride'
import { type RndOptions, rnd, rndLoss, rndReward } from './rnd'
import { EpisodicVisits, hashRows } from './visits'

const bonuses = { rnd, icm, ride, ngu, re3, e3b, pseudoCounts, disagreement, episodicCount }
const table = Object.entries(bonuses) as [string, (options?: BonusOptions) => ReturnType<typeof rnd>][]
const learning = table.filter(([name]) => name !== 're3' && name !== 'episodicCount')

describeBackends('every bonus', () => {
  it.each(table)(
    '%s: gives finite rewards, one per transition, and leaves no tensor behind',
    async (_, make) => {
      await expectNoTensorLeak(async () => {
        const bonus = make().create(context)
        const experience = walk(1)
        bonus.observe(experience.observations)
        const rewards = await bonus.reward(experience)
        expect(rewards).toHaveLength(24)
        expect(rewards.every((r) => Number.isFinite(r) && r >= 0)).toBe(true)
        expect(Math.max(...rewards)).toBeGreaterThan(0)
        await bonus.update(experience)
        await bonus.save()
        bonus.dispose()
      })
    },
  )

  it.each(table)('%s: goes on after save and load as if nothing had happened', async (_, make) => {
    const options = { updateProportion: 0.7, firstVisitOnly: true }
    const [a, b] = [make(options).create(context), make(options).create({ ...context, seed: 6 })]
    for (const bonus of [a]) {
      bonus.observe(walk(1).observations)
      await bonus.reward(walk(1))
      await bonus.update(walk(1))
    }
    b.load(structuredClone(await a.save()))
    for (const seed of [2, 3]) {
      expect(await b.reward(walk(seed))).toEqual(await a.reward(walk(seed)))
      expect(await b.update(walk(seed))).toBe(await a.update(walk(seed)))
    }
    a.dispose()
    b.dispose()
  })

  it.each(table)('%s: trains with an agent', async (name, make) => {
    const env = gridWorld('DoorKey-5x5-v0', { numEnvs: 4, seed: 1 })
    const setup = make().apply(
      ppo(env, { numSteps: 16, numMinibatches: 2, updateEpochs: 1, warmupRollouts: 1 }),
    )
    const { agent, history } = await trainAgent(setup, { totalSteps: 128 })
    const report = history.at(-1)!
    expect(Number.isFinite(report.policyLoss + report.bonusLosses[0]!)).toBe(true)
    expect(report.bonuses[name]).toBeGreaterThanOrEqual(0)
    agent.dispose()
  })

  it.each(learning)('%s: works with continuous actions', async (_, make) => {
    const bonus = make().create({ ...context, discrete: false, numActions: 2 })
    const experience = { ...walk(1), actions: Float32Array.from({ length: 48 }, (_, i) => Math.sin(i)) }
    await bonus.reward(experience)
    expect(Number.isFinite(await bonus.update(experience))).toBe(true)
    bonus.dispose()
  })

  it('the predictor of rnd learns from the observations after each step, or from those before when asked', async () => {
    const experience = walk(1)
    const moved = (key: 'observations' | 'nextObservations'): Experience => ({
      ...experience,
      [key]: experience[key].map((v) => 2 - v),
    })
    const loss = async (learnFrom: RndOptions['learnFrom'], given: Experience) => {
      const bonus = rnd({ learnFrom }).create(context)
      bonus.observe(experience.observations)
      const value = await bonus.update(given)
      bonus.dispose()
      return value
    }
    for (const [used, other] of [
      ['nextObservations', 'observations'],
      ['observations', 'nextObservations'],
    ] as const) {
      expect(await loss(used, moved(other))).toBe(await loss(used, experience))
      expect(await loss(used, moved(used))).not.toBeCloseTo(await loss(used, experience), 4)
    }
    expect(() => rnd({ learnFrom: 'before' as 'observations' })).toThrow(
      "rnd: `learnFrom` must be 'nextObservations' or 'observations'. Received learnFrom=before.",
    )
  })

  it('rnd reward and loss are those of the definition, masked samples left out', () => {
    tf.tidy(() => {
      const target = tf.tensor2d([1, 2, 3, 4], [2, 2])
      const prediction = tf.tensor2d([0, 0, 3, 6], [2, 2])
      expectClose(rndReward(target, prediction), [2.5, 2])
      expectClose(rndLoss(target, prediction), [2.25])
      expectClose(rndLoss(target, prediction, tf.tensor1d([0, 1])), [2])
      expectClose(rndLoss(target, prediction, tf.tensor1d([0, 0])), [0])
    })
  })
})

describe('options of every bonus', () => {
  const onCounts = (options: BonusOptions) =>
    episodicCount(options).create({ ...context, observationSize: 1 })
  const experience: Experience = {
    numSteps: 3,
    numEnvs: 2,
    observations: new Float32Array(6),
    nextObservations: Float32Array.of(1, 5, 1, 6, 2, 5),
    actions: new Int32Array(6),
    ended: Uint8Array.of(0, 0, 0, 1, 0, 0),
  }

  it('counts pay first visits in an episode, less with every episode that paid them', async () => {
    const bonus = onCounts({})
    const root = (n: number) => Math.fround(1 / Math.sqrt(n))
    expect([...(await bonus.reward(experience))]).toEqual([1, 1, 0, 1, 1, root(2)])
    // Environment 0 is still in its episode; environment 1 has seen 5 in this one.
    expect([...(await bonus.reward(experience))]).toEqual([0, 0, 0, root(2), 0, root(3)])
  })

  it('the coefficient decays', () => {
    const bonus = onCounts({ coefficient: 2, decay: 0.5 })
    expect([0, 1, 3].map((step) => bonus.coefficient(step))).toEqual([2, 1, 0.25])
  })

  it('min-max maps rewards onto 0 to 1', async () => {
    expect([...minMax(Float32Array.of(2, 4, 3))]).toEqual([0, 1, 0.5])
    expect([...minMax(Float32Array.of(2, 2))]).toEqual([0, 0])
    const rewards = await onCounts({ normalize: 'min-max' }).reward(experience)
    expect([Math.min(...rewards), Math.max(...rewards)]).toEqual([0, 1])
  })

  it('first visits only: repeated observations of an episode earn nothing', () => {
    const visits = new EpisodicVisits(2)
    expect(visits.firstVisits(experience)).toEqual([true, true, false, true, true, true])
  })

  it('observations are told apart by all their bits', () => {
    const rows = Float32Array.of(1, 2, 1, 3, 1, 2, 2, 1)
    const [a, b, c, d] = hashRows(rows, 2, new Float64Array(4))
    expect(a).toBe(c)
    expect(new Set([a, b, d]).size).toBe(3)
  })

  it('reject what makes no sense', async () => {
    expect(() => rnd({ coefficient: -1 })).toThrow(
      'rnd: `coefficient` must be 0 or more. Received coefficient=-1.',
    )
    const misspelt: object = { coeficient: 1 }
    for (const [name, make] of table)
      expect(() => make(misspelt)).toThrow(
        `${name}: there is no option \`coeficient\`. Choose from coefficient,`,
      )
    expect(() => icm({ gamma: 2 })).toThrow('icm: `gamma` must be within 0 and 1. Received gamma=2.')
    expect(() => icm({ forwardWeight: 2 })).toThrow('icm: `forwardWeight`')
    expect(() => e3b({ ridge: 0 })).toThrow('e3b: `ridge` must be above 0. Received ridge=0.')
    expect(() => re3({ pool: 2 })).toThrow('re3: `pool` must be more than `neighbors`.')
    expect(() => disagreement({ models: 1 })).toThrow(
      'disagreement: `models` must be 2 or more. Received models=1.',
    )
    expect(() => ngu({ maxModulation: 0 })).toThrow('ngu: `maxModulation`')
    expect(() => pseudoCounts({ neighbors: 0 })).toThrow(
      'EpisodicMemory: `neighbors` must be a positive integer.',
    )
    expect(() => rnd({ normalize: 'max' as 'rms' })).toThrow('Received normalize=max.')
    await expect(onCounts({}).reward({ ...experience, numEnvs: 3 })).rejects.toThrow(
      'experience must hold 1 values',
    )
    const count = onCounts({})
    expect(() => count.load({ name: 'rnd' })).toThrow('the state is that of another bonus. Received rnd.')
  })
})

describe('parts of bonuses', () => {
  it('the elliptical bonus keeps the inverse of sum phi phi + lambda I, and is its quadratic form', () => {
    const n = 3
    const ridge = 0.5
    const inverse = new Float64Array(9)
    const c = new Float64Array(9)
    for (let i = 0; i < n; i++) [inverse[i * n + i], c[i * n + i]] = [1 / ridge, ridge]
    const random = new SavableRandom(2)
    for (let k = 0; k < 5; k++) {
      const phi = Float64Array.from({ length: n }, () => random.normal())
      let form = 0
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) form += phi[i]! * inverse[i * n + j]! * phi[j]!
      expect(ellipticalBonus(inverse, phi)).toBeCloseTo(form, 10)
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) c[i * n + j]! += phi[i]! * phi[j]!
    }
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        let product = 0
        for (let l = 0; l < n; l++) product += c[i * n + l]! * inverse[l * n + j]!
        expect(product).toBeCloseTo(Number(i === j), 10)
      }
  })

  it('the episodic memory counts what is alike, and forgets with the episode', () => {
    const memory = new EpisodicMemory(2)
    const [same, other] = [Float32Array.of(1, 0), Float32Array.of(0, 5)]
    expect(memory.visit(0, same)).toBe(1)
    expect(memory.visit(0, other)).toBeGreaterThan(5)
    const again = [memory.visit(0, same), memory.visit(0, same)]
    expect(again[0]).toBeCloseTo(1 / (1 + 1e-3), 2)
    expect(again[1]).toBeCloseTo(1 / (Math.SQRT2 + 1e-3), 2)
    expect(memory.visit(1, same)).toBe(1)
    memory.forget(0)
    expect(memory.visit(0, same)).toBe(1)
  })

  it('distances to the k-th nearest leave the row itself out', () => {
    const rows = Float32Array.of(0, 0, 3, 4, 0, 1)
    expect([...nearestDistances(rows, 2, Int32Array.of(0, 1, 2), 1)]).toEqual([
      1,
      Math.fround(Math.sqrt(18)),
      1,
    ])
    expect(nearestDistances(rows, 2, Int32Array.of(0, 1, 2), 2)[0]).toBe(5)
  })
})
