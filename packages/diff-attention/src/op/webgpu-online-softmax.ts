/**
 * Online softmax of the WGSL kernels: `m` is the largest logit of the invocation's row so far, `weight` what exp(s - m) makes of
 * its own logit, `shrink` what earlier sums are to be multiplied with after a larger m.
 *
 * Sums over a row stay with the invocations, each of which sees a sixteenth of the keys, until {@link rowSumCode} adds them up once, at
 * the end. The largest logit must be known in each tile: with subgroups, invocations exchange theirs directly, as far as subgroups reach
 * along the row; the rest, or all, goes through the tile of weights.
 */
import { type Extensions, TILE } from './webgpu-tiles'

/**
 * Declarations and, for the head of `main`, code that finds out how far exchanges reach: `reach`, a power of two up to 16. WGSL does not
 * say which invocations make a subgroup, so each exchange is tried with the invocations' own numbers.
 */
export const reachOfSubgroups = ({ subgroups }: Extensions): { declarations: string; code: string } =>
  subgroups
    ? {
        declarations: 'var<workgroup> tried : atomic<i32>;',
        code: /* wgsl */ `
          if (localIndex == 0u) { atomicStore(&tried, ${TILE}); }
          workgroupBarrier();
          let lanes = subgroupAdd(1u);
          for (var step = 1u; step < ${TILE}u; step *= 2u) {
            let partner = subgroupShuffleXor(localIndex, step);
            if (2 * step > lanes || partner != (localIndex ^ step)) { atomicMin(&tried, i32(step)); }
          }
          workgroupBarrier();
          if (localIndex == 0u) { bound = atomicLoad(&tried); }
          let reach = workgroupUniformLoad(&bound);`,
      }
    : { declarations: '', code: '' }

/** Code of one tile further: needs `s` and `hidden`, leaves `shrink`, `weight` and the tile `weights`. */
export const onlineWeightsCode = (extensions: Extensions): string => /* wgsl */ `
  var larger = select(s, Maps(lowest), hidden);
  ${extensions.subgroups ? exchangeCode : throughMemoryCode('1')}
  larger = max(larger, m);
  let shrink = exp(m - larger);
  m = larger;
  let weight = select(exp(s - m), Maps(0), hidden);`

/** The largest of the row, read from every `stride`-th place. */
const throughMemoryCode = (stride: string) => /* wgsl */ `
  weights[y][x] = larger;
  workgroupBarrier();
  for (var i = 0; i < ${TILE}; i += ${stride}) {
    larger = max(larger, weights[y][i]);
  }
  workgroupBarrier();`

const exchangeCode = /* wgsl */ `
  for (var step = 1; step < reach; step *= 2) {
    larger = max(larger, subgroupShuffleXor(larger, u32(step)));
  }
  if (reach < ${TILE}) {
    ${throughMemoryCode('reach')}
  }`

/** Code that makes `name` the sum over the row's invocations, in each of them. */
export const rowSumCode = (name: string): string => /* wgsl */ `
  weights[y][x] = ${name};
  workgroupBarrier();
  ${name} = Maps(0);
  for (var i = 0; i < ${TILE}; i++) {
    ${name} += weights[y][i];
  }
  workgroupBarrier();`
