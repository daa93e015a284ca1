/** Holds an op of `defineOp` against its reference, on every tested backend. */
import * as tf from '@tensorflow/tfjs-core'
import type { Op, OpInputs, OpOutputs } from '@tfgraft/backends'
import { it } from 'vitest'
import { expectClose, type Tolerance } from './close'
import { describeBackends } from './describe-backends'
import { expectNoTensorLeak } from './tensor-leak'

/** One row of the table. */
export interface OpCase<I, A> {
  /** What is special about it: "odd length", "one row". */
  title: string
  /** Makes the inputs. They are disposed after the test. */
  inputs: () => I
  attrs: A
  /** Compares gradients too. Not for integer inputs, nor where the reference cannot be differentiated. @default true */
  gradient?: boolean
  tolerance?: Tolerance
}

interface Result {
  shape: number[]
  data: readonly number[]
}

/**
 * For every backend and case: the op agrees with its reference on the cpu backend (NaN where that is NaN), so do its
 * gradients with tfjs's differentiation of the reference, and no tensor stays behind.
 */
export function describeOp<I extends OpInputs<I>, A, O extends OpOutputs, R extends OpOutputs>(
  op: Op<I, A, O, R>,
  cases: readonly OpCase<I, A>[],
): void {
  const reference = (inputs: I, attrs: A) => {
    const outputs = op.reference(inputs, attrs)
    return op.returns === 'first' && Array.isArray(outputs) ? outputs[0]! : outputs
  }

  describeBackends(op.opName, (backend) => {
    const compare = async (
      { inputs: make, tolerance }: OpCase<I, A>,
      compute: (inputs: I, f: typeof reference | typeof op) => Result[],
    ) => {
      const inputs = make()
      try {
        const actual = await expectNoTensorLeak(() => compute(inputs, op))
        // On cpu, so that a wrong kernel of the backend under test cannot agree with itself.
        await tf.setBackend('cpu')
        const expected = compute(inputs, reference)
        actual.forEach((result, i) => void expectSame(result, expected[i]!, tolerance))
      } finally {
        tf.dispose(inputs as tf.TensorContainer)
        await tf.setBackend(backend)
      }
    }

    it.each(cases)('equals the reference: $title', (row) =>
      compare(row, (inputs, f) => resultsOf(() => f(inputs, row.attrs))),
    )

    const differentiable = cases.filter(({ gradient = true }) => gradient)
    if (differentiable.length)
      it.each(differentiable)('has the gradients of the reference: $title', (row) =>
        compare(row, (inputs, f) => gradients(inputs, (given) => f(given, row.attrs))),
      )
  })
}

const arrayOf = (outputs: OpOutputs): tf.Tensor[] => (Array.isArray(outputs) ? outputs : [outputs])

function resultsOf(compute: () => OpOutputs): Result[] {
  const results: Result[] = []
  tf.tidy(() => {
    for (const output of arrayOf(compute()))
      results.push({ shape: output.shape, data: Array.from(output.dataSync()) })
  })
  return results
}

/** Gradients of the outputs, weighted by fixed numbers of both signs, with respect to every float input. */
function gradients<I extends OpInputs<I>>(inputs: I, f: (inputs: I) => OpOutputs): Result[] {
  return resultsOf(() => {
    const entries = (Object.entries(inputs) as [string, tf.Tensor | undefined][]).filter(
      (entry): entry is [string, tf.Tensor] => entry[1]?.dtype === 'float32',
    )
    const loss = (...xs: tf.Tensor[]) =>
      tf.addN(
        arrayOf(f({ ...inputs, ...Object.fromEntries(entries.map(([name], i) => [name, xs[i]])) })).map(
          (output) => {
            const weights = tf.tensor(
              Float32Array.from({ length: output.size }, (_, i) => Math.cos(1 + 2.3 * i)),
              output.shape,
            )
            return tf.sum(tf.mul(output, weights))
          },
        ),
      ) as tf.Scalar
    return tf.grads(loss)(entries.map(([, x]) => x))
  })
}

function expectSame(actual: Result, expected: Result, tolerance?: Tolerance): void {
  for (let i = 0; i < expected.data.length; i++)
    if (Number.isNaN(actual.data[i]) !== Number.isNaN(expected.data[i]))
      throw new Error(`describeOp: element ${i} is ${actual.data[i]}, the reference is ${expected.data[i]}.`)
  const finite = ({ shape, data }: Result): Result => ({
    shape,
    data: data.map((x) => (Number.isNaN(x) ? 0 : x)),
  })
  expectClose(finite(actual), finite(expected), tolerance)
}
