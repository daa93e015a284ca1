/** The rows of attention weights of one tile of queries: products, masks, exponentials. */
import { copyRows, whole } from './pack'
import { addBias, exponentials, LOG2_E } from './softmax'
import { multiply, PANEL } from './tile'

/** Queries of a tile. 32 rows of two maps of 1,024 keys are 256 kB: they stay in the second-level cache. */
export const TILE: i32 = 32

/**
 * Bytes of a row of weights. A cache line more than it takes: rows a multiple of 4 kB apart would all fall into the same eight
 * places of the first-level cache.
 */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function strip(keys: i32): usize {
  return <usize>(whole(keys) + 16) << 2
}

/** Keys that the queries of a tile that ends before query `end` may see; `offset` is keys - queries, or negative: all. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function visible(query: i32, keys: i32, causal: bool, offset: i32): i32 {
  return causal ? max(0, min(keys, query + 1 + offset)) : keys
}

/**
 * `s` [TILE, keys] = exponentials of the masked logits, `inverse` [TILE] = 1 / their sums; `q` receives the scaled queries.
 * Rows from `rows` to the next multiple of 4 hold finite numbers of no meaning.
 */
export function scores(
  query: usize,
  queryStride: usize,
  first: i32,
  rows: i32,
  width: i32,
  scale: f32,
  keyPanels: usize,
  keys: i32,
  causal: bool,
  offset: i32,
  bias: usize,
  biasStride: usize,
  keyBias: usize,
  q: usize,
  s: usize,
  stride: usize,
  inverse: usize,
): void {
  const paddedRows = (rows + 3) & ~3
  const seen = visible(first + rows - 1, keys, causal, offset)
  const columns = (seen + 3) & ~3
  copyRows(query, queryStride, rows, width, scale * LOG2_E, q, width << 2, paddedRows)
  multiply(q, width << 2, paddedRows, width, keyPanels, (width * PANEL) << 2, columns, s, stride)
  for (let row = 0; row < rows; row++) {
    const at = s + <usize>row * stride
    const n = visible(first + row, keys, causal, offset)
    if (bias) addBias(at, bias + <usize>(first + row) * biasStride, n)
    if (keyBias) addBias(at, keyBias, n)
    store<f32>(inverse + (row << 2), exponentials(at, n, seen))
  }
}
