/**
 * Single-precision matrix product, after Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication",
 * 2008: C = alpha op(A) op(B) (+ C), for all four transpositions, with strides.
 *
 * Panels of A (4 rows) and B (8 columns) are packed, so that the inner loop reads both in order and keeps a 4 x 8 tile of C in
 * registers.
 */
import { multiplyRow } from './sgemm-row'
import { packPanels } from './sgemm-pack'
import { multiplyTile, multiplyTile2, multiplyTile4 } from './sgemm-tiles'

/** Rows and columns of the register tile. */
const MR = 4
const NR = 8
/** A panel of B (KC x 8 floats, 8 kB) stays in the first cache, a block of A (MC x KC, 128 kB) in the second. */
const KC = 256
const MC = 128
const NC = 1536
const DIRECT_ROWS = 16

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function roundUp(x: i32, to: i32): i32 {
  return ((x + to - 1) / to) * to
}

/** Bytes that {@link sgemm} needs at `scratch`. */
export function sgemmScratch(m: i32, n: i32, k: i32): i32 {
  const kc = min(k, KC)
  return (roundUp(min(m, MC), MR) * kc + roundUp(min(n, NC), NR) * kc + MR * NR) << 2
}

/**
 * C [m, n] = alpha op(A) op(B), plus what C held if `accumulate`. `lda`, `ldb`, `ldc` are the lengths of a stored row.
 * op(A) is [m, k]: A is stored as [m, k], or as [k, m] if `transposeA`. op(B) is [k, n].
 */
export function sgemm(
  transposeA: bool,
  transposeB: bool,
  m: i32,
  n: i32,
  k: i32,
  alpha: f32,
  a: usize,
  lda: i32,
  b: usize,
  ldb: i32,
  c: usize,
  ldc: i32,
  accumulate: bool,
  scratch: usize,
): void {
  if (k == 0) {
    if (!accumulate) for (let i = 0; i < m; i++) memory.fill(c + ((<usize>i * ldc) << 2), 0, n << 2)
    return
  }
  if (m == 1) {
    multiplyRow(transposeB, n, k, alpha, a, transposeA ? <usize>lda << 2 : 4, b, ldb, c, accumulate)
    return
  }
  // A column is a row of the transposed product.
  if (n == 1 && ldc == 1) {
    multiplyRow(!transposeA, m, k, alpha, b, transposeB ? 4 : <usize>ldb << 2, a, lda, c, accumulate)
    return
  }
  // Packing B pays by reuse: not for a few rows.
  const direct = !transposeB && m <= DIRECT_ROWS
  const kcMax = min(k, KC)
  const packedA = scratch
  const packedB = packedA + ((roundUp(min(m, MC), MR) * kcMax) << 2)
  const tile = packedB + ((roundUp(min(n, NC), NR) * kcMax) << 2)
  for (let jc = 0; jc < n; jc += NC) {
    const nc = min(n - jc, NC)
    for (let pc = 0; pc < k; pc += KC) {
      const kc = min(k - pc, KC)
      const add = accumulate || pc > 0
      const block = b + ((transposeB ? <usize>jc * ldb + pc : <usize>pc * ldb + jc) << 2)
      // The last panel is always packed: read from the matrix, it might reach beyond the end.
      const unpacked = direct ? (nc / NR) * NR : 0
      packPanels(
        packedB + ((<usize>unpacked * kc) << 2),
        block + (<usize>unpacked << 2),
        ldb,
        transposeB,
        nc - unpacked,
        kc,
        NR,
        1,
      )
      for (let ic = 0; ic < m; ic += MC) {
        const mc = min(m - ic, MC)
        packPanels(
          packedA,
          a + ((transposeA ? <usize>pc * lda + ic : <usize>ic * lda + pc) << 2),
          lda,
          !transposeA,
          mc,
          kc,
          MR,
          alpha,
        )
        const out = c + ((<usize>ic * ldc + jc) << 2)
        multiplyBlock(packedA, packedB, block, ldb, unpacked, out, ldc, mc, nc, kc, add, tile)
      }
    }
  }
}

/** The product of packed blocks of A and B, of which the first `unpacked` columns are read from `b` itself. */
function multiplyBlock(
  packedA: usize,
  packedB: usize,
  b: usize,
  ldb: i32,
  unpacked: i32,
  c: usize,
  ldc: i32,
  mc: i32,
  nc: i32,
  kc: i32,
  add: bool,
  tile: usize,
): void {
  const rowBytes = <usize>ldc << 2
  for (let j = 0; j < nc; j += NR) {
    const columns = min(nc - j, NR)
    const isPacked = j >= unpacked
    const bp = isPacked ? packedB + ((<usize>j * kc) << 2) : b + (<usize>j << 2)
    const bStep: usize = isPacked ? NR << 2 : <usize>ldb << 2
    for (let i = 0; i < mc; i += MR) {
      const rows = min(mc - i, MR)
      const ap = packedA + ((<usize>i * kc) << 2)
      const cp = c + <usize>i * rowBytes + (<usize>j << 2)
      if (rows == MR && columns == NR) {
        multiplyTile(ap, bp, bStep, cp, rowBytes, kc, add)
        continue
      }
      // At the borders the panels are padded with zeros, and only a part of the tile is wanted.
      if (columns > 4) multiplyTile(ap, bp, bStep, tile, NR << 2, kc, false)
      else if (columns > 2) multiplyTile4(ap, bp, tile, kc)
      else multiplyTile2(ap, bp, tile, kc)
      for (let r = 0; r < rows; r++)
        for (let s = 0; s < columns; s++) {
          const to = cp + <usize>r * rowBytes + (<usize>s << 2)
          const value = load<f32>(tile + ((r * NR + s) << 2))
          store<f32>(to, add ? load<f32>(to) + value : value)
        }
    }
  }
}

