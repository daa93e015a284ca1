/**
 * The WebGPU kernels of the gradient. The maps are computed again, tile by tile, and nothing is added atomically: each number of the
 * result belongs to one invocation.
 *
 *     D = P1 - lambda P2,  dP = dO V',  e_i = rowsum(P_i dP)
 *     dS1 = P1 (dP - e1),  dS2 = -lambda P2 (dP - e2),  dlambda = -e2
 *     dQ_i = scale dS_i K_i,  dK_i = scale dS_i' Q_i,  dV = D' dO
 *
 * 1. statistics, a workgroup per 16 queries: of each row and map the largest logit m, 1 / sum exp(s - m), and e, all online.
 * 2. dQ, a workgroup per 16 queries, over the keys that they see.
 * 3. dK, a workgroup per 16 keys of a key head, over the queries that see them, of all maps that read that head.
 * 4. dV, a workgroup per 16 keys of a value head, over the queries of all its heads.
 *
 * Weights are exp(s - m) / sum, and not exp(s - logsumexp): at logits of 1e4, a logsumexp in float32 is off by 1e-3.
 */
import * as tf from '@tensorflow/tfjs-core'
import type { RunWgsl } from '@tfgraft/backends'
import type { AttentionInputs, AttentionProblem } from './options'
import { onlineWeightsCode, reachOfSubgroups, rowSumCode } from './webgpu-online-softmax'
import {
  type Extensions,
  eachFeature,
  eachMap,
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
  upstreamCode,
} from './webgpu-tiles'

type GradientInputs = AttentionInputs & { dy: tf.Tensor }

/** Numbers per row and map: the largest logit, 1 / sum, e. */
const STATISTICS = 3

/** `field` of the statistics of map `map` (WGSL) in the row of `query` (WGSL). */
const statistic = (
  { maps, heads }: AttentionProblem,
  query: string,
  map: number | string,
  field: 0 | 1 | 2,
) =>
  `statistics[(((batch * ${heads} + head) * uniforms.queries + ${query}) * ${maps} + ${map}) * ${STATISTICS} + ${field}]`

const gradientTile = `var<workgroup> gradientTile : array<array<f32, ${TILE}>, ${TILE}>; // [query, feature]`

function statisticsCode(inputs: GradientInputs, problem: AttentionProblem, extensions: Extensions): string {
  const { maps, heads } = problem
  const [queryOf, keyOf] = pairOf(problem)
  const reach = reachOfSubgroups(extensions)
  const write = (map: number, value: (name: string) => string) =>
    ['m', 'inverse', 'e']
      .map((name, field) => `result[(first * ${maps} + ${map}) * ${STATISTICS} + ${field}] = ${value(name)};`)
      .join('\n')
  return /* wgsl */ `
    ${prelude(inputs, problem, maps, extensions)}
    ${gradientTile}
    ${reach.declarations}

    fn main(index : i32) {
      ${invocation}
      let firstQuery = i32(workgroupId.x) * ${TILE};
      let head = i32(workgroupId.y);
      ${reach.code}
      ${lastKeyCode(problem)}

      var m = Maps(lowest);
      var l = Maps(0);
      var e = Maps(0);
      for (var firstKey = 0; firstKey < end; firstKey += ${TILE}) {
        ${logitsCode(problem, queryOf, keyOf)}
        ${upstreamCode(problem)}
        ${onlineWeightsCode(extensions)}
        l = l * shrink + weight;
        e = e * shrink + weight * dp;
      }
      ${rowSumCode('l')}
      ${rowSumCode('e')}
      if (x == 0 && firstQuery + y < uniforms.queries) {
        let inverse = select(1 / l, Maps(0), l == Maps(0)); // no key seen: no weights
        e *= inverse;
        let first = (batch * ${heads} + head) * uniforms.queries + firstQuery + y;
        ${maps === 2 ? write(0, (name) => `${name}.x`) + write(1, (name) => `${name}.y`) : write(0, (name) => name)}
      }
    }`
}

function queryGradientCode(
  inputs: GradientInputs,
  problem: AttentionProblem,
  extensions: Extensions,
): string {
  const { maps, heads, width } = problem
  const chunks = Math.ceil(width / TILE)
  const [queryOf, keyOf] = pairOf(problem)
  const read = (field: 0 | 1 | 2) =>
    eachMap(problem, (map) => statistic(problem, 'firstQuery + y', map, field))
  const store = (map: number, value: string) =>
    `result[row(batch, head * ${maps} + ${map}, firstQuery + y, ${heads * maps}, uniforms.queries) * ${width} + feature] = uniforms.scale * ${value};`
  return /* wgsl */ `
    ${prelude(inputs, problem, maps, extensions)}
    ${gradientTile}

    fn main(index : i32) {
      ${invocation}
      let firstQuery = i32(workgroupId.x) * ${TILE};
      let head = i32(workgroupId.y);
      ${lastKeyCode(problem)}
      let m = ${read(0)};
      let inverse = ${read(1)};
      let e = ${read(2)};
      let signs = ${maps === 2 ? `vec2<f32>(1, -${lambdaCode(inputs, problem, 'min(firstQuery + y, uniforms.queries - 1)')})` : '1.0'};

      var sums : array<Maps, ${chunks}>;
      for (var firstKey = 0; firstKey < end; firstKey += ${TILE}) {
        ${logitsCode(problem, queryOf, keyOf)}
        ${upstreamCode(problem)}
        weights[y][x] = select(exp(s - m) * inverse * (dp - e) * signs, Maps(0), hidden); // dS
        workgroupBarrier();
        for (var chunk = 0; chunk < ${chunks}; chunk++) {
          keyTile[y][x] = StoredMaps(${keyOf(`chunk * ${TILE} + x`)});
          workgroupBarrier();
          for (var i = 0; i < ${TILE}; i++) {
            sums[chunk] += weights[y][i] * Maps(keyTile[i][x]);
          }
          workgroupBarrier();
        }
      }
      if (firstQuery + y < uniforms.queries) {
        ${eachFeature(width, maps === 2 ? store(0, 'sums[chunk].x') + store(1, 'sums[chunk].y') : store(0, 'sums[chunk]'))}
      }
    }`
}

/** The first query, rounded down to a tile, that sees the keys from `firstKey`. */
const startCode = ({ causal }: AttentionProblem) => /* wgsl */ `
  if (localIndex == 0u) {
    bound = ${causal ? `max(0, firstKey - (uniforms.keys - uniforms.queries)) / ${TILE} * ${TILE}` : '0'};
  }
  let start = workgroupUniformLoad(&bound);`

function keyGradientCode(inputs: GradientInputs, problem: AttentionProblem, extensions: Extensions): string {
  const { maps, heads, keyHeads, valueHeads, width, keyMapping } = problem
  const chunks = Math.ceil(width / TILE)
  const alternate = keyHeads !== valueHeads && keyMapping === 'flash'
  // Maps that read this key head, and the inverse of `keyHeadOf`: the map of a differential head, counted over all heads.
  const readers = (heads * maps) / keyHeads
  const mapHead = alternate
    ? `((keyHead / 2) * ${readers} + reader) * 2 + keyHead % 2`
    : `keyHead * ${readers} + reader`
  const sign = maps === 2 ? `select(1.0, -${lambdaCode(inputs, problem, 'query')}, map == 1)` : '1.0'
  return /* wgsl */ `
    ${prelude(inputs, problem, 1, extensions)}
    ${gradientTile}

    fn main(index : i32) {
      ${invocation}
      let firstKey = i32(workgroupId.x) * ${TILE};
      let keyHead = i32(workgroupId.y);
      ${startCode(problem)}

      var sums : array<f32, ${chunks}>;
      for (var reader = 0; reader < ${readers}; reader++) {
        let mapHead = ${mapHead};
        let head = mapHead / ${maps};
        let map = mapHead % ${maps};
        for (var firstQuery = start; firstQuery < uniforms.queries; firstQuery += ${TILE}) {
          ${logitsCode(
            problem,
            (feature) => `queryAt(batch, mapHead, firstQuery + y, ${feature})`,
            (feature) => `keyAt(batch, keyHead, firstKey + y, ${feature})`,
          )}
          ${upstreamCode(problem)}
          let query = min(firstQuery + y, uniforms.queries - 1);
          let p = exp(s - ${statistic(problem, 'query', 'map', 0)}) * ${statistic(problem, 'query', 'map', 1)};
          weights[y][x] = select(p * (dp - ${statistic(problem, 'query', 'map', 2)}) * ${sign}, 0, hidden); // dS
          workgroupBarrier();
          for (var chunk = 0; chunk < ${chunks}; chunk++) {
            queryTile[y][x] = Stored(queryAt(batch, mapHead, firstQuery + y, chunk * ${TILE} + x));
            workgroupBarrier();
            for (var i = 0; i < ${TILE}; i++) {
              sums[chunk] += weights[i][y] * f32(queryTile[i][x]);
            }
            workgroupBarrier();
          }
        }
      }
      if (firstKey + y < uniforms.keys) {
        ${eachFeature(
          width,
          `result[row(batch, keyHead, firstKey + y, ${keyHeads}, uniforms.keys) * ${width} + feature] = uniforms.scale * sums[chunk];`,
        )}
      }
    }`
}

function valueGradientCode(
  inputs: GradientInputs,
  problem: AttentionProblem,
  extensions: Extensions,
): string {
  const { maps, heads, valueHeads, valueWidth } = problem
  const chunks = Math.ceil(valueWidth / TILE)
  const repeats = heads / valueHeads
  const [queryOf, keyOf] = pairOf(problem)
  const read = (field: 0 | 1 | 2) => eachMap(problem, (map) => statistic(problem, 'query', map, field))
  return /* wgsl */ `
    ${prelude(inputs, problem, maps, extensions)}
    ${gradientTile}
    var<workgroup> difference : array<array<f32, ${TILE}>, ${TILE}>; // [query, key]

    fn main(index : i32) {
      ${invocation}
      let firstKey = i32(workgroupId.x) * ${TILE};
      let valueHead = i32(workgroupId.y);
      ${startCode(problem)}

      var sums : array<f32, ${chunks}>;
      for (var reader = 0; reader < ${repeats}; reader++) {
        let head = valueHead * ${repeats} + reader;
        for (var firstQuery = start; firstQuery < uniforms.queries; firstQuery += ${TILE}) {
          ${logitsCode(problem, queryOf, keyOf)}
          let query = min(firstQuery + y, uniforms.queries - 1);
          let p = exp(s - ${read(0)}) * ${read(1)};
          difference[y][x] = select(${maps === 2 ? `p.x - ${lambdaCode(inputs, problem, 'query')} * p.y` : 'p'}, 0, hidden); // D
          workgroupBarrier();
          for (var chunk = 0; chunk < ${chunks}; chunk++) {
            let feature = chunk * ${TILE} + x;
            var upstream = 0.0;
            if (feature < ${valueWidth} && firstQuery + y < uniforms.queries) {
              upstream = dy[resultIndex(batch, head, firstQuery + y, feature)];
            }
            gradientTile[y][x] = upstream;
            workgroupBarrier();
            for (var i = 0; i < ${TILE}; i++) {
              sums[chunk] += difference[i][y] * gradientTile[i][x];
            }
            workgroupBarrier();
          }
        }
      }
      if (firstKey + y < uniforms.keys) {
        ${eachFeature(
          valueWidth,
          `result[row(batch, valueHead, firstKey + y, ${valueHeads}, uniforms.keys) * ${valueWidth} + feature] = sums[chunk];`,
        )}
      }
    }`
}

/** dlambda = -e2 per token and head, in the layout of the problem; `[1]` of zero in plain attention. */
function lambdaGradientCode(problem: AttentionProblem): string {
  const { maps, heads, layout } = problem
  if (maps === 1) return 'fn main(index : i32) { if (index < uniforms.size) { result[index] = 0.0; } }'
  const [head, query] =
    layout === 'heads-first'
      ? [`index / uniforms.queries % ${heads}`, 'index % uniforms.queries']
      : [`index % ${heads}`, `index / ${heads} % uniforms.queries`]
  return /* wgsl */ `
    fn main(index : i32) {
      if (index < uniforms.size) {
        let batch = index / (${heads} * uniforms.queries);
        let head = ${head};
        result[index] = -${statistic(problem, `(${query})`, 1, 2)};
      }
    }`
}

/** All gradients; the three tensors of {@link AttentionInputs} and lambda per token and head. */
export const backwardOnWebgpu = {
  when: ({ k }: GradientInputs, problem: AttentionProblem) =>
    k.size > 0 && Math.max(problem.width, problem.valueWidth) <= MAX_WIDTH && fitsGrid(problem),
  run: (context: {
    run: RunWgsl
    features: ReadonlySet<string>
    inputs: GradientInputs
    attrs: AttentionProblem
  }): [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo] => {
    const { run, features, inputs, attrs } = context
    const extensions = extensionsFor(features, attrs)
    const { maps, batch, heads, keyHeads, valueHeads, queries, keys, layout } = attrs
    const { q, k, v, lambda, mask, keyBias, dy } = inputs
    const [queryTiles, keyTiles] = [Math.ceil(queries / TILE), Math.ceil(keys / TILE)]
    const name = (part: string) => `diff-attention/AttentionGradient/${part}`
    const statistics = runTiles(run, attrs, {
      name: name('statistics'),
      code: statisticsCode(inputs, attrs, extensions),
      extensions,
      tensors: { q, k, v, mask, keyBias, dy },
      outputShape: [batch * heads, queries, maps, STATISTICS],
      workgroups: [queryTiles, heads, batch],
    })
    const dq = runTiles(run, attrs, {
      name: name('query'),
      code: queryGradientCode(inputs, attrs, extensions),
      extensions,
      tensors: { q, k, v, lambda, mask, keyBias, dy, statistics },
      outputShape: q.shape,
      workgroups: [queryTiles, heads, batch],
    })
    const dk = runTiles(run, attrs, {
      name: name('key'),
      code: keyGradientCode(inputs, attrs, extensions),
      extensions,
      tensors: { q, k, v, lambda, mask, keyBias, dy, statistics },
      outputShape: k.shape,
      workgroups: [keyTiles, keyHeads, batch],
    })
    const dv = runTiles(run, attrs, {
      name: name('value'),
      code: valueGradientCode(inputs, attrs, extensions),
      extensions,
      tensors: { q, k, lambda, mask, keyBias, dy, statistics },
      outputShape: v.shape,
      workgroups: [keyTiles, valueHeads, batch],
    })
    const tokens = layout === 'heads-first' ? [batch, heads, queries] : [batch, queries, heads]
    const dLambda = run(
      {
        name: name('lambda'),
        inputs: maps === 2 ? ['statistics'] : [],
        outputShape: maps === 2 ? tokens : [1],
        wgsl: lambdaGradientCode(attrs),
        uniforms: 'queries : i32,',
      },
      maps === 2 ? [statistics] : [],
      { uniforms: [{ type: 'int32', data: [queries] }] },
    )
    tf.engine().backend.disposeData(statistics.dataId)
    return [dq, dk, dv, dLambda]
  },
}
