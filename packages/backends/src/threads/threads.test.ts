/** The wasm backend with workers: results, the rules of the shared heap, and how it starts and ends. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers'
import { useBackend, WasmHeapExhausted, wasmHeap } from '@tfgraft/backends'
import { expectClose } from '@tfgraft/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { kernels } from '../generated/kernels'
import { kernelCases } from '../kernels/cases'
import { cutIntoTiles } from './tiles'

vi.mock('./tiles')

/** As many tiles as may be, whatever the work. */
const smallestTiles: typeof cutIntoTiles = (length, { multiple }) => {
  const size = Math.max(multiple, Math.ceil(length / 60 / multiple) * multiple)
  const tiles = Math.max(1, Math.round(length / size))
  return Array.from({ length: tiles }, (_, i) => [i * size, i === tiles - 1 ? length - i * size : size])
}

beforeEach(async () => {
  vi.mocked(cutIntoTiles).mockImplementation(smallestTiles)
  await useBackend('wasm', { threads: 3 })
  tf.engine().startScope()
})
afterEach(() => tf.engine().endScope())

async function withEach<T>(run: () => T): Promise<[one: T, three: T]> {
  await useBackend('wasm', { threads: 1 })
  const one = run()
  await useBackend('wasm', { threads: 3 })
  return [one, run()]
}

const products = [
  ...[
    [1, 1, 1],
    [2, 3, 1],
    [5, 7, 9],
    [13, 300, 25],
    [64, 16, 48],
    [33, 520, 70],
    [1, 40, 100],
    [100, 40, 1],
  ].flatMap(([m, k, n]) =>
    [false, true].flatMap((ta) => [false, true].map((tb) => ({ batch: [] as number[], m, k, n, ta, tb }))),
  ),
  ...[[7], [3, 2], [70]].map((batch) => ({ batch, m: 6, k: 5, n: 14, ta: true, tb: true })),
]

describe('several threads give the same bits as one', () => {
  it.each(products)('product $batch $m x $k x $n, transposed $ta $tb', async ({ batch, m, k, n, ta, tb }) => {
    const a = tf.randomNormal([...batch, ...(ta ? [k!, m!] : [m!, k!])], 0, 1, 'float32', 1)
    const b = tf.randomNormal([...batch, ...(tb ? [n!, k!] : [k!, n!])], 0, 1, 'float32', 2)
    const [one, three] = await withEach(() => tf.matMul(a, b, ta, tb).dataSync())
    expect(three).toEqual(one)
  })

  it('products whose batches broadcast', async () => {
    const [a, b] = [
      tf.randomNormal([4, 1, 6, 5], 0, 1, 'float32', 1),
      tf.randomNormal([3, 5, 9], 0, 1, 'float32', 2),
    ]
    const [one, three] = await withEach(() => tf.matMul(a, b).dataSync())
    expect(three).toEqual(one)
  })

  it('all kernel cases', async () => {
    const run = () => kernelCases.map(({ run }) => tf.tidy(() => run().dataSync()))
    const [one, three] = await withEach(run)
    for (const [i, { title }] of kernelCases.entries()) expect(three[i], title).toEqual(one[i])
  })

  it('a training', async () => {
    const [one, three] = await withEach(train)
    expect(three).toEqual(one)
  })
})

/** Losses of five steps of a small convolutional classifier. */
function train(whileRunning = (_step: number) => {}): number[] {
  const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 0.3, 'float32', seed)
  const x = normal([16, 12, 12, 3], 1) as tf.Tensor4D
  const labels = tf.oneHot(tf.randomUniform([16], 0, 4, 'int32', 2), 4)
  const filter = tf.variable(normal([3, 3, 3, 5], 3) as tf.Tensor4D)
  const weights = tf.variable(normal([125, 4], 4) as tf.Tensor2D)
  const optimizer = tf.train.adam(0.01)
  const loss = () => {
    const features = tf.maxPool(tf.relu(tf.conv2d(x, filter, 1, 'valid')), 2, 2, 'valid')
    return tf.losses.softmaxCrossEntropy(
      labels,
      tf.matMul(tf.reshape(features, [16, 125]), weights),
    ) as tf.Scalar
  }
  return Array.from({ length: 5 }, (_, step) => {
    whileRunning(step)
    const cost = optimizer.minimize(loss, true)!
    return cost.dataSync()[0]!
  })
}

const memoryBytes = () => wasmHeap().floats(0, 0).buffer.byteLength

describe('the rules of the heap hold with several threads', () => {
  it('the memory is shared, and reading a tensor gives memory that is not', () => {
    expect(wasmHeap().threads).toBe(3)
    expect(wasmHeap().floats(0, 0).buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(tf.ones([2]).dataSync().buffer).toBeInstanceOf(ArrayBuffer)
  })

  it('the memory grows in the middle of training, and workers reach what is new', () => {
    const before = train()
    const bytes = memoryBytes()
    const ballast: tf.Tensor[] = []
    const grow = () => {
      while (memoryBytes() < bytes + (64 << 20)) ballast.push(tf.zeros([1 << 20]))
    }
    expect(train((step) => step === 2 && grow())).toEqual(before)
    // Beyond the old end there is nothing but what was allocated since.
    const [a, b] = [tf.ones([64, 300]), tf.ones([300, 64])]
    expect(wasmHeap().pointer(a)).toBeGreaterThan(bytes)
    expectClose(tf.matMul(a, b), { shape: [64, 64], data: new Array(4096).fill(300) })
  })

  it('products see weights that were written in place', () => {
    const heap = wasmHeap()
    const [x, w] = [tf.ones([8, 2]), tf.tensor2d([1, 2, 3, 4], [2, 2])]
    tf.matMul(x, w)
    heap.floats(heap.pointer(w), 4).set([10, 20, 30, 40])
    heap.written(w)
    expectClose(tf.matMul(x, w), {
      shape: [8, 2],
      data: Array.from({ length: 16 }, (_, i) => (i % 2 ? 60 : 40)),
    })
  })

  it('memory and tensors stay flat over 2,000 steps', () => {
    const [a, b] = [tf.ones([40, 30]), tf.ones([30, 50])]
    const step = () => tf.tidy(() => tf.matMul(a, b).dataSync())
    step()
    const [bytes, { numTensors }] = [memoryBytes(), tf.memory()]
    for (let i = 0; i < 2000; i++) step()
    expect([memoryBytes(), tf.memory().numTensors]).toEqual([bytes, numTensors])
  })

  it('a kernel that traps is an error, wherever it ran, and the next job runs', () => {
    const outside = () =>
      wasmHeap().parallelFor(kernels, 'exp', {
        length: 64,
        cost: 1,
        // The last tile alone lies outside of the memory, or the one tile there is while the pool leaves busy cores alone.
        parameters: (start, count) => [start + count < 64 ? 1024 : 2 ** 32 - 4, 2048, count],
      })
    for (let i = 0; i < 20; i++) expect(outside).toThrow()
    expectClose(tf.matMul(tf.ones([40, 3]), tf.ones([3, 2])), { shape: [40, 2], data: new Array(80).fill(3) })
  })

  it('an allocation that fails at 4 GiB is named, and training goes on after tensors are disposed', () => {
    const before = train()
    const gigabytes: tf.TensorInfo[] = []
    expect(() => {
      for (;;) gigabytes.push(wasmHeap().output([1 << 28]))
    }).toThrow(WasmHeapExhausted)
    for (const { dataId } of gigabytes) tf.backend().disposeData(dataId, true)
    expect(train()).toEqual(before)
  })
})

describe('starting and ending', () => {
  it('a number that is none is refused', async () => {
    for (const threads of [0, 1.5, 65, Number.NaN])
      await expect(useBackend('wasm', { threads })).rejects.toThrow(
        `useBackend: \`threads\` must be 'auto' or a whole number from 1 to 64. Received threads=${threads}.`,
      )
  })

  it('a backend that started unshared stays so, and says when to choose', async () => {
    const factory = tf.findBackendFactory('wasm')
    tf.removeBackend('wasm')
    tf.registerBackend('wasm', factory, 2)
    await useBackend('wasm')
    expect(wasmHeap().threads).toBe(1)
    await useBackend('wasm', { threads: 1 })
    await expect(useBackend('wasm', { threads: 2 })).rejects.toThrow(
      'useBackend: `threads` must be chosen before the wasm backend starts',
    )
    tf.removeBackend('wasm')
    tf.registerBackend('wasm', factory, 2)
  })

  it("without shared memory, 'auto' is one thread, and a number is refused with the headers that are missing", async () => {
    vi.stubGlobal('SharedArrayBuffer', undefined)
    await expect(useBackend('wasm', { threads: 2 })).rejects.toThrow(
      /^useBackend: `threads` must be 1 where memory cannot be shared; .*Cross-Origin-Opener-Policy: same-origin.*Received threads=2\./,
    )
    await useBackend('wasm', { threads: 'auto' })
    expect(wasmHeap().threads).toBe(1)
    vi.unstubAllGlobals()
  })

  it('a replaced backend ends its workers, and the next one has its own', async () => {
    const factory = tf.findBackendFactory('wasm')
    tf.removeBackend('wasm')
    tf.registerBackend('wasm', factory, 2)
    await useBackend('wasm', { threads: 2 })
    expect(wasmHeap().threads).toBe(2)
    expectClose(tf.matMul(tf.ones([8, 3]), tf.ones([3, 2])), { shape: [8, 2], data: new Array(16).fill(3) })
  })

  it('a process with workers ends by itself', async () => {
    const program = `
      import { matMul, ones } from '@tensorflow/tfjs-core'
      import { useBackend, wasmHeap } from '@tfgraft/backends'
      await useBackend('wasm', { threads: 2 })
      console.log(wasmHeap().threads, matMul(ones([512, 512]), ones([512, 512])).dataSync()[262143])`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=@tfgraft/source', '--import', 'tsx', '--input-type=module', '-e', program],
      { cwd: new URL('../../../../benchmarks', import.meta.url), timeout: 30_000 },
    )
    expect(stdout.trim()).toBe('2 512')
  })
})
