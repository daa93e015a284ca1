/** What an agent's bonuses pay for an episode, without a trace in their state. */
import type { Experience } from '../bonuses/bonus'
import type { Agent } from './agent'
import { bonusNames } from './bonus-names'

/** One step of all worlds of a batch. */
export interface PlayedStep {
  /** `[numEnvs * observationSize]` before and after: after an end, the last ones of the episode. */
  observations: Float32Array
  nextObservations: Float32Array
  actions: Int32Array | Float32Array
  ended: Uint8Array
}

/** Per bonus, its reward of each step of environment 0. */
export async function episodeBonuses(
  { bonuses }: Agent,
  steps: readonly PlayedStep[],
): Promise<Record<string, Float32Array>> {
  const first = steps[0]!
  const numEnvs = first.ended.length
  // A row that ends every episode comes first: episodic memories are those of the training.
  const rows: PlayedStep[] = [
    { ...first, nextObservations: first.observations, ended: new Uint8Array(numEnvs).fill(1) },
    ...steps,
  ]
  const experience: Experience = {
    numSteps: rows.length,
    numEnvs,
    observations: join(rows.map(({ observations }) => observations)),
    nextObservations: join(rows.map(({ nextObservations }) => nextObservations)),
    actions:
      first.actions instanceof Int32Array
        ? Int32Array.from(rows.flatMap(({ actions }) => [...actions]))
        : join(rows.map(({ actions }) => actions as Float32Array)),
    ended: Uint8Array.from(rows.flatMap(({ ended }) => [...ended])),
  }
  const result: Record<string, Float32Array> = {}
  const names = bonusNames(bonuses)
  for (const [k, bonus] of bonuses.entries()) {
    const state = await bonus.save()
    const rewards = await bonus.reward(experience)
    bonus.load(state)
    result[names[k]!] = Float32Array.from(steps, (_, t) => rewards[(t + 1) * numEnvs]!)
  }
  return result
}

function join(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
