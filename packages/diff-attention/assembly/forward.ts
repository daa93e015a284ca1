/**
 * Attention of one head over all its queries, a tile of queries at a time. Only the tile's rows of the maps ever exist: memory
 * is linear in the number of keys.
 *
 * Both maps of a differential head are normalised and subtracted before they meet the values, so V is read once and
 * multiplied once: the arithmetic is that of plain attention of the same width. (The usual running softmax would need one
 * accumulator of values per map, half as much arithmetic again.)
 */
import { copyRows, whole } from './pack'
import { scores, strip, TILE, visible } from './scores'
import { multiply, PANEL } from './tile'

/** p1 = p1 / sum1 - lambda p2 / sum2 */
function subtract(p1: usize, p2: usize, n: i32, first: f32, second: f32): void {
  const a = f32x4.splat(first)
  const b = f32x4.splat(second)
  for (let i = 0; i < n; i += 4) {
    const at = i << 2
    v128.store(p1 + at, f32x4.sub(f32x4.mul(v128.load(p1 + at), a), f32x4.mul(v128.load(p2 + at), b)))
  }
}

/**
 * @param query2 The second map's queries; 0 in plain attention.
 * @param keyPanels1, keyPanels2 Keys through `packRows`.
 * @param valuePanels Values through `packColumns`.
 * @param lambda, lambdaStride One number per query, `lambdaStride` apart: 0 for one number for all.
 * @param offset keys - queries.
 * @param bias, biasStride Additive mask, a row per query, or 0.
 * @param keyBias Additive mask of the keys, or 0.
 * @param out, outStride Result rows.
 * @param scratch 2 TILE rows of `strip(keys)` bytes, TILE rows of queries and of values (widths rounded up to 4), 2 TILE numbers.
 */
export function attendForward(
  query1: usize,
  query2: usize,
  queryStride: usize,
  queries: i32,
  width: i32,
  scale: f32,
  keyPanels1: usize,
  keyPanels2: usize,
  valuePanels: usize,
  keys: i32,
  valueWidth: i32,
  lambda: usize,
  lambdaStride: usize,
  causal: bool,
  offset: i32,
  bias: usize,
  biasStride: usize,
  keyBias: usize,
  out: usize,
  outStride: usize,
  scratch: usize,
): void {
  const stride = strip(keys)
  const s1 = scratch
  const s2 = s1 + TILE * stride
  const q = s2 + TILE * stride
  const o = q + ((TILE * whole(width)) << 2)
  const inverse1 = o + ((TILE * whole(valueWidth)) << 2)
  const inverse2 = inverse1 + (TILE << 2)
  const oStride = <usize>whole(valueWidth) << 2
  for (let first = 0; first < queries; first += TILE) {
    const rows = min(TILE, queries - first)
    const seen = visible(first + rows - 1, keys, causal, offset)
    const at = <usize>first * queryStride
    scores(
      query1 + at, queryStride, first, rows, width, scale, keyPanels1, keys, causal, offset,
      bias, biasStride, keyBias, q, s1, stride, inverse1,
    )
    if (query2) {
      scores(
        query2 + at, queryStride, first, rows, width, scale, keyPanels2, keys, causal, offset,
        bias, biasStride, keyBias, q, s2, stride, inverse2,
      )
      for (let row = 0; row < rows; row++)
        subtract(
          s1 + <usize>row * stride,
          s2 + <usize>row * stride,
          visible(first + row, keys, causal, offset),
          load<f32>(inverse1 + (row << 2)),
          load<f32>(inverse2 + (row << 2)) * load<f32>(lambda + <usize>(first + row) * lambdaStride),
        )
    }
    multiply(s1, stride, whole(rows), seen, valuePanels, (keys * PANEL) << 2, whole(valueWidth), o, oStride)
    for (let row = 0; row < rows; row++)
      copyRows(
        o + <usize>row * oStride,
        0,
        1,
        valueWidth,
        query2 ? 1 : load<f32>(inverse1 + (row << 2)),
        out + <usize>(first + row) * outStride,
        0,
        1,
      )
  }
}
