import '@tensorflow/tfjs-backend-cpu'
import { createRandom } from '@tfgraft/core'
import { describe, expect, it } from 'vitest'
import { LabelledImages } from '../labelled-images'
import type { Augmentation, ImageBytes } from './augmentation'
import { horizontalFlip, mirrored } from './horizontal-flip'
import {
  autoContrast,
  brightness,
  color,
  contrast,
  equalize,
  posterize,
  sharpness,
  solarize,
} from './photometric'
import { affine, randAugment, signed, unsigned } from './rand-augment'
import { randomErasing } from './random-erasing'
import { cropAndResize, randomResizedCrop } from './random-resized-crop'

const grey = (height: number, width: number, data: number[]): ImageBytes => ({
  ...{ height, width, channels: 1 },
  data: Uint8Array.from(data),
})

/** Every byte of it differs from its neighbours. */
const picture = (height: number, width: number, channels: number): ImageBytes => ({
  ...{ height, width, channels },
  data: Uint8Array.from({ length: height * width * channels }, (_, i) => (i * 37 + 11) % 256),
})

const augmentations: Record<string, Augmentation> = {
  randomResizedCrop: randomResizedCrop(),
  horizontalFlip: horizontalFlip(),
  randomErasing: randomErasing({ probability: 1 }),
  randAugment: randAugment(),
}

describe('every augmentation', () => {
  it.each(Object.entries(augmentations))(
    '%s keeps the size, leaves the original, and follows its seed',
    (_, augment) => {
      for (const [height, width, channels] of [
        [12, 17, 3],
        [9, 9, 1],
        [1, 1, 3],
      ] as const) {
        const image = picture(height, width, channels)
        const before = image.data.slice()
        const results = Array.from({ length: 24 }, (_, seed) => augment(image, createRandom(seed)))
        expect(image.data).toEqual(before)
        for (const [seed, result] of results.entries()) {
          expect([result.height, result.width, result.channels]).toEqual([height, width, channels])
          expect(result.data).toHaveLength(image.data.length)
          expect(augment(image, createRandom(seed)).data).toEqual(result.data)
        }
        if (height > 1) expect(new Set(results.map(({ data }) => data.join())).size).toBeGreaterThan(1)
      }
    },
  )
})

describe('geometry', () => {
  it('a crop of the whole image is the image; a shrunk one is the mean of what it covers', () => {
    const image = picture(6, 8, 3)
    const whole = { top: 0, left: 0, height: 6, width: 8 }
    expect(cropAndResize(image, whole, 6, 8).data).toEqual(image.data)
    const flat = grey(4, 4, Array(16).fill(77))
    expect([...cropAndResize(flat, { top: 1, left: 0, height: 3, width: 3 }, 7, 5).data]).toEqual(
      Array(35).fill(77),
    )
    // A triangle 4 pixels wide for a factor of 2: weights 3/7, 3/7, 1/7, as in Pillow.
    const row = grey(1, 4, [0, 80, 160, 240])
    expect([...cropAndResize(row, { top: 0, left: 0, height: 1, width: 4 }, 1, 2).data]).toEqual([57, 183])
    expect([...cropAndResize(row, { top: 0, left: 1, height: 1, width: 2 }, 1, 2).data]).toEqual([80, 160])
  })

  it('crops have the asked area and proportions', () => {
    // A gradient along x: the range of a crop's values tells its width.
    const ramp = grey(
      64,
      64,
      Array.from({ length: 4096 }, (_, i) => (i % 64) * 4),
    )
    const crop = randomResizedCrop({ scale: [0.25, 0.25], ratio: [1, 1], size: [16, 32] })
    for (let seed = 0; seed < 20; seed++) {
      const { data, height, width } = crop(ramp, createRandom(seed))
      expect([height, width]).toEqual([16, 32])
      const [low, high] = [Math.min(...data), Math.max(...data)]
      expect((high - low) / 4).toBeGreaterThan(29)
      expect((high - low) / 4).toBeLessThanOrEqual(31)
    }
  })

  it('a crop that never fits is the middle of the image', () => {
    const tall = grey(
      8,
      2,
      Array.from({ length: 16 }, (_, i) => i),
    )
    const { data } = randomResizedCrop({ scale: [1, 1], ratio: [1, 1], size: 2 })(tall, createRandom(1))
    expect([...data]).toEqual([6, 7, 8, 9])
  })

  it('a mirror image, twice, is the image', () => {
    const image = picture(3, 5, 3)
    expect([...mirrored(grey(2, 3, [1, 2, 3, 4, 5, 6])).data]).toEqual([3, 2, 1, 6, 5, 4])
    expect(mirrored(mirrored(image)).data).toEqual(image.data)
    expect(horizontalFlip({ probability: 0 })(image, createRandom(1))).toBe(image)
    expect(horizontalFlip({ probability: 1 })(image, createRandom(1)).data).toEqual(mirrored(image).data)
  })

  it('erasing paints one rectangle of the asked size', () => {
    const white = grey(20, 20, Array(400).fill(255))
    for (let seed = 0; seed < 20; seed++) {
      const { data } = randomErasing({ probability: 1, scale: [0.16, 0.16], ratio: [1, 1], value: 0 })(
        white,
        createRandom(seed),
      )
      const painted = [...data.keys()].filter((i) => data[i] === 0)
      expect(painted).toHaveLength(64)
      const columns = new Set(painted.map((i) => i % 20))
      expect([columns.size, Math.max(...columns) - Math.min(...columns)]).toEqual([8, 7])
    }
  })

  it('affine maps sample about the centre and leave black outside', () => {
    const image = grey(3, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(affine(image, [1, 0, 0, 0, 1, 0]).data).toEqual(image.data)
    expect([...affine(image, [1, 0, 1, 0, 1, 0]).data]).toEqual([2, 3, 0, 5, 6, 0, 8, 9, 0])
    expect([...affine(image, [0, -1, 0, 1, 0, 0]).data]).toEqual([3, 6, 9, 2, 5, 8, 1, 4, 7]) // a quarter turn
  })
})

describe('RandAugment’s operations', () => {
  it('have Pillow’s values', () => {
    const row = grey(1, 4, [0, 100, 128, 255])
    expect([...brightness(row, 1.5).data]).toEqual([0, 150, 192, 255])
    expect([...contrast(row, 0).data]).toEqual(Array(4).fill(121)) // the mean
    expect([...contrast(row, 2).data]).toEqual([0, 79, 135, 255])
    expect([...posterize(row, 2).data]).toEqual([0, 64, 128, 192])
    expect([...solarize(row, 128).data]).toEqual([0, 100, 127, 0])
    expect([...autoContrast(grey(1, 3, [50, 100, 150])).data]).toEqual([0, 128, 255])
    expect([...autoContrast(grey(1, 2, [9, 9])).data]).toEqual([9, 9])
    const rgb: ImageBytes = { height: 1, width: 1, channels: 3, data: Uint8Array.of(100, 200, 50) }
    expect([...color(rgb, 0).data]).toEqual([153, 153, 153])
    expect(color(row, 3)).toBe(row)
    expect([...sharpness(grey(3, 3, [0, 0, 0, 0, 130, 0, 0, 0, 0]), 0).data]).toEqual([
      0, 0, 0, 0, 50, 0, 0, 0, 0,
    ])
    // 512 pixels of two levels: their halves of the range.
    const two = grey(
      16,
      32,
      Array.from({ length: 512 }, (_, i) => (i < 256 ? 10 : 20)),
    )
    expect(new Set(equalize(two).data)).toEqual(new Set([0, 255]))
    expect([...equalize(row).data]).toEqual([...row.data]) // too few pixels to spread
  })

  it('of strength 0 change nothing but contrast by histogram', () => {
    const image = picture(6, 7, 3)
    for (const [name, operation] of Object.entries({ ...signed, ...unsigned }))
      if (name !== 'autoContrast' && name !== 'equalize')
        expect(operation(image, 0).data, name).toEqual(image.data)
    expect(Object.keys({ ...signed, ...unsigned })).toHaveLength(14)
  })

  it('of full strength change the image, each in its own way', () => {
    const image = picture(16, 16, 3)
    const results = Object.entries({ ...signed, ...unsigned }).map(([, f]) => f(image, 1).data.join())
    expect(new Set(results).size).toBeGreaterThanOrEqual(12)
  })
})

describe('batches with augmentations', () => {
  const images = new LabelledImages({
    ...{ name: 'noise', height: 8, width: 8, channels: 3, classNames: ['a', 'b'] },
    pixels: Uint8Array.from({ length: 10 * 192 }, (_, i) => (i * 97) % 256),
    labels: Uint8Array.from({ length: 10 }, (_, i) => i % 2),
    statistics: { mean: 0.5, std: 0.25 },
  })
  const epochs = async (augment: Augmentation | Augmentation[], batchSize: number, count = 1) => {
    const batches = images.batches({ batchSize, shuffle: 4, augment })
    const result: Map<string, number[]>[] = []
    for (let epoch = 0; epoch < count; epoch++) {
      const seen = new Map<string, number[]>()
      for await (const { xs, ys } of batches) {
        const values = [...xs.dataSync()]
        const size = values.length / xs.shape[0]!
        for (let i = 0; i < xs.shape[0]!; i++)
          seen.set(`${seen.size}`, values.slice(i * size, (i + 1) * size))
        xs.dispose()
        ys.dispose()
      }
      result.push(seen)
    }
    return result
  }

  it('are the same for any batch size, and others in the next epoch', async () => {
    const augment = [randomResizedCrop(), horizontalFlip(), randAugment(), randomErasing()]
    const [three, five] = await Promise.all([epochs(augment, 3, 2), epochs(augment, 5)])
    expect(three[0]).toEqual(five[0])
    expect(three[0]!.size).toBe(10)
    expect(three[1]).not.toEqual(three[0])
  })

  it('may change the size, to one for all', async () => {
    const [first] = await epochs(randomResizedCrop({ size: [4, 6] }), 4)
    expect(first!.get('9')).toHaveLength(72)
    const uneven: Augmentation = (image, random) =>
      cropAndResize(image, { top: 0, left: 0, height: 8, width: 8 }, random.integer(1, 99), 4)
    await expect(epochs(uneven, 4)).rejects.toThrow(
      'noise: `augment` must give all images one size. Received ',
    )
  })
})

it('bad options are refused with what was received', () => {
  expect(() => randomResizedCrop({ scale: [0, 1] })).toThrow(
    'randomResizedCrop: `scale` must be two numbers, 0 < low <= high <= 1. Received scale=[0, 1].',
  )
  expect(() => randomResizedCrop({ ratio: [2, 1] })).toThrow(
    '`ratio` must be two numbers, 0 < low <= high. Received',
  )
  expect(() => randomResizedCrop({ size: 2.5 })).toThrow(
    '`size` must be positive integers. Received size=2.5,2.5.',
  )
  expect(() => horizontalFlip({ probability: 2 })).toThrow('horizontalFlip: `probability` must be in [0, 1].')
  expect(() => randomErasing({ value: 300 })).toThrow(
    "`value` must be 'noise' or 0 to 255. Received value=300.",
  )
  expect(() => randAugment({ operations: 0 })).toThrow(
    '`operations` must be a positive integer. Received operations=0.',
  )
  expect(() => randAugment({ magnitude: 31 })).toThrow('`magnitude` must be 0 to 30. Received magnitude=31.')
})
