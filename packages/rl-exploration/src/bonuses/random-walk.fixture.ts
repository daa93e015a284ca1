/** A small world for the tests of bonuses, and random rollouts in it. */
import { SavableRandom } from '../networks/random'
import type { BonusContext, Experience } from './bonus'

const SIZE = 4
export const context: BonusContext = {
  observationSize: SIZE,
  numActions: 3,
  discrete: true,
  numEnvs: 2,
  seed: 5,
}

/** A rollout of a random walk among corners of a cube, with ends in the middle. */
export function walk(seed: number, numSteps = 12): Experience {
  const random = new SavableRandom(seed)
  const rows = numSteps * 2
  const observations = Float32Array.from({ length: rows * SIZE }, () => random.integer(3))
  const nextObservations = Float32Array.from({ length: rows * SIZE }, () => random.integer(3))
  return {
    numSteps,
    numEnvs: 2,
    observations,
    nextObservations,
    actions: Int32Array.from({ length: rows }, () => random.integer(3)),
    ended: Uint8Array.from({ length: rows }, (_, row) => Number(row === 9 || row === 14)),
  }
}
