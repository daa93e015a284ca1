import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { layers, metrics, sequential } from '@tensorflow/tfjs-layers'
import { defaultStep, fit } from '@tfgraft/core'
import { describeBackends } from '@tfgraft/testing'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { horizontalFlip, randAugment } from '../index'
import { imageFolder } from './image-folder'

const folders: string[] = []
const temporary = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tfgraft-images-'))
  folders.push(folder)
  return folder
}
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))))

type Colour = { r: number; g: number; b: number; alpha?: number }
const RED: Colour = { r: 255, g: 0, b: 0 }
const BLUE: Colour = { r: 0, g: 0, b: 255 }

const plain = (background: Colour, width: number, height: number) =>
  sharp({ create: { width, height, channels: background.alpha === undefined ? 3 : 4, background } })

/** Two classes of differing sizes and formats, one image in a deeper folder, and files that are no images. */
async function colours(count = 6): Promise<string> {
  const root = await temporary()
  await mkdir(join(root, 'red', 'deeper'), { recursive: true })
  await mkdir(join(root, 'blue'))
  for (let i = 0; i < count; i++) {
    await plain(RED, 20 + i, 10)
      .png()
      .toFile(join(root, 'red', i === 0 ? 'deeper/z.png' : `${i}.png`))
    await plain(BLUE, 9, 30 + i)
      .jpeg({ quality: 95 })
      .toFile(join(root, 'blue', `${i}.JPG`))
  }
  await writeFile(join(root, 'red', 'notes.txt'), 'not an image')
  await writeFile(join(root, 'red', '.hidden.png'), 'not an image')
  await writeFile(join(root, 'README.md'), 'not a class')
  return root
}

describe('imageFolder', () => {
  let root: string
  beforeAll(async () => {
    root = await colours()
  })

  it('takes classes from subfolders and images of any size and format', async () => {
    const messages: string[] = []
    const images = await imageFolder(root, {
      ...{ size: [8, 12], cache: false as const, workers: 2 },
      onProgress: ({ message, fraction }) => messages.push(`${fraction} ${message}`),
    })
    expect(images.classNames).toEqual(['blue', 'red'])
    expect([images.count, ...images.imageShape]).toEqual([12, 8, 12, 3])
    for (let i = 0; i < 12; i++) {
      expect(images.label(i)).toBe(i < 6 ? 0 : 1)
      const [r, , b] = images.bytes(i)
      expect(Math.abs(r! - (i < 6 ? 0 : 255)) + Math.abs(b! - (i < 6 ? 255 : 0))).toBeLessThan(6)
    }
    expect(messages[0]).toBe(`0 looking into ${root}`)
    expect(messages).toContain('0.5 decoded 6 of 12 images')
    expect(messages.at(-1)).toBe('1 ready')
  })

  it('covers, contains or distorts; grey has one channel; transparency shows the background', async () => {
    const one = await temporary()
    await mkdir(join(one, 'flag'))
    const half = await plain(BLUE, 8, 8).png().toBuffer()
    await plain(RED, 16, 8)
      .composite([{ input: half, left: 8, top: 0 }])
      .png()
      .toFile(join(one, 'flag', 'a.png'))
    const pixels = async (options: Partial<Parameters<typeof imageFolder>[1]>) =>
      (await imageFolder(one, { size: 8, cache: false, ...options })).bytes(0)
    const at = (data: Uint8Array, y: number, x: number) => [
      ...data.subarray((y * 8 + x) * 3, (y * 8 + x) * 3 + 3),
    ]
    const [cover, contain, fill] = [
      await pixels({}),
      await pixels({ fit: 'contain', background: 'lime' }),
      await pixels({ fit: 'fill' }),
    ]
    expect([at(cover, 0, 0), at(cover, 7, 7)]).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ])
    expect([at(contain, 0, 0), at(contain, 4, 0), at(contain, 4, 7)]).toEqual([
      [0, 255, 0],
      [255, 0, 0],
      [0, 0, 255],
    ])
    expect([at(fill, 0, 0), at(fill, 7, 7)]).toEqual([
      [255, 0, 0],
      [0, 0, 255],
    ])
    const grey = await pixels({ channels: 1 })
    expect(grey).toHaveLength(64)
    expect(grey[0]).toBeGreaterThan(grey[7]!) // red is lighter than blue
    await plain({ r: 0, g: 0, b: 0, alpha: 0 }, 4, 4)
      .png()
      .toFile(join(one, 'flag', 'a.png'))
    expect(at(await pixels({ background: 'white' }), 3, 3)).toEqual([255, 255, 255])
  })

  it('turns images as the camera was held', async () => {
    const turned = await temporary()
    await mkdir(join(turned, 'a'))
    const blue = await plain(BLUE, 8, 4).png().toBuffer()
    // Red above blue, with the mark "turn by 180 degrees".
    const image = plain(RED, 8, 8).composite([{ input: blue, left: 0, top: 4 }])
    await image
      .withMetadata({ orientation: 3 })
      .jpeg({ quality: 100 })
      .toFile(join(turned, 'a', 'a.jpg'))
    const bytes = (await imageFolder(turned, { size: 8, cache: false })).bytes(0)
    expect(bytes[2]).toBeGreaterThan(240)
    expect(bytes[63 * 3]).toBeGreaterThan(240)
  })

  it('a grey file has three channels where colour is asked for', async () => {
    const grey = await temporary()
    await mkdir(join(grey, 'a'))
    await plain({ r: 90, g: 90, b: 90 }, 5, 5)
      .toColourspace('b-w')
      .png()
      .toFile(join(grey, 'a', 'a.png'))
    expect([...(await imageFolder(grey, { size: 1, cache: false })).bytes(0)]).toEqual([90, 90, 90])
  })

  it('keeps a decoded copy until a file or an option changes', async () => {
    const [cache, own] = [await temporary(), await colours(2)]
    const load = async (size = 4) => {
      let decoded = 0
      const images = await imageFolder(own, {
        size,
        cache,
        onProgress: ({ message }) => (decoded += message.startsWith('decoded') ? 1 : 0),
      })
      return { decoded, bytes: Array.from({ length: images.count }, (_, i) => [...images.bytes(i)]) }
    }
    const first = await load()
    expect(first.decoded).toBe(4)
    expect(await load()).toEqual({ ...first, decoded: 0 })
    expect((await load(5)).decoded).toBe(4)
    await plain(BLUE, 4, 4)
      .png()
      .toFile(join(own, 'red', '1.png'))
    await utimes(join(own, 'red', '1.png'), 1, 1)
    const changed = await load()
    expect(changed.decoded).toBe(4)
    expect(changed.bytes).not.toEqual(first.bytes)
    expect(await readdir(cache)).toHaveLength(3)
  })

  it('says what is wrong with the folder, and names files that are no images', async () => {
    const load = (folder: string) => imageFolder(folder, { size: 4, cache: false })
    const empty = await temporary()
    await expect(load(join(empty, 'none'))).rejects.toThrow(
      `imageFolder: cannot read the folder ${join(empty, 'none')}.`,
    )
    await expect(load(empty)).rejects.toThrow(
      `imageFolder: the folder must hold one subfolder per class, with images in it. Received ${empty} with no subfolder.`,
    )
    await plain(RED, 4, 4).png().toFile(join(empty, 'loose.png'))
    await expect(load(empty)).rejects.toThrow(`Received ${empty} with 1 images and no subfolder.`)
    await mkdir(join(empty, 'cats'))
    await expect(load(empty)).rejects.toThrow(
      `imageFolder: every class must have images. Received none in ${join(empty, 'cats')}.`,
    )
    for (const name of ['1', '2', '3'])
      await plain(RED, 4, 4)
        .png()
        .toFile(join(empty, 'cats', `${name}.png`))
    const broken = join(empty, 'cats', '2.png')
    await writeFile(broken, 'broken')
    await expect(load(empty)).rejects.toThrow(
      `imageFolder: every file must be an image that sharp can decode. Received 1 of 3 that are not: ${broken} (`,
    )
  })

  it('bad options are refused before a file is read', async () => {
    const refused = async (options: object, message: string) =>
      expect(imageFolder('/nowhere', { size: 4, ...options })).rejects.toThrow(`imageFolder: ${message}`)
    await refused({ size: 0 }, '`size` must be positive integers. Received size=0.')
    await refused({ channels: 2 }, '`channels` must be 1 or 3. Received channels=2.')
    await refused({ fit: 'crop' }, "`fit` must be 'cover', 'contain' or 'fill'. Received fit=crop.")
    await refused({ workers: 0 }, '`workers` must be a positive integer. Received workers=0.')
  })

  describeBackends('training', () => {
    const model = () =>
      sequential({
        layers: [
          layers.averagePooling2d({ poolSize: 6, inputShape: [6, 6, 3] }),
          layers.flatten(),
          layers.dense({ units: 2, activation: 'softmax', kernelInitializer: 'zeros' }),
        ],
      })

    it('model.fitDataset and fit learn to tell the classes, with augmentations', async () => {
      const images = await imageFolder(root, { size: 6, cache: false })
      const batches = images.batches({
        batchSize: 4,
        shuffle: 1,
        augment: [horizontalFlip(), randAugment({ magnitude: 3 })],
      })
      const plainModel = model()
      plainModel.compile({
        optimizer: tf.train.adam(0.2),
        loss: 'categoricalCrossentropy',
        metrics: ['accuracy'],
      })
      const { history } = await plainModel.fitDataset(batches, { epochs: 12, verbose: 0 })
      expect(history.acc!.at(-1)).toBeGreaterThan(0.9)
      const setup = {
        ...{ model: model(), optimizer: tf.train.adam(0.2), loss: metrics.categoricalCrossentropy },
        step: defaultStep,
      }
      const losses = (await fit(setup, batches, { epochs: 6, seed: 1 })).history.loss!
      expect(losses.at(-1)).toBeLessThan(losses[0] as number)
    })
  })
})
