/** The default images: Fashion-MNIST's photographs of clothes as PNG files in a folder per class. */
import { existsSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { fashionMnist, type LabelledImages } from '@tfgraft/datasets'
import sharp from 'sharp'

/** Writes `perClass` images of each class, once, and returns the folder. */
export async function clothesFolder(root: string, perClass: number): Promise<string> {
  const folder = join(root, `clothes-${perClass}`)
  if (existsSync(folder)) return folder
  const { test } = await fashionMnist()
  const partial = `${folder}.${process.pid}`
  const [height, width, channels] = test.imageShape
  const written: number[] = test.classNames.map(() => 0)
  await Promise.all(test.classNames.map((name) => mkdir(join(partial, fileName(name)), { recursive: true })))
  for (const [label, image] of labelledBytes(test)) {
    if (written[label]! >= perClass) continue
    const path = join(partial, fileName(test.classNames[label]!), `${written[label]!++}.png`)
    await sharp(image, { raw: { height, width, channels: channels as 1 } })
      .png()
      .toFile(path)
  }
  await rename(partial, folder)
  return folder
}

const fileName = (className: string) => className.toLowerCase().replaceAll(/[^a-z]+/g, '-')

function* labelledBytes(images: LabelledImages): Generator<[number, Uint8Array]> {
  for (let i = 0; i < images.count; i++) yield [images.label(i), images.bytes(i)]
}
