/**
 * The WebGPU kernel of the forward pass. A workgroup takes 16 queries of one head and passes once over the keys that they
 * may see, 16 at a time. Both maps are the two halves of a `vec2`: one pass over K and V serves both.
 *
 * Softmax is online: after each tile, m is the largest logit so far, l the sum of exp(s - m), o the sum of exp(s - m) v;
 * a larger m scales l and o down. Workgroup memory: 3 tiles of pairs and one of values, 7 KiB, whatever the length. Lengths
 * are uniforms, so that a growing cache of keys does not compile anew; heads and widths are in the code.
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { RunWgsl } from '@tfgraft/backends'
import type { AttentionInputs, AttentionProblem } from './options'

/** Queries per workgroup, keys per step, and features per step. */
const TILE = 16
/** Each invocation holds valueWidth / 16 features of both maps in registers. */
const MAX_VALUE_WIDTH = 256
/** WebGPU's smallest `maxComputeWorkgroupsPerDimension`. */
const MAX_WORKGROUPS = 65_535

function shader({ lambda, mask, keyBias }: AttentionInputs, attrs: AttentionProblem): string {
  const { maps, heads, keyHeads, valueHeads, width, valueWidth, causal, layout, keyMapping } = attrs
  const chunks = Math.ceil(valueWidth / TILE)
  // As `keyHeadOf` in options.ts.
  const keyHead = (map: number) =>
    keyHeads === valueHeads || keyMapping === 'naive-compat'
      ? `(head * ${maps} + ${map}) * ${keyHeads} / ${heads * maps}`
      : `2 * (head * ${valueHeads} / ${heads}) + ${map}`
  const both = (load: (map: number) => string) => (maps === 2 ? `vec2<f32>(${load(0)}, ${load(1)})` : load(0))
  const maskHeads = mask?.rank === 4 ? mask.shape[1]! : 1
  const maskMap = [
    mask?.rank === 4 && mask.shape[0]! > 1 ? `batch * ${maskHeads}` : '0',
    maskHeads > 1 ? 'head' : '0',
  ].join(' + ')
  const lambdaAt = lambda?.rank ? `row(batch, head, query, ${heads}, uniforms.queries)` : '0'

  return /* wgsl */ `
    alias Maps = ${maps === 2 ? 'vec2<f32>' : 'f32'};
    const lowest = -3e38; // stands for -Infinity, with which WGSL need not calculate

    var<workgroup> queryTile : array<array<Maps, ${TILE}>, ${TILE}>; // [query, feature]
    var<workgroup> keyTile : array<array<Maps, ${TILE}>, ${TILE}>; // [key, feature]
    var<workgroup> valueTile : array<array<f32, ${TILE}>, ${TILE}>; // [key, feature]
    var<workgroup> scores : array<array<Maps, ${TILE}>, ${TILE}>; // [query, key]: logits, then their exponentials
    var<workgroup> visible : i32;

    fn row(batch : i32, head : i32, position : i32, heads : i32, length : i32) -> i32 {
      return ${layout === 'heads-first' ? '(batch * heads + head) * length + position' : '(batch * length + position) * heads + head'};
    }
    fn queryAt(batch : i32, head : i32, position : i32, feature : i32) -> f32 {
      return q[row(batch, head, position, ${heads * maps}, uniforms.queries) * ${width} + feature];
    }
    fn keyAt(batch : i32, head : i32, position : i32, feature : i32) -> f32 {
      return k[row(batch, head, position, ${keyHeads}, uniforms.keys) * ${width} + feature];
    }

    fn main(index : i32) {
      let y = i32(localId.y); // the query of this invocation, and the row that it loads
      let x = i32(localId.x); // its key, then its feature
      let head = i32(workgroupId.y);
      let batch = i32(workgroupId.z);
      let firstQuery = i32(workgroupId.x) * ${TILE};
      let query = firstQuery + y;
      let offset = uniforms.keys - uniforms.queries; // the last query is aligned with the last key

      // Barriers need bounds that are known to be the same in the whole workgroup.
      if (localIndex == 0u) {
        visible = ${causal ? `min(uniforms.keys, min(firstQuery + ${TILE}, uniforms.queries) + offset)` : 'uniforms.keys'};
      }
      let end = workgroupUniformLoad(&visible);

      var m = Maps(lowest);
      var l = Maps(0);
      var o : array<Maps, ${chunks}>;
      for (var firstKey = 0; firstKey < end; firstKey += ${TILE}) {
        // s = scale q k'
        var s = Maps(0);
        for (var chunk = 0; chunk < ${width}; chunk += ${TILE}) {
          let feature = chunk + x;
          var queryPair = Maps(0);
          var keyPair = Maps(0);
          if (feature < ${width} && query < uniforms.queries) {
            queryPair = ${both((map) => `queryAt(batch, head * ${maps} + ${map}, query, feature)`)};
          }
          if (feature < ${width} && firstKey + y < uniforms.keys) {
            keyPair = ${both((map) => `keyAt(batch, ${keyHead(map)}, firstKey + y, feature)`)};
          }
          queryTile[y][x] = queryPair * uniforms.scale;
          keyTile[y][x] = keyPair;
          workgroupBarrier();
          for (var i = 0; i < ${TILE}; i++) {
            s += queryTile[y][i] * keyTile[x][i];
          }
          workgroupBarrier();
        }

        let key = firstKey + x;
        var hidden = query >= uniforms.queries || key >= uniforms.keys${causal ? ' || key > query + offset' : ''};
        if (!hidden) {
          var bias = 0.0;
          ${mask ? `bias += mask[((${maskMap}) * uniforms.queries + query) * uniforms.keys + key];` : ''}
          ${keyBias ? 'bias += keyBias[batch * uniforms.keys + key];' : ''}
          hidden = bias < lowest;
          s += bias;
        }
        scores[y][x] = select(s, Maps(lowest), hidden);
        workgroupBarrier();

        var larger = m;
        for (var i = 0; i < ${TILE}; i++) {
          larger = max(larger, scores[y][i]);
        }
        let shrink = exp(m - larger);
        m = larger;
        workgroupBarrier();
        scores[y][x] = select(exp(s - m), Maps(0), hidden);
        workgroupBarrier();

        l *= shrink;
        for (var i = 0; i < ${TILE}; i++) {
          l += scores[y][i];
        }
        for (var chunk = 0; chunk < ${chunks}; chunk++) {
          let feature = chunk * ${TILE} + x;
          var value = 0.0;
          if (feature < ${valueWidth} && firstKey + y < uniforms.keys) {
            let valueRow = row(batch, head * ${valueHeads} / ${heads}, firstKey + y, ${valueHeads}, uniforms.keys);
            value = v[valueRow * ${valueWidth} + feature];
          }
          valueTile[y][x] = value;
          workgroupBarrier();
          var sum = o[chunk] * shrink;
          for (var i = 0; i < ${TILE}; i++) {
            sum += scores[y][i] * valueTile[i][x];
          }
          o[chunk] = sum;
          workgroupBarrier();
        }
      }

      if (query < uniforms.queries) {
        let total = select(l, Maps(1), l == Maps(0)); // no key seen: zeros
        for (var chunk = 0; chunk < ${chunks}; chunk++) {
          let feature = chunk * ${TILE} + x;
          if (feature < ${valueWidth}) {
            let each = o[chunk] / total;
            let at = row(batch, head, query, ${heads}, uniforms.queries) * ${valueWidth} + feature;
            result[at] = ${maps === 2 ? `each.x - lambda[${lambdaAt}] * each.y` : 'each'};
          }
        }
      }
    }`
}

/** The forward pass; the gradient runs on plain tf ops. */
export const forwardOnWebgpu = {
  when: ({ k }: AttentionInputs, { batch, heads, queries, valueWidth }: AttentionProblem) =>
    k.size > 0 &&
    valueWidth <= MAX_VALUE_WIDTH &&
    Math.max(batch, heads, Math.ceil(queries / TILE)) <= MAX_WORKGROUPS,
  run: (context: { run: RunWgsl; inputs: AttentionInputs; attrs: AttentionProblem }): tf.TensorInfo => {
    const { run, inputs, attrs } = context
    const { batch, heads, queries, keys, valueWidth, scale, layout } = attrs
    const given = (['q', 'k', 'v', 'lambda', 'mask', 'keyBias'] as const).filter((name) => inputs[name])
    return run(
      {
        name: 'diff-attention/Attention',
        inputs: given,
        outputShape:
          layout === 'heads-first'
            ? [batch, heads, queries, valueWidth]
            : [batch, queries, heads, valueWidth],
        wgsl: shader(inputs, attrs),
        uniforms: 'queries : i32, keys : i32, scale : f32,',
        workgroupSize: [TILE, TILE, 1],
        workgroups: [Math.ceil(queries / TILE), heads, batch],
      },
      given.map((name) => inputs[name]!),
      {
        uniforms: [
          { type: 'int32', data: [queries] },
          { type: 'int32', data: [keys] },
          { type: 'float32', data: [scale] },
        ],
      },
    )
  },
}
