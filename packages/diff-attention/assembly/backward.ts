/**
 * Gradients of one head. The tile's rows of the maps are computed again, normalised:
 *
 *     D = P1 - lambda P2,  dP = dO V',  e_i = rowsum(P_i dP)
 *     dS1 = P1 (dP - e1),  dS2 = -lambda P2 (dP - e2),  dlambda = -e2
 *     dQ_i = scale dS_i K_i,  dK_i += scale dS_i' Q_i,  dV += D' dO
 */
import { sumLanes } from '../../backends/assembly/simd'
import { copyRows, packColumns, whole } from './pack'
import { scores, strip, TILE, visible } from './scores'
import { accumulateTransposed, multiply, PANEL } from './tile'

/** p *= factor; returns the dot product with dp. The row ends at a multiple of 4, in zeros. */
function normalizeAndDot(p: usize, dp: usize, n: i32, factor: f32): f32 {
  const f = f32x4.splat(factor)
  let sums = f32x4.splat(0)
  for (let i = 0; i < n; i += 4) {
    const at = i << 2
    const weight = f32x4.mul(v128.load(p + at), f)
    v128.store(p + at, weight)
    sums = f32x4.add(sums, f32x4.mul(weight, v128.load(dp + at)))
  }
  return sumLanes(sums)
}

/** p1 = dS1, p2 = dS2, dp = D */
function scoreGradients(p1: usize, p2: usize, dp: usize, n: i32, e1: f32, e2: f32, lambda: f32): void {
  const l = f32x4.splat(lambda)
  const a = f32x4.splat(e1)
  const b = f32x4.splat(e2)
  for (let i = 0; i < n; i += 4) {
    const at = i << 2
    const w1 = v128.load(p1 + at)
    const w2 = f32x4.mul(v128.load(p2 + at), l)
    const d = v128.load(dp + at)
    v128.store(p1 + at, f32x4.mul(w1, f32x4.sub(d, a)))
    v128.store(p2 + at, f32x4.mul(w2, f32x4.sub(b, d)))
    v128.store(dp + at, f32x4.sub(w1, w2))
  }
}

/** p = dS, dp = P */
function scoreGradient(p: usize, dp: usize, n: i32, e: f32): void {
  const a = f32x4.splat(e)
  for (let i = 0; i < n; i += 4) {
    const at = i << 2
    const w = v128.load(p + at)
    v128.store(p + at, f32x4.mul(w, f32x4.sub(v128.load(dp + at), a)))
    v128.store(dp + at, w)
  }
}

/** Gradients to the queries of one map, and, added up, to its keys. `q` holds the tile's scaled queries. */
function mapGradients(
  dS: usize,
  stride: usize,
  rows: i32,
  seen: i32,
  width: i32,
  scale: f32,
  keyColumns: usize,
  keys: i32,
  q: usize,
  panels: usize,
  dq: usize,
  dQuery: usize,
  dQueryStride: usize,
  dKey: usize,
): void {
  const padded = whole(width)
  multiply(dS, stride, whole(rows), seen, keyColumns, (keys * PANEL) << 2, padded, dq, padded << 2)
  copyRows(dq, padded << 2, rows, width, scale, dQuery, dQueryStride, rows)
  packColumns(q, width << 2, rows, width, panels)
  accumulateTransposed(dS, stride, whole(seen), rows, panels, (rows * PANEL) << 2, padded, dKey, padded << 2)
}

/**
 * @param valueRows Values through `packRows`. The other operands are those of `attendForward`.
 * @param keyColumns1, keyColumns2 Keys through `packColumns`.
 * @param dLambda One number per query, or 0.
 * @param dKey1, dKey2, dValue Added up here: rows of the width rounded up to 4, keys rounded up to 4. The keys' gradient has
 * the factor log2(e), which the queries bring.
 * @param scratch 3 TILE rows of `strip(keys)` bytes, 3 TILE rows of queries, TILE rows of values (widths rounded up to 4), 2 TILE
 * numbers, and the panels of TILE rows of the wider of queries and values.
 */
export function attendBackward(
  query1: usize,
  query2: usize,
  queryStride: usize,
  queries: i32,
  width: i32,
  scale: f32,
  keyPanels1: usize,
  keyPanels2: usize,
  keyColumns1: usize,
  keyColumns2: usize,
  valueRows: usize,
  keys: i32,
  valueWidth: i32,
  lambda: usize,
  lambdaStride: usize,
  causal: bool,
  offset: i32,
  bias: usize,
  biasStride: usize,
  keyBias: usize,
  dOut: usize,
  outStride: usize,
  dQuery1: usize,
  dQuery2: usize,
  dLambda: usize,
  dLambdaStride: usize,
  dKey1: usize,
  dKey2: usize,
  dValue: usize,
  scratch: usize,
): void {
  const stride = strip(keys)
  const s1 = scratch
  const s2 = s1 + TILE * stride
  const dp = s2 + TILE * stride
  const q1 = dp + TILE * stride
  const q2 = q1 + ((TILE * whole(width)) << 2)
  const dq = q2 + ((TILE * whole(width)) << 2)
  const g = dq + ((TILE * whole(width)) << 2)
  const inverse1 = g + ((TILE * whole(valueWidth)) << 2)
  const inverse2 = inverse1 + (TILE << 2)
  const panels = inverse2 + (TILE << 2)
  for (let first = 0; first < queries; first += TILE) {
    const rows = min(TILE, queries - first)
    const padded = whole(rows)
    const seen = visible(first + rows - 1, keys, causal, offset)
    const columns = whole(seen)
    const at = <usize>first * queryStride
    copyRows(dOut + <usize>first * outStride, outStride, rows, valueWidth, 1, g, valueWidth << 2, padded)
    multiply(g, valueWidth << 2, padded, valueWidth, valueRows, (valueWidth * PANEL) << 2, columns, dp, stride)
    scores(
      query1 + at, queryStride, first, rows, width, scale, keyPanels1, keys, causal, offset,
      bias, biasStride, keyBias, q1, s1, stride, inverse1,
    )
    if (query2)
      scores(
        query2 + at, queryStride, first, rows, width, scale, keyPanels2, keys, causal, offset,
        bias, biasStride, keyBias, q2, s2, stride, inverse2,
      )
    for (let row = 0; row < rows; row++) {
      const p1 = s1 + <usize>row * stride
      const p2 = s2 + <usize>row * stride
      const d = dp + <usize>row * stride
      // Columns that pad the row to a multiple of 4 must not reach the sums.
      for (let i = seen; i < columns; i++) store<f32>(p1 + (i << 2), 0)
      const e1 = normalizeAndDot(p1, d, columns, load<f32>(inverse1 + (row << 2)))
      if (query2) {
        for (let i = seen; i < columns; i++) store<f32>(p2 + (i << 2), 0)
        const e2 = normalizeAndDot(p2, d, columns, load<f32>(inverse2 + (row << 2)))
        const l = load<f32>(lambda + <usize>(first + row) * lambdaStride)
        scoreGradients(p1, p2, d, columns, e1, e2, l)
        store<f32>(dLambda + <usize>(first + row) * dLambdaStride, -e2)
      } else scoreGradient(p1, d, columns, e1)
    }
    packColumns(g, valueWidth << 2, rows, valueWidth, panels)
    accumulateTransposed(
      dp, stride, columns, rows, panels, (rows * PANEL) << 2, whole(valueWidth), dValue, <usize>whole(valueWidth) << 2,
    )
    mapGradients(
      s1, stride, rows, seen, width, scale, keyColumns1, keys, q1, panels, dq, dQuery1 + at, queryStride, dKey1,
    )
    if (query2)
      mapGradients(
        s2, stride, rows, seen, width, scale, keyColumns2, keys, q2, panels, dq, dQuery2 + at, queryStride, dKey2,
      )
  }
}

/** Numbers of a row of arguments of {@link attendBackwardEach}. */
const ARGUMENTS = 32

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function argument(row: usize, index: usize): f64 {
  return load<f64>(row + (index << 3))
}

/**
 * {@link attendBackward} for `count` heads: their arguments but the last lie at `rows`, as float64, each head's in a row of 32. So
 * that threads may take heads one by one, more than the arguments of a call can tell.
 */
export function attendBackwardEach(rows: usize, count: i32, scratch: usize): void {
  for (let i = 0; i < count; i++) {
    const r = rows + ((<usize>i * ARGUMENTS) << 3)
    attendBackward(
      <usize>argument(r, 0), <usize>argument(r, 1), <usize>argument(r, 2), <i32>argument(r, 3), <i32>argument(r, 4),
      <f32>argument(r, 5), <usize>argument(r, 6), <usize>argument(r, 7), <usize>argument(r, 8), <usize>argument(r, 9),
      <usize>argument(r, 10), <i32>argument(r, 11), <i32>argument(r, 12), <usize>argument(r, 13), <usize>argument(r, 14),
      argument(r, 15) != 0, <i32>argument(r, 16), <usize>argument(r, 17), <usize>argument(r, 18), <usize>argument(r, 19),
      <usize>argument(r, 20), <usize>argument(r, 21), <usize>argument(r, 22), <usize>argument(r, 23), <usize>argument(r, 24),
      <usize>argument(r, 25), <usize>argument(r, 26), <usize>argument(r, 27), <usize>argument(r, 28), scratch,
    )
  }
}
