/** Episodes as animated GIFs. */
import * as gifencModule from 'gifenc'
import type { RgbImage } from './render'

// Node sees gifenc's CommonJS build as a default export only, bundlers its named exports.
const { GIFEncoder, quantize, applyPalette } =
  'GIFEncoder' in gifencModule ? gifencModule : (gifencModule as { default: typeof gifencModule }).default

/** Options of {@link episodeGif}. */
export interface EpisodeGifOptions {
  /** Milliseconds that each picture stays. @default 120 */
  delay?: number
  /** Milliseconds that the last one stays. @default 1000 */
  lastDelay?: number
}

/**
 * Makes an endlessly repeated GIF of pictures of one size, such as `render('rgb')` gives. Returns the file's bytes.
 *
 * @throws When there is no picture, or sizes differ.
 * @example
 * ```ts
 * import { episodeGif, gridWorld } from '@tfgraft/rl-exploration'
 *
 * const env = gridWorld('Empty-5x5-v0', { seed: 1 })
 * env.reset()
 * const frames = [env.render('rgb', 0, 16)]
 * for (const action of [2, 2, 1, 2, 2]) {
 *   env.step(Int32Array.of(action))
 *   frames.push(env.render('rgb', 0, 16))
 * }
 * console.log(episodeGif(frames).length) // write these bytes to episode.gif
 * ```
 */
export function episodeGif(
  frames: readonly RgbImage[],
  { delay = 120, lastDelay = 1000 }: EpisodeGifOptions = {},
): Uint8Array {
  const [first] = frames
  if (!first) throw new Error('episodeGif: `frames` must hold one picture or more. Received none.')
  const encoder = GIFEncoder()
  frames.forEach(({ width, height, data }, k) => {
    if (width !== first.width || height !== first.height)
      throw new Error(
        `episodeGif: pictures must be of one size. Received ${width} x ${height} after ${first.width} x ${first.height}.`,
      )
    const rgba = new Uint8Array(4 * width * height).fill(255)
    for (let i = 0; i < width * height; i++) rgba.set(data.subarray(3 * i, 3 * i + 3), 4 * i)
    const palette = quantize(rgba, 256)
    encoder.writeFrame(applyPalette(rgba, palette), width, height, {
      palette,
      delay: k === frames.length - 1 ? lastDelay : delay,
      repeat: 0,
    })
  })
  encoder.finish()
  return encoder.bytes()
}
