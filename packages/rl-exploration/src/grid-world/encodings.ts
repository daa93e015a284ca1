/** Observations in other forms than MiniGrid's three bytes a cell. */
import { IMAGE_BYTES } from './state'

/** How an observation is written. */
export type Encoding = 'image' | 'flat' | 'one-hot'

const OBJECTS = 11
const COLORS = 6
const STATES = 3
/** Values per cell in one-hot form. */
export const ONE_HOT = OBJECTS + COLORS + STATES

/** One-hot form of images: per cell 11 objects, 6 colours, 3 states. */
export function oneHotImages(images: Uint8Array, out: Uint8Array): Uint8Array {
  out.fill(0)
  for (let from = 0, to = 0; from < images.length; from += 3, to += ONE_HOT) {
    out[to + images[from]!] = 1
    out[to + OBJECTS + images[from + 1]!] = 1
    out[to + OBJECTS + COLORS + images[from + 2]!] = 1
  }
  return out
}

/** A function that brings images into the given form; `slot` says which of three buffers to use. */
export function encoder(
  encoding: Encoding,
  numEnvs: number,
): (images: Uint8Array, slot: number) => Uint8Array {
  if (encoding === 'image' || encoding === 'flat') return (images) => images
  if (encoding !== 'one-hot')
    throw new Error(
      `gridWorld: \`encoding\` must be 'image', 'flat' or 'one-hot'. Received encoding=${encoding}.`,
    )
  const size = (numEnvs * IMAGE_BYTES * ONE_HOT) / 3
  const buffers = [0, 1, 2].map(() => new Uint8Array(size))
  return (images, slot) => oneHotImages(images, buffers[slot]!)
}
