/**
 * A + ridge I = L L', left-looking by blocks of 4 x 4, for a symmetric positive semidefinite A.
 *
 * L has `padded` rows, a multiple of 4; beyond n it continues as the identity. All inner products run over
 * contiguous rows of L, in multiples of 4.
 */
import { madd, sumLanes } from './simd'

/**
 * `a` [n, n] of which the lower triangle is read, `l` [padded, padded], `inverses` [padded]: 1 / L's diagonal. Pivots below `floor` are
 * raised to it; with minus infinity none is, and what is not positive definite gives NaN.
 */
export function factor(
  a: usize,
  l: usize,
  inverses: usize,
  n: i32,
  padded: i32,
  ridge: f32,
  floor: f32,
): void {
  copyLower(a, l, n, padded, ridge)
  for (let block = 0; block < padded; block += 4) {
    for (let row = block; row < padded; row += 4) {
      subtractProducts(l, padded, row, block, 0)
      subtractProducts(l, padded, row, block, 2)
    }
    factorDiagonal(l, inverses, padded, block, floor)
    for (let row = block + 4; row < padded; row++) solveRow(l, inverses, padded, row, block)
  }
}

/** The lower triangle of `a` [n, n] with `ridge` on its diagonal, continued as the identity. */
export function copyLower(a: usize, l: usize, n: i32, padded: i32, ridge: f32): void {
  for (let i = 0; i < padded; i++) {
    const to = l + ((<usize>i * padded) << 2)
    if (i < n) {
      const from = a + ((<usize>i * n) << 2)
      memory.copy(to, from, <usize>(i + 1) << 2)
      store<f32>(to + (i << 2), load<f32>(from + (i << 2)) + ridge)
    } else {
      memory.fill(to, 0, <usize>(i + 1) << 2)
      store<f32>(to + (i << 2), 1)
    }
  }
}

/** L[row + r, block + c] -= sum over k < block of L[row + r, k] L[block + c, k], for r in 0..3 and two columns c. */
function subtractProducts(l: usize, padded: i32, row: i32, block: i32, column: i32): void {
  const stride = <usize>padded << 2
  const r0 = l + <usize>row * stride
  const r1 = r0 + stride
  const r2 = r1 + stride
  const r3 = r2 + stride
  const c0 = l + <usize>(block + column) * stride
  const c1 = c0 + stride
  let s00 = f32x4.splat(0)
  let s01 = s00
  let s10 = s00
  let s11 = s00
  let s20 = s00
  let s21 = s00
  let s30 = s00
  let s31 = s00
  const end = <usize>block << 2
  for (let k: usize = 0; k < end; k += 16) {
    const x = v128.load(c0 + k)
    const y = v128.load(c1 + k)
    const a0 = v128.load(r0 + k)
    s00 = madd(a0, x, s00)
    s01 = madd(a0, y, s01)
    const a1 = v128.load(r1 + k)
    s10 = madd(a1, x, s10)
    s11 = madd(a1, y, s11)
    const a2 = v128.load(r2 + k)
    s20 = madd(a2, x, s20)
    s21 = madd(a2, y, s21)
    const a3 = v128.load(r3 + k)
    s30 = madd(a3, x, s30)
    s31 = madd(a3, y, s31)
  }
  const at = <usize>(block + column) << 2
  subtract(r0 + at, s00, s01)
  subtract(r1 + at, s10, s11)
  subtract(r2 + at, s20, s21)
  subtract(r3 + at, s30, s31)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function subtract(at: usize, first: v128, second: v128): void {
  store<f32>(at, load<f32>(at) - sumLanes(first))
  store<f32>(at + 4, load<f32>(at + 4) - sumLanes(second))
}

/** The 4 x 4 block on the diagonal. Pivots that cancel to rounding noise of either sign are raised to `floor`. */
function factorDiagonal(l: usize, inverses: usize, padded: i32, block: i32, floor: f32): void {
  for (let c = 0; c < 4; c++) {
    const i = block + c
    const row = l + ((<usize>i * padded + block) << 2)
    let pivot = load<f32>(row + (c << 2))
    for (let q = 0; q < c; q++) pivot -= load<f32>(row + (q << 2)) * load<f32>(row + (q << 2))
    const root = sqrt<f32>(max<f32>(pivot, floor))
    store<f32>(row + (c << 2), root)
    store<f32>(inverses + (i << 2), <f32>1 / root)
    for (let r = c + 1; r < 4; r++) solveEntry(l + ((<usize>(block + r) * padded + block) << 2), row, inverses + (i << 2), c)
  }
}

/** The four entries of a row below the diagonal block. */
function solveRow(l: usize, inverses: usize, padded: i32, row: i32, block: i32): void {
  const below = l + ((<usize>row * padded + block) << 2)
  for (let c = 0; c < 4; c++)
    solveEntry(below, l + ((<usize>(block + c) * padded + block) << 2), inverses + ((block + c) << 2), c)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function solveEntry(below: usize, pivotRow: usize, inverse: usize, c: i32): void {
  let value = load<f32>(below + (c << 2))
  for (let q = 0; q < c; q++) value -= load<f32>(below + (q << 2)) * load<f32>(pivotRow + (q << 2))
  store<f32>(below + (c << 2), value * load<f32>(inverse))
}

/** The lower triangle of `a` [n, n] into `l` [n, n], factored; zeros above. `work` has padded (padded + 1) floats. */
export function cholesky(a: usize, l: usize, n: i32, work: usize): void {
  const padded = (n + 3) & ~3
  factor(a, work, work + ((<usize>padded * padded) << 2), n, padded, 0, -Infinity)
  for (let i = 0; i < n; i++) {
    const to = l + ((<usize>i * n) << 2)
    memory.copy(to, work + ((<usize>i * padded) << 2), <usize>(i + 1) << 2)
    memory.fill(to + (<usize>(i + 1) << 2), 0, <usize>(n - i - 1) << 2)
  }
}
