/** L Y = B and L' X = Y for a lower triangular L as `cholesky.ts` keeps it: padded to a multiple of 4 rows, with 1 / its diagonal. */
import { copyLower } from './cholesky'
import { packTile, tileColumns, tileRowBytes, unpackTile } from './column-tile'
import { nmadd } from './simd'

/** L' X = B in place of a tile of 8 columns of B. */
export function solveTransposed(l: usize, inverses: usize, tile: usize, padded: i32): void {
  for (let row = padded - 4; row >= 0; row -= 4) backward(l, inverses, tile, padded, row)
}

/** L X = B in place of a tile of 8 columns of B. */
export function solveLower(l: usize, inverses: usize, tile: usize, padded: i32): void {
  for (let row = 0; row < padded; row += 4) forward(l, inverses, tile, padded, row)
}

/**
 * `l` [n, n], of which the lower triangle is read, `b` and `x` [n, m]. `work` has padded (padded + 9) floats, padded being n rounded up to
 * a multiple of 4.
 */
export function triangularSolve(transpose: bool, l: usize, b: usize, x: usize, work: usize, n: i32, m: i32): void {
  const padded = (n + 3) & ~3
  const inverses = work + ((<usize>padded * padded) << 2)
  const tile = inverses + (<usize>padded << 2)
  copyLower(l, work, n, padded, 0)
  for (let i = 0; i < padded; i++)
    store<f32>(inverses + (i << 2), <f32>1 / load<f32>(work + ((<usize>i * padded + i) << 2)))
  for (let column = 0; column < m; column += tileColumns) {
    packTile(b, tile, n, m, padded, column)
    if (transpose) solveTransposed(work, inverses, tile, padded)
    else solveLower(work, inverses, tile, padded)
    unpackTile(tile, x, n, m, column)
  }
}

/** Four rows of Y in L Y = B. */
function forward(l: usize, inverses: usize, tile: usize, padded: i32, row: i32): void {
  const stride = <usize>padded << 2
  const l0 = l + <usize>row * stride
  const l1 = l0 + stride
  const l2 = l1 + stride
  const l3 = l2 + stride
  const at = tile + <usize>row * tileRowBytes
  let a0 = v128.load(at, 0)
  let b0 = v128.load(at, 16)
  let a1 = v128.load(at, 32)
  let b1 = v128.load(at, 48)
  let a2 = v128.load(at, 64)
  let b2 = v128.load(at, 80)
  let a3 = v128.load(at, 96)
  let b3 = v128.load(at, 112)
  let y = tile
  const end = <usize>row << 2
  for (let k: usize = 0; k < end; k += 4) {
    const p = v128.load(y, 0)
    const q = v128.load(y, 16)
    y += tileRowBytes
    const c0 = v128.load32_splat(l0 + k)
    a0 = nmadd(c0, p, a0)
    b0 = nmadd(c0, q, b0)
    const c1 = v128.load32_splat(l1 + k)
    a1 = nmadd(c1, p, a1)
    b1 = nmadd(c1, q, b1)
    const c2 = v128.load32_splat(l2 + k)
    a2 = nmadd(c2, p, a2)
    b2 = nmadd(c2, q, b2)
    const c3 = v128.load32_splat(l3 + k)
    a3 = nmadd(c3, p, a3)
    b3 = nmadd(c3, q, b3)
  }
  const inverse = inverses + end
  let scale = v128.load32_splat(inverse, 0)
  a0 = f32x4.mul(a0, scale)
  b0 = f32x4.mul(b0, scale)
  let c = v128.load32_splat(l1 + end, 0)
  scale = v128.load32_splat(inverse, 4)
  a1 = f32x4.mul(nmadd(c, a0, a1), scale)
  b1 = f32x4.mul(nmadd(c, b0, b1), scale)
  c = v128.load32_splat(l2 + end, 0)
  a2 = nmadd(c, a0, a2)
  b2 = nmadd(c, b0, b2)
  c = v128.load32_splat(l2 + end, 4)
  scale = v128.load32_splat(inverse, 8)
  a2 = f32x4.mul(nmadd(c, a1, a2), scale)
  b2 = f32x4.mul(nmadd(c, b1, b2), scale)
  c = v128.load32_splat(l3 + end, 0)
  a3 = nmadd(c, a0, a3)
  b3 = nmadd(c, b0, b3)
  c = v128.load32_splat(l3 + end, 4)
  a3 = nmadd(c, a1, a3)
  b3 = nmadd(c, b1, b3)
  c = v128.load32_splat(l3 + end, 8)
  scale = v128.load32_splat(inverse, 12)
  a3 = f32x4.mul(nmadd(c, a2, a3), scale)
  b3 = f32x4.mul(nmadd(c, b2, b3), scale)
  storeRows(at, a0, b0, a1, b1, a2, b2, a3, b3)
}

/** Four rows of X in L' X = Y. */
function backward(l: usize, inverses: usize, tile: usize, padded: i32, row: i32): void {
  const stride = <usize>padded << 2
  const at = tile + <usize>row * tileRowBytes
  let a0 = v128.load(at, 0)
  let b0 = v128.load(at, 16)
  let a1 = v128.load(at, 32)
  let b1 = v128.load(at, 48)
  let a2 = v128.load(at, 64)
  let b2 = v128.load(at, 80)
  let a3 = v128.load(at, 96)
  let b3 = v128.load(at, 112)
  // Column `row` of L, below the diagonal block.
  let lk = l + ((<usize>(row + 4) * padded + row) << 2)
  let x = at + 4 * tileRowBytes
  for (let k = row + 4; k < padded; k++) {
    const p = v128.load(x, 0)
    const q = v128.load(x, 16)
    x += tileRowBytes
    const c0 = v128.load32_splat(lk, 0)
    a0 = nmadd(c0, p, a0)
    b0 = nmadd(c0, q, b0)
    const c1 = v128.load32_splat(lk, 4)
    a1 = nmadd(c1, p, a1)
    b1 = nmadd(c1, q, b1)
    const c2 = v128.load32_splat(lk, 8)
    a2 = nmadd(c2, p, a2)
    b2 = nmadd(c2, q, b2)
    const c3 = v128.load32_splat(lk, 12)
    a3 = nmadd(c3, p, a3)
    b3 = nmadd(c3, q, b3)
    lk += stride
  }
  const inverse = inverses + (<usize>row << 2)
  const l1 = l + ((<usize>(row + 1) * padded + row) << 2)
  const l2 = l1 + stride
  const l3 = l2 + stride
  let scale = v128.load32_splat(inverse, 12)
  a3 = f32x4.mul(a3, scale)
  b3 = f32x4.mul(b3, scale)
  let c = v128.load32_splat(l3, 8)
  scale = v128.load32_splat(inverse, 8)
  a2 = f32x4.mul(nmadd(c, a3, a2), scale)
  b2 = f32x4.mul(nmadd(c, b3, b2), scale)
  c = v128.load32_splat(l3, 4)
  a1 = nmadd(c, a3, a1)
  b1 = nmadd(c, b3, b1)
  c = v128.load32_splat(l2, 4)
  scale = v128.load32_splat(inverse, 4)
  a1 = f32x4.mul(nmadd(c, a2, a1), scale)
  b1 = f32x4.mul(nmadd(c, b2, b1), scale)
  c = v128.load32_splat(l3, 0)
  a0 = nmadd(c, a3, a0)
  b0 = nmadd(c, b3, b0)
  c = v128.load32_splat(l2, 0)
  a0 = nmadd(c, a2, a0)
  b0 = nmadd(c, b2, b0)
  c = v128.load32_splat(l1, 0)
  scale = v128.load32_splat(inverse, 0)
  a0 = f32x4.mul(nmadd(c, a1, a0), scale)
  b0 = f32x4.mul(nmadd(c, b1, b0), scale)
  storeRows(at, a0, b0, a1, b1, a2, b2, a3, b3)
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function storeRows(at: usize, a0: v128, b0: v128, a1: v128, b1: v128, a2: v128, b2: v128, a3: v128, b3: v128): void {
  v128.store(at, a0, 0)
  v128.store(at, b0, 16)
  v128.store(at, a1, 32)
  v128.store(at, b1, 48)
  v128.store(at, a2, 64)
  v128.store(at, b2, 80)
  v128.store(at, a3, 96)
  v128.store(at, b3, 112)
}
