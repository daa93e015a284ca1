/**
 * What one thread of this machine can do at most in WebAssembly: multiply-adds of registers, and a copy of memory. A kernel's rate is shown
 * as a share of the lower of the two bounds (Williams, Waterman and Patterson 2009, "Roofline").
 */

import { median, processorTime } from '@tfgraft/bench/measure'
import { main as asc } from 'assemblyscript/asc'

export interface Limits {
  /** Multiply-adds counted as two. */
  gflops: number
  /** Bytes read and written, of buffers far beyond the caches. */
  gigabytesPerSecond: number
}

const lanes = 4
const chains = 12

/** Twelve independent chains of `x = x * a + b` on four lanes: enough to hide the latency of the units. */
const source = `
export function multiplyAdds(rounds: i32): f32 {
  const a = f32x4.splat(0.999), b = f32x4.splat(0.001);
${Array.from({ length: chains }, (_, i) => `  let x${i} = f32x4.splat(${i}.0);`).join('\n')}
  for (let r = 0; r < rounds; r++) {
${Array.from({ length: chains }, (_, i) => `    x${i} = f32x4.add(f32x4.mul(x${i}, a), b);`).join('\n')}
  }
  return f32x4.extract_lane(${Array.from({ length: chains }, (_, i) => `x${i}`).reduce((sum, x) => `f32x4.add(${sum}, ${x})`)}, 0);
}
export function copy(to: usize, from: usize, bytes: usize): void { memory.copy(to, from, bytes); }
`

async function compile(): Promise<{
  multiplyAdds(rounds: number): number
  copy(to: number, from: number, bytes: number): void
}> {
  let binary: Uint8Array | undefined
  const { error } = await asc(
    [
      'limits.ts',
      '-o',
      'limits.wasm',
      '-O3',
      '--runtime',
      'stub',
      '--initialMemory',
      '2048',
      '--enable',
      'simd',
    ],
    {
      readFile: (name) => (name === 'limits.ts' ? source : null),
      writeFile: (name, content) => {
        if (name === 'limits.wasm') binary = content as Uint8Array
      },
      listFiles: () => [],
    },
  )
  if (error || !binary) throw new Error(`limits: the kernel does not compile. ${error}`)
  const { instance } = await WebAssembly.instantiate(Uint8Array.from(binary))
  return instance.exports as Awaited<ReturnType<typeof compile>>
}

/** Rate of the fastest of several runs, in units of `amount` a nanosecond: others on the machine can only slow it. */
function fastest(amount: number, body: () => unknown): number {
  body()
  const times = Array.from({ length: 7 }, () => {
    const start = processorTime()
    for (let i = 0; i < 5; i++) body()
    return (processorTime() - start) / 5
  })
  return amount / (1e6 * Math.min(median(times), ...times))
}

export async function measureLimits(): Promise<Limits> {
  const { multiplyAdds, copy } = await compile()
  const rounds = 2_000_000
  const half = 64 * 2 ** 20 - 65536
  return {
    gflops: fastest(2 * lanes * chains * rounds, () => multiplyAdds(rounds)),
    gigabytesPerSecond: fastest(2 * half, () => copy(half + 65536, 65536, half)),
  }
}
