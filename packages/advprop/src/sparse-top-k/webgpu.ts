/**
 * The WebGPU kernel. No plane is sorted: a workgroup finds the threshold of up to 8 planes at a time by radix selection on
 * the bits of |x|, which order as the magnitudes do. Four rounds fix 8, 8, 8 and 7 bits: each counts, in workgroup memory,
 * how often each value of the digit occurs among the entries that agree with the digits so far.
 *
 * Neighbouring invocations take neighbouring channels, so that 8 of them share one 32-byte sector of memory; the rounds
 * read the same 4 KiB to 64 KiB again, which stay in the cache. Workgroup memory: 9 KiB, whatever the size of a plane.
 */
import type * as tf from '@tensorflow/tfjs-core'
import type { RunWgsl } from '@tfgraft/backends'
import { type SelectionAttributes, thresholdRank } from './threshold'

const INVOCATIONS = 256
const DIGITS = [
  { shift: 23, bins: 256 },
  { shift: 15, bins: 256 },
  { shift: 7, bins: 256 },
  { shift: 0, bins: 128 },
]
/** WebGPU's smallest `maxComputeWorkgroupsPerDimension`. */
const MAX_WORKGROUPS = 65_535

/** Channels per workgroup: as many as a sector holds, or as there are. */
const channelsOf = (inner: number) => (inner >= 8 ? 8 : inner >= 4 ? 4 : inner >= 2 ? 2 : 1)

function shader(size: number, inner: number, { k, convention }: SelectionAttributes): string {
  const channels = channelsOf(inner)
  const lanes = INVOCATIONS / channels // invocations per plane
  const { rank, weight } = thresholdRank(size, k, convention)
  const round = ({ shift, bins }: { shift: number; bins: number }) => /* wgsl */ `
      for (var bin = lane; bin < 256; bin += ${lanes}) {
        atomicStore(&histogram[channel * 256 + bin], 0);
      }
      workgroupBarrier();
      if (inside) {
        for (var p = first; p < last; p++) {
          let bits = magnitude(base + p * ${inner});
          if ((bits & known) == prefix) {
            atomicAdd(&histogram[channel * 256 + i32((bits >> ${shift}u) & ${bins - 1}u)], 1);
          }
        }
      }
      workgroupBarrier();
      if (lane == 0) {
        var bin = ${bins - 1};
        var left = rest[channel];
        loop {
          let count = atomicLoad(&histogram[channel * 256 + bin]);
          if (count >= left || bin == 0) { break; }
          left -= count;
          bin--;
        }
        rest[channel] = left;
        prefixes[channel] |= u32(bin) << ${shift}u;
      }
      workgroupBarrier();
      prefix = prefixes[channel];
      known |= ${bins - 1}u << ${shift}u;`

  return /* wgsl */ `
    var<workgroup> histogram : array<atomic<i32>, ${channels * 256}>;
    var<workgroup> prefixes : array<u32, ${channels}>;  // the bits of the threshold that are known
    var<workgroup> rest : array<i32, ${channels}>;      // rank of the threshold among the entries that agree with them
    var<workgroup> above : array<atomic<u32>, ${channels}>; // the next larger magnitude
    var<workgroup> equals : array<i32, ${INVOCATIONS}>; // entries that equal the threshold, by invocation

    fn magnitude(at : i32) -> u32 {
      return bitcast<u32>(x[at]) & 0x7fffffffu;
    }

    fn main(index : i32) {
      let channel = i32(localIndex) % ${channels};
      let lane = i32(localIndex) / ${channels};
      let c = i32(workgroupId.x) * ${channels} + channel;
      let base = i32(workgroupId.y) * ${size * inner} + c;
      let inside = c < ${inner};
      // The positions of this invocation: consecutive ones, so that ties can be counted in their order.
      let first = min(lane * ${Math.ceil(size / lanes)}, ${size});
      let last = min(first + ${Math.ceil(size / lanes)}, ${size});
      if (lane == 0) {
        prefixes[channel] = 0u;
        rest[channel] = ${rank};
        atomicStore(&above[channel], 0xffffffffu);
      }
      var prefix = 0u;
      var known = 0u;
      workgroupBarrier();
      ${DIGITS.map(round).join('\n')}

      let a = bitcast<f32>(prefix);
      var threshold = a;
      ${
        weight > 0
          ? /* wgsl */ `
      if (inside) {
        for (var p = first; p < last; p++) {
          let bits = magnitude(base + p * ${inner});
          if (bits > prefix) { atomicMin(&above[channel], bits); }
        }
      }
      workgroupBarrier();
      // The next larger one in the order equals a unless all larger ones are counted before it.
      let next = atomicLoad(&above[channel]);
      if (rest[channel] == 1 && next != 0xffffffffu) { threshold = a + uniforms.weight * (bitcast<f32>(next) - a); }`
          : ''
      }

      var room = ${size}; // entries that equal the threshold and are kept
      ${
        convention === 'count'
          ? /* wgsl */ `
      var own = 0;
      if (inside) {
        for (var p = first; p < last; p++) {
          own += select(0, 1, magnitude(base + p * ${inner}) == prefix);
        }
      }
      equals[localIndex] = own;
      workgroupBarrier();
      room = rest[channel];
      for (var before = 0; before < lane; before++) {
        room -= equals[before * ${channels} + channel];
      }`
          : ''
      }
      if (inside) {
        for (var p = first; p < last; p++) {
          let at = base + p * ${inner};
          let bits = magnitude(at);
          var keep = ${weight > 0 ? 'bits > 0x7f800000u || bitcast<f32>(bits) >= threshold' : 'bits >= prefix'};
          ${
            convention === 'count'
              ? /* wgsl */ `
          if (bits == prefix) {
            keep = room > 0;
            room--;
          }`
              : ''
          }
          result[at] = select(uniforms.dropped, uniforms.kept, keep);
        }
      }
    }`
}

const multiply = /* wgsl */ `
  fn main(index : i32) {
    if (index < uniforms.size) {
      result[index] = x[index] * factor[index];
    }
  }`

/** Outputs y and the factor. */
export const selectOnWebgpu = {
  when: ({ x }: { x: tf.Tensor }) => {
    const [outer, , inner] = x.shape as [number, number, number]
    return x.size > 0 && outer <= MAX_WORKGROUPS && Math.ceil(inner / channelsOf(inner)) <= MAX_WORKGROUPS
  },
  run: (context: {
    run: RunWgsl
    inputs: { x: tf.Tensor }
    attrs: SelectionAttributes
  }): [tf.TensorInfo, tf.TensorInfo] => {
    const { run, inputs, attrs } = context
    const { x } = inputs
    const [outer, size, inner] = x.shape as [number, number, number]
    const { weight } = thresholdRank(size, attrs.k, attrs.convention)
    const factor = run(
      {
        name: 'advprop/SparseTopKFactor',
        inputs: ['x'],
        outputShape: x.shape,
        uniforms: 'weight : f32, kept : f32, dropped : f32,',
        wgsl: shader(size, inner, attrs),
        workgroupSize: [INVOCATIONS, 1, 1],
        workgroups: [Math.ceil(inner / channelsOf(inner)), outer, 1],
      },
      [x],
      {
        uniforms: [weight, attrs.kept, attrs.dropped].map((value) => ({
          type: 'float32' as const,
          data: [value],
        })),
      },
    )
    const y = run(
      { name: 'advprop/SparseTopKApply', inputs: ['x', 'factor'], outputShape: x.shape, wgsl: multiply },
      [x, factor],
    )
    return [y, factor]
  },
}
