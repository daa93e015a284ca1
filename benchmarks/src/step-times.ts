/**
 * Step times of several methods in turns, in one process: what slows the machine for a while slows all of them, so
 * the ratio of a round is far steadier than its milliseconds.
 */

import * as tf from '@tensorflow/tfjs-core'
import type { Method } from '@tfgraft/core'
import { median, processorTime, quartiles } from './measure'
import type { StepTimesRecord } from './results'
import type { Hyperparameters, LoadedTask, Training } from './task'

export interface Contender {
  name: string
  method: Method<unknown>
  hyperparameters: Hyperparameters
}

export interface MeasureStepsOptions {
  signal: AbortSignal
  /** Rounds to measure: one step of each contender per round. @default 60 */
  rounds?: number
  /** Stops after this long, but not before 5 rounds. @default 10000 */
  budgetMs?: number
}

const starts = 5

/**
 * Milliseconds on the clock that tells most: wasm and cpu compute in this process, whose processor time does not
 * grow when others use the machine; elsewhere only the wall clock sees the device.
 */
function stepClock(): { clock: StepTimesRecord['clock']; now: () => number } {
  if (!['wasm', 'cpu'].includes(tf.getBackend())) return { clock: 'wall', now: () => performance.now() }
  return { clock: 'processor', now: processorTime }
}

/**
 * Measures one step of each contender per round. The first contender is the baseline. `undefined` when aborted.
 *
 * All contenders start anew five times on the way. Now and then a training runs some of its products two to three times slower
 * for its whole short life, with the same numbers to the last digit. Why is not known (where its tensors lie in memory is a
 * conjecture, by elimination), but the median over fresh starts is robust to it. Nor does any training repeat one batch for long
 * enough to know it by heart.
 */
export async function measureSteps(
  loaded: LoadedTask,
  contenders: readonly Contender[],
  { signal, rounds = 60, budgetMs = 10_000 }: MeasureStepsOptions,
): Promise<Pick<StepTimesRecord, 'rounds' | 'methods' | 'baseline' | 'clock'> | undefined> {
  const trainings: Training[] = []
  const restart = async () => {
    for (const training of trainings.splice(0)) training.dispose()
    for (const { method, hyperparameters } of contenders)
      trainings.push(await loaded.start(method, hyperparameters, 0))
    for (let warmUp = 0; warmUp < 3; warmUp++) for (const training of trainings) await training.step()
  }
  try {
    const { clock, now } = stepClock()
    const times = contenders.map(() => [] as number[])
    const started = performance.now()
    for (let round = 0; round < rounds; round++) {
      if (round >= 5 && performance.now() - started > budgetMs) break
      if (round % Math.ceil(rounds / starts) === 0) await restart()
      if (signal.aborted) return undefined
      for (let turn = 0; turn < contenders.length; turn++) {
        // Each round starts with another one, so that none always follows the same neighbour.
        const index = (turn + round) % contenders.length
        const from = now()
        await trainings[index]!.step()
        times[index]!.push(now() - from)
      }
    }
    const baseline = times[0]!
    return {
      clock,
      rounds: baseline.length,
      baseline: contenders[0]!.name,
      methods: Object.fromEntries(
        contenders.map(({ name }, index) => {
          const ratios = times[index]!.map((time, round) => time / baseline[round]!)
          return [
            name,
            {
              ms: median(times[index]!),
              ratio: median(ratios),
              ratioQuartiles: quartiles(ratios),
            },
          ]
        }),
      ),
    }
  } finally {
    for (const training of trainings) training.dispose()
  }
}
