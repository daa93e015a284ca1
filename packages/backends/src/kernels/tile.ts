/** Tile, which `broadcastTo` and so many gradients use. Stock computes an index per element. */
import * as tf from '@tensorflow/tfjs-core'
import { type WasmKernelContext, wasmKernel } from './wasm-kernel'

export const tileKernel = wasmKernel(
  'Tile',
  ({
    heap,
    wasm,
    inputs: { x },
    attrs,
    stock,
  }: WasmKernelContext<{ x: tf.TensorInfo }, { reps: number[] }>) => {
    if (x.dtype === 'bool' || x.dtype === 'string') return stock()
    const y = heap.output(
      x.shape.map((length, axis) => length * attrs.reps[axis]!),
      x.dtype as 'float32' | 'int32',
    )
    if (tf.util.sizeFromShape(y.shape) === 0) return y
    const steps = repetitions(x.shape, attrs.reps)
    // From the innermost axis outwards, each step repeats blocks of what the one before made.
    const run = (from: number, [step, ...rest]: Repetition[]): void => {
      const { blocks, length, times } = step!
      const repeat = (to: number) => wasm.repeatFloats(to, from, blocks, length, times)
      if (!rest.length) repeat(y.pointer)
      else
        heap.scratch(blocks * length * times * 4, (to) => {
          repeat(to)
          run(to, rest)
        })
    }
    run(heap.pointer(x), steps)
    return y
  },
)

interface Repetition {
  /** Blocks that are repeated one by one. */
  blocks: number
  /** Elements of each. */
  length: number
  times: number
}

/** Axes of length 1 are repeated together with the axes inside them. */
function repetitions(shape: number[], reps: number[]): Repetition[] {
  const steps: Repetition[] = []
  let length = 1
  let times = 1
  const push = (axis: number) => {
    const blocks = shape.slice(0, axis).reduce((product, n) => product * n, 1)
    if (times !== 1 || (axis === 0 && !steps.length)) steps.push({ blocks, length, times })
    length *= times
    times = 1
  }
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis]! > 1) {
      if (times !== 1) push(axis + 1)
      length *= shape[axis]!
    }
    times *= reps[axis]!
  }
  push(0)
  return steps
}
