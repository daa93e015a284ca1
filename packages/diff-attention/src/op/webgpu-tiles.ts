/**
 * What the WGSL kernels of attention share. Workgroups have 16 x 16 invocations: a tile of 16 queries by 16 keys, the query of an
 * invocation in y, its key in x. With two maps, both travel as the halves of a `vec2`.
 *
 * Lengths are uniforms, so that a growing cache of keys does not compile anew; heads and widths are in the code.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { RunWgsl } from '@tfgraft/backends'
import type { AttentionInputs, AttentionProblem } from './options'

/** Queries and keys of a tile, and features per step. */
export const TILE = 16
/** Each invocation holds a sixteenth of the features of a row in registers: of both maps, 32 numbers. */
export const MAX_WIDTH = 256
/** WebGPU's smallest `maxComputeWorkgroupsPerDimension`. */
const MAX_WORKGROUPS = 65_535

/** Whether a grid of tiles fits into WebGPU's limits. */
export const fitsGrid = ({ batch, heads, keyHeads, queries, keys }: AttentionProblem): boolean =>
  Math.max(batch, heads, keyHeads, Math.ceil(Math.max(queries, keys) / TILE)) <= MAX_WORKGROUPS

type TensorName = keyof AttentionInputs | 'dy' | 'statistics'

/** Tensors of a kernel, those that its code names. Absent ones are left out. */
export type KernelTensors = { [name in TensorName]?: tf.TensorInfo }

/** WGSL for the key head that map `map` of `head` reads; as `keyHeadOf` in options.ts. */
export const keyHeadCode = (
  { maps, heads, keyHeads, valueHeads, keyMapping }: AttentionProblem,
  map: number,
): string =>
  keyHeads === valueHeads || keyMapping === 'naive-compat'
    ? `(head * ${maps} + ${map}) * ${keyHeads} / ${heads * maps}`
    : `2 * (head * ${valueHeads} / ${heads}) + ${map}`

/** `load(map)` of both maps as a vector, or of the only one. */
export const eachMap = ({ maps }: Pick<AttentionProblem, 'maps'>, load: (map: number) => string): string =>
  maps === 2 ? `vec2<f32>(${load(0)}, ${load(1)})` : load(0)

/** Extensions of WGSL that a kernel uses. */
export interface Extensions {
  /** `f16`: tiles of queries, keys and values hold half floats. */
  half: boolean
  /** `subgroups`: invocations exchange numbers without workgroup memory. */
  subgroups: boolean
}

/** What the device has, and the problem asks for. */
export const extensionsFor = (
  features: ReadonlySet<string>,
  { tilePrecision }: AttentionProblem,
): Extensions => ({
  half: tilePrecision === 'float16' && features.has('shader-f16'),
  subgroups: features.has('subgroups'),
})

/** Declarations: reading elements, masks, and the tiles in workgroup memory: 7 KiB with two maps, and one more for the gradient. */
export function prelude(
  { mask, keyBias }: AttentionInputs,
  problem: AttentionProblem,
  maps: 1 | 2,
  { half }: Extensions,
): string {
  const { heads, keyHeads, valueHeads, width, valueWidth, causal, layout } = problem
  const maskHeads = mask?.rank === 4 ? mask.shape[1]! : 1
  const maskMap = [
    mask?.rank === 4 && mask.shape[0]! > 1 ? `batch * ${maskHeads}` : '0',
    maskHeads > 1 ? 'head' : '0',
  ].join(' + ')
  return /* wgsl */ `
    alias Maps = ${maps === 2 ? 'vec2<f32>' : 'f32'};
    alias Stored = ${half ? 'f16' : 'f32'};
    alias StoredMaps = ${maps === 2 ? 'vec2<Stored>' : 'Stored'};
    const lowest = -3e38; // stands for -Infinity, with which WGSL need not calculate

    var<workgroup> queryTile : array<array<StoredMaps, ${TILE}>, ${TILE}>; // [query, feature]
    var<workgroup> keyTile : array<array<StoredMaps, ${TILE}>, ${TILE}>; // [key, feature]
    var<workgroup> valueTile : array<array<Stored, ${TILE}>, ${TILE}>; // [key, feature]
    var<workgroup> weights : array<array<Maps, ${TILE}>, ${TILE}>; // [query, key]
    var<workgroup> bound : i32;

    fn row(batch : i32, head : i32, position : i32, heads : i32, length : i32) -> i32 {
      return ${layout === 'heads-first' ? '(batch * heads + head) * length + position' : '(batch * length + position) * heads + head'};
    }
    fn queryAt(batch : i32, mapHead : i32, position : i32, feature : i32) -> f32 {
      if (position >= uniforms.queries || feature >= ${width}) { return 0.0; }
      return q[row(batch, mapHead, position, ${heads * problem.maps}, uniforms.queries) * ${width} + feature];
    }
    fn keyAt(batch : i32, keyHead : i32, position : i32, feature : i32) -> f32 {
      if (position >= uniforms.keys || feature >= ${width}) { return 0.0; }
      return k[row(batch, keyHead, position, ${keyHeads}, uniforms.keys) * ${width} + feature];
    }
    fn valueIndex(batch : i32, head : i32, position : i32, feature : i32) -> i32 {
      return row(batch, head * ${valueHeads} / ${heads}, position, ${valueHeads}, uniforms.keys) * ${valueWidth} + feature;
    }
    fn resultIndex(batch : i32, head : i32, position : i32, feature : i32) -> i32 {
      return row(batch, head, position, ${heads}, uniforms.queries) * ${valueWidth} + feature;
    }
    fn outside(query : i32, key : i32) -> bool {
      return query >= uniforms.queries || key >= uniforms.keys${
        causal ? ' || key > query + uniforms.keys - uniforms.queries' : ''
      };
    }
    fn biasAt(batch : i32, head : i32, query : i32, key : i32) -> f32 {
      var bias = 0.0;
      ${mask ? `bias += mask[((${maskMap}) * uniforms.queries + query) * uniforms.keys + key];` : ''}
      ${keyBias ? 'bias += keyBias[batch * uniforms.keys + key];' : ''}
      return bias;
    }`
}

/** Code that names the invocation's place in its tile and its example. */
export const invocation = /* wgsl */ `
  let y = i32(localId.y);
  let x = i32(localId.x);
  let batch = i32(workgroupId.z);`

/** Code for features of the queries and of the keys of both maps of `head`. */
export const pairOf = (problem: AttentionProblem) =>
  [
    (feature: string) =>
      eachMap(
        problem,
        (map) => `queryAt(batch, head * ${problem.maps} + ${map}, firstQuery + y, ${feature})`,
      ),
    (feature: string) =>
      eachMap(problem, (map) => `keyAt(batch, ${keyHeadCode(problem, map)}, firstKey + y, ${feature})`),
  ] as const

/** Last key, and one, that the 16 queries from `firstQuery` see. Barriers need bounds that the compiler knows to be uniform. */
export const lastKeyCode = ({ causal }: AttentionProblem): string => /* wgsl */ `
  if (localIndex == 0u) {
    bound = ${
      causal
        ? `min(uniforms.keys, min(firstQuery + ${TILE}, uniforms.queries) + uniforms.keys - uniforms.queries)`
        : 'uniforms.keys'
    };
  }
  let end = workgroupUniformLoad(&bound);`

/** Code that runs `store` for each `feature` below `width` that the invocation holds, of chunk `chunk`. */
export const eachFeature = (width: number, store: string): string => /* wgsl */ `
  for (var chunk = 0; chunk < ${Math.ceil(width / TILE)}; chunk++) {
    let feature = chunk * ${TILE} + x;
    if (feature < ${width}) {
      ${store}
    }
  }`

/** Code that leaves the masked logits of the invocation's query and key in `s`, and whether they are masked in `hidden`. */
export function logitsCode(
  problem: AttentionProblem,
  loadQuery: (feature: string) => string,
  loadKey: (feature: string) => string,
): string {
  return /* wgsl */ `
    var s = Maps(0); // scale q k'
    for (var chunk = 0; chunk < ${problem.width}; chunk += ${TILE}) {
      queryTile[y][x] = StoredMaps(uniforms.scale * ${loadQuery('chunk + x')});
      keyTile[y][x] = StoredMaps(${loadKey('chunk + x')});
      workgroupBarrier();
      for (var i = 0; i < ${TILE}; i++) {
        s += Maps(queryTile[y][i]) * Maps(keyTile[x][i]);
      }
      workgroupBarrier();
    }
    var hidden = outside(firstQuery + y, firstKey + x);
    if (!hidden) {
      let bias = biasAt(batch, head, firstQuery + y, firstKey + x);
      hidden = bias < lowest;
      s += bias;
    }`
}

/** Code that leaves dO V' of the invocation's query and key in `dp`. */
export function upstreamCode({ valueWidth }: AttentionProblem): string {
  return /* wgsl */ `
    var dp = 0.0; // dO V'
    for (var chunk = 0; chunk < ${valueWidth}; chunk += ${TILE}) {
      let feature = chunk + x;
      var upstream = 0.0;
      var value = 0.0;
      if (feature < ${valueWidth} && firstQuery + y < uniforms.queries) {
        upstream = dy[resultIndex(batch, head, firstQuery + y, feature)];
      }
      if (feature < ${valueWidth} && firstKey + y < uniforms.keys) {
        value = v[valueIndex(batch, head, firstKey + y, feature)];
      }
      gradientTile[y][x] = upstream;
      valueTile[y][x] = Stored(value);
      workgroupBarrier();
      for (var i = 0; i < ${TILE}; i++) {
        dp += gradientTile[y][i] * f32(valueTile[x][i]);
      }
      workgroupBarrier();
    }`
}

/** WGSL that reads lambda of the invocation's query. */
export function lambdaCode({ lambda }: AttentionInputs, { heads }: AttentionProblem, query: string): string {
  return `lambda[${lambda?.rank ? `row(batch, head, ${query}, ${heads}, uniforms.queries)` : '0'}]`
}

/** Runs one kernel on a grid of tiles. */
export function runTiles(
  run: RunWgsl,
  problem: AttentionProblem,
  kernel: {
    name: string
    code: string
    extensions: Extensions
    tensors: KernelTensors
    outputShape: readonly number[]
    workgroups: [number, number, number]
  },
): tf.TensorInfo {
  const { name, code, extensions, tensors, outputShape, workgroups } = kernel
  const { queries, keys, scale } = problem
  const given = (Object.entries(tensors) as [string, tf.TensorInfo | undefined][]).filter(
    (entry): entry is [string, tf.TensorInfo] => entry[1] !== undefined,
  )
  return run(
    {
      name,
      inputs: given.map(([input]) => input),
      outputShape,
      wgsl: code,
      enable: [...(extensions.half ? ['f16'] : []), ...(extensions.subgroups ? ['subgroups'] : [])],
      uniforms: 'queries : i32, keys : i32, scale : f32,',
      workgroupSize: [TILE, TILE, 1],
      workgroups,
    },
    given.map(([, tensor]) => tensor),
    {
      uniforms: [
        { type: 'int32', data: [queries] },
        { type: 'int32', data: [keys] },
        { type: 'float32', data: [scale] },
      ],
    },
  )
}
