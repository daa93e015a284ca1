/** Training steps: ours on wasm beside tfjs's own wasm kernels, and beside tfjs-cpu. */
import * as tf from '@tensorflow/tfjs-core'
import { inTurns, type Timing, timed } from './measure'
import { embedding, gru, lenet, lstm, resnet, simpleRnn, transformer } from './models'
import type { Choice } from './ops'
import type { Contestants } from './stock-and-ours'

/** Stock has our kernels where it has none: it lacks filter gradients and the embedding's gradient. */
export interface StepResult extends Timing {
  name: string
  /** Milliseconds of one step on tfjs-cpu; null where it was not asked for. */
  cpu: number | null
}

export async function* measureSteps(
  sides: Contestants,
  { withCpu, isChosen }: { withCpu: boolean; isChosen: Choice },
): AsyncGenerator<StepResult> {
  for (const make of [lenet, resnet, transformer, lstm, gru, simpleRnn, embedding]) {
    const { name, run } = make()
    if (!isChosen({ name })) continue
    const timing = inTurns(run, sides, { milliseconds: 600 })
    yield { name, ...timing, cpu: withCpu ? await onCpu(make) : null }
  }
}

async function onCpu(make: typeof lenet): Promise<number> {
  await tf.setBackend('cpu')
  const { run } = make()
  const time = timed(() => run())
  await tf.setBackend('wasm')
  return time
}
