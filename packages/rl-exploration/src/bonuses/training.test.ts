/** Bonuses that are trained for a while: apart from the rest, since WebGPU on a processor takes minutes for it. */
import { describeBackends } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import type { BonusOptions } from './define-bonus'
import { disagreement } from './disagreement'
import { e3b } from './e3b'
import { icm } from './icm'
import { ngu } from './ngu'
import { pseudoCounts } from './pseudo-counts'
import { context, walk } from './random-walk.fixture'
import { ride } from './ride'
import { rnd } from './rnd'

const learning = Object.entries({ rnd, icm, ride, ngu, e3b, pseudoCounts, disagreement }) as [
  string,
  (options?: BonusOptions) => ReturnType<typeof rnd>,
][]

describeBackends('a bonus that learns', () => {
  it.each(learning)('%s: its loss falls when it is trained', async (_, make) => {
    const bonus = make({ learningRate: 1e-2 }).create(context)
    bonus.observe(walk(1).observations)
    const first = await bonus.update(walk(1))
    let last = first
    for (let k = 0; k < 60; k++) last = await bonus.update(walk(1))
    expect(last).toBeLessThan(0.8 * first)
    bonus.dispose()
  })

  it('curiosity falls where it was satisfied: novel rows keep the larger rewards', async () => {
    const bonus = rnd({ normalize: 'none', learningRate: 3e-3 }).create(context)
    const known = walk(1)
    bonus.observe(known.nextObservations)
    for (let k = 0; k < 100; k++) await bonus.update(known)
    const novel = { ...known, nextObservations: known.nextObservations.map((v) => 2 - v + 0.5) }
    const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length
    expect(mean(await bonus.reward(novel))).toBeGreaterThan(3 * mean(await bonus.reward(known)))
    bonus.dispose()
  })
})
