import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Solver } from './options'
import { proximalStep } from './proximal-step'

const normal = (shape: [number, number], seed: number, scale = 1) =>
  tf.randomNormal(shape, 0, scale, 'float32', seed) as tf.Tensor2D

const solvers: Solver[] = ['exact', 'gradient', { cg: 1 }, { cg: 3 }, { cg: 10 }]
const solverTitle = (solver: Solver) => (typeof solver === 'string' ? solver : `cg${solver.cg}`)
const titled = solvers.map((solver) => ({ solver, title: solverTitle(solver) }))

const sizes = fc.record({
  n: fc.integer({ min: 1, max: 20 }),
  d: fc.integer({ min: 1, max: 20 }),
  m: fc.integer({ min: 1, max: 10 }),
})
const logUniform = (low: number, high: number) =>
  fc.double({ min: low, max: high, noNaN: true }).map((e) => 10 ** e)

/** What the exact step solves in double precision: (A'A + I/tau) D = A'G, by elimination. */
function doublePrecision(a: tf.Tensor2D, g: tf.Tensor2D, tau: number): number[] {
  const [n, d] = a.shape
  const m = g.shape[1]
  const [A, G] = [a.dataSync(), g.dataSync()]
  const size = d + 1
  const entry = (row: number, k: number) => (k === d ? 1 : A[row * d + k]!)
  const system = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + m }, (_, j) => {
      let sum = i === j ? 1 / tau : 0
      for (let row = 0; row < n; row++)
        sum += entry(row, i) * (j < size ? entry(row, j) : G[row * m + j - size]!)
      return sum
    }),
  )
  for (let p = 0; p < size; p++)
    for (let r = 0; r < size; r++) {
      if (r === p) continue
      const factor = system[r]![p]! / system[p]![p]!
      for (let c = p; c < size + m; c++) system[r]![c]! -= factor * system[p]![c]!
    }
  return system.flatMap((row, i) => row.slice(size).map((value) => value / row[i]!))
}

describeBackends('proximalStep', () => {
  it('is a descent direction on 1,000 random layers (theorem of section 4)', () => {
    fc.assert(
      fc.property(
        sizes,
        logUniform(-3, 2),
        logUniform(-2, 1),
        fc.constantFrom(...solvers),
        fc.nat(),
        (size, tau, scale, solver, seed) => {
          tf.tidy(() => {
            const a = normal([size.n, size.d], seed, scale)
            const g = normal([size.n, size.m], seed + 1)
            const step = proximalStep(a, g, { tau, solver })
            const gradient = proximalStep(a, g, { solver: 'gradient' })
            const product = tf.add(
              tf.sum(tf.mul(step.kernel, gradient.kernel)),
              tf.sum(tf.mul(step.bias!, gradient.bias!)),
            )
            expect(product.dataSync()[0]!).toBeGreaterThan(0)
          })
        },
      ),
      { numRuns: 1000, seed: 1706 },
    )
  })

  it('solves the normal equations in whichever form is smaller', () => {
    fc.assert(
      fc.property(sizes, logUniform(-2, 0), fc.nat(), ({ n, d, m }, tau, seed) => {
        tf.tidy(() => {
          const a = normal([n, d], seed)
          const g = normal([n, m], seed + 1)
          const { kernel, bias } = proximalStep(a, g, { tau })
          expectClose([...kernel.dataSync(), ...bias!.dataSync()], doublePrecision(a, g, tau), {
            rtol: 1e-3,
            atol: 1e-5,
          })
        })
      }),
      { numRuns: 100, seed: 4638 },
    )
  })

  it('reaches the exact step with enough CG steps, in every form', () => {
    tf.tidy(() => {
      // dual, primal, and neither: A' A v without a Gram matrix
      for (const [n, d, m] of [
        [5, 30, 20],
        [30, 5, 20],
        [40, 40, 1],
      ] as const) {
        const a = normal([n, d], n, 0.3)
        const g = normal([n, m], d)
        for (const bias of ['proximal', 'gradient', 'none'] as const) {
          const exact = proximalStep(a, g, { tau: 1, bias })
          const cg = proximalStep(a, g, { tau: 1, bias, solver: { cg: 60, tolerance: 1e-13 } })
          expectClose(cg.kernel, exact.kernel, { rtol: 1e-3, atol: 1e-4 })
          if (bias !== 'none') expectClose(cg.bias!, exact.bias!, { rtol: 1e-3, atol: 1e-4 })
          else expect(exact.bias).toBeUndefined()
        }
      }
    })
  })

  it.each(titled.filter(({ solver }) => solver !== 'gradient'))(
    'tends to tau times the gradient as tau goes to 0: $title',
    ({ solver }) => {
      tf.tidy(() => {
        const a = normal([6, 9], 1)
        const g = normal([6, 4], 2)
        const gradient = proximalStep(a, g, { solver: 'gradient' })
        // CG's absolute epsilon of 1e-6 in a denominator bounds how small tau may be.
        const { kernel, bias } = proximalStep(a, g, { solver, tau: 1e-5 })
        expectClose(tf.mul(kernel, 1e5), gradient.kernel, { rtol: 1e-2, atol: 1e-2 })
        expectClose(tf.mul(bias!, 1e5), gradient.bias!, { rtol: 1e-2, atol: 1e-2 })
      })
    },
  )

  it.each(titled)('stays finite on degenerate batches: $title', ({ solver }) => {
    const same = (x: tf.Tensor2D) => tf.tile(tf.slice2d(x, [0, 0], [1, -1]), [x.shape[0], 1])
    tf.tidy(() => {
      const batches: Record<string, tf.Tensor2D> = {
        'one row': normal([1, 7], 1),
        'rank one': same(normal([9, 7], 2)),
        'rank one, more columns than rows': same(normal([5, 12], 3)),
        zeros: tf.zeros([6, 7]),
        'scaled by 1e6': normal([9, 7], 4, 1e6),
        'rank one, scaled by 1e6': same(normal([9, 7], 5, 1e6)),
        'rank one, scaled by 1e6, more columns than rows': same(normal([6, 30], 6, 1e6)),
        'one column': normal([6, 1], 7),
      }
      for (const [title, a] of Object.entries(batches))
        for (const tau of [1e-6, 1, 1e6])
          for (const g of [normal([a.shape[0], 3], 8), tf.zeros([a.shape[0], 3]) as tf.Tensor2D]) {
            const { kernel, bias } = proximalStep(a, g, { solver, tau })
            for (const value of [...kernel.dataSync(), ...bias!.dataSync()])
              expect(Number.isFinite(value), `${title}, tau ${tau}`).toBe(true)
          }
    })
  })

  it('passes NaN on', () => {
    tf.tidy(() => {
      const { kernel } = proximalStep(tf.fill([3, 4], Number.NaN) as tf.Tensor2D, normal([3, 2], 1))
      expect([...kernel.dataSync()].every(Number.isNaN)).toBe(true)
    })
  })

  it('leaves no tensor behind', async () => {
    const a = normal([5, 4], 1)
    const g = normal([5, 3], 2)
    for (const solver of solvers)
      await expectNoTensorLeak(() => tf.dispose({ ...proximalStep(a, g, { solver }) }))
    tf.dispose([a, g])
  })

  it('rejects shapes that do not agree and options that break a rule', () => {
    tf.tidy(() => {
      const a = normal([3, 2], 1)
      expect(() => proximalStep(a, normal([2, 2], 2))).toThrow(
        'proximalStep: `a` must be [n, d] and `g` [n, m]. Received a=[3,2], g=[2,2].',
      )
      expect(() => proximalStep(a, a, { tau: 0 })).toThrow('Received tau=0.')
      expect(() => proximalStep(a, a, { bias: 'both' as 'none' })).toThrow('Received bias=both.')
    })
  })
})
