/**
 * The WebGPU kernel of the forward pass. A workgroup takes 16 queries of one head and passes once over the keys that they
 * may see, 16 at a time. Both maps are the two halves of a `vec2`: one pass over K and V serves both.
 *
 * Softmax is online: after each tile, m is the largest logit so far, l the sum of exp(s - m), o the sum of exp(s - m) v;
 * a larger m scales l and o down. Workgroup memory: 3 tiles of pairs and one of values, 7 KiB, whatever the length; 4.5 KiB with half
 * floats.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { RunWgsl } from '@tfgraft/backends'
import type { AttentionInputs, AttentionProblem } from './options'
import { onlineWeightsCode, reachOfSubgroups, rowSumCode } from './webgpu-online-softmax'
import {
  type Extensions,
  eachFeature,
  extensionsFor,
  fitsGrid,
  invocation,
  lambdaCode,
  lastKeyCode,
  logitsCode,
  MAX_WIDTH,
  pairOf,
  prelude,
  runTiles,
  TILE,
} from './webgpu-tiles'

function forwardCode(inputs: AttentionInputs, problem: AttentionProblem, extensions: Extensions): string {
  const { maps, valueWidth } = problem
  const chunks = Math.ceil(valueWidth / TILE)
  const [queryOf, keyOf] = pairOf(problem)
  const reach = reachOfSubgroups(extensions)
  return /* wgsl */ `
    ${prelude(inputs, problem, maps, extensions)}
    ${reach.declarations}

    fn main(index : i32) {
      ${invocation}
      let firstQuery = i32(workgroupId.x) * ${TILE};
      let head = i32(workgroupId.y);
      ${reach.code}
      ${lastKeyCode(problem)}

      var m = Maps(lowest);
      var l = Maps(0);
      var o : array<Maps, ${chunks}>;
      for (var firstKey = 0; firstKey < end; firstKey += ${TILE}) {
        ${logitsCode(problem, queryOf, keyOf)}
        ${onlineWeightsCode(extensions)}
        l = l * shrink + weight;
        weights[y][x] = weight;
        for (var chunk = 0; chunk < ${chunks}; chunk++) {
          let feature = chunk * ${TILE} + x;
          var value = 0.0;
          if (feature < ${valueWidth} && firstKey + y < uniforms.keys) {
            value = v[valueIndex(batch, head, firstKey + y, feature)];
          }
          valueTile[y][x] = Stored(value);
          workgroupBarrier();
          var sum = o[chunk] * shrink;
          for (var i = 0; i < ${TILE}; i++) {
            sum += weights[y][i] * f32(valueTile[i][x]);
          }
          o[chunk] = sum;
          workgroupBarrier();
        }
      }

      ${rowSumCode('l')}
      if (firstQuery + y < uniforms.queries) {
        let total = select(l, Maps(1), l == Maps(0)); // no key seen: zeros
        ${eachFeature(
          valueWidth,
          `let each = o[chunk] / total;
          result[resultIndex(batch, head, firstQuery + y, feature)] =
            ${maps === 2 ? `each.x - ${lambdaCode(inputs, problem, 'firstQuery + y')} * each.y` : 'each'};`,
        )}
      }
    }`
}

/** The forward pass. Wider values run on plain tf ops. */
export const forwardOnWebgpu = {
  when: ({ k }: AttentionInputs, problem: AttentionProblem) =>
    k.size > 0 && problem.valueWidth <= MAX_WIDTH && fitsGrid(problem),
  run: (context: {
    run: RunWgsl
    features: ReadonlySet<string>
    inputs: AttentionInputs
    attrs: AttentionProblem
  }): tf.TensorInfo => {
    const { run, features, inputs, attrs } = context
    const extensions = extensionsFor(features, attrs)
    const { batch, heads, queries, valueWidth, layout } = attrs
    return runTiles(run, attrs, {
      name: 'diff-attention/Attention',
      code: forwardCode(inputs, attrs, extensions),
      extensions,
      tensors: { ...inputs },
      outputShape:
        layout === 'heads-first' ? [batch, heads, queries, valueWidth] : [batch, queries, heads, valueWidth],
      workgroups: [Math.ceil(queries / TILE), heads, batch],
    })
  },
}
