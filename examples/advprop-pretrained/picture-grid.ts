import type * as tf from '@tensorflow/tfjs-core'
import sharp from 'sharp'

/** Writes rows of images [count, size, size, 3] in 0..1 as a PNG, each pixel enlarged. */
export async function writePictureGrid(path: string, rows: tf.Tensor4D[], zoom = 2): Promise<void> {
  const [count, size] = rows[0]!.shape
  const cell = size * zoom + 4
  const pictures = rows.flatMap((row, r) => {
    const bytes = Uint8Array.from(row.dataSync(), (value) => Math.round(255 * value))
    return Array.from({ length: count }, async (_, c) => ({
      input: await sharp(bytes.subarray(c * size * size * 3, (c + 1) * size * size * 3), {
        raw: { width: size, height: size, channels: 3 },
      })
        .resize(size * zoom, size * zoom, { kernel: 'nearest' })
        .png()
        .toBuffer(),
      left: c * cell + 4,
      top: r * cell + 4,
    }))
  })
  const [width, height] = [count * cell + 4, rows.length * cell + 4]
  await sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite(await Promise.all(pictures))
    .png()
    .toFile(path)
}
