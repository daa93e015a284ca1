/**
 * Patches of an image (NHWC): what one output position of a convolution reads, kh x kw x ci floats. They are laid out for a
 * block of positions at a time, which stays in the cache.
 */
import { addFloats, copyFloats, zeroFloats } from './copy'

/** Output positions per block. */
// @ts-ignore: decorators are AssemblyScript
@inline
export const BLOCK = 256

/** Positions of the next block of `rest`. Never a single one after others: its product would be added up in another order. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function blockLength(rest: i32): i32 {
  return rest == BLOCK + 1 ? BLOCK - 1 : min(rest, BLOCK)
}

/**
 * Copies one patch out of an image. Outside the image there are zeros. Rows are copied in whole vectors: up to three floats too
 * many, which the next row or patch overwrites. Behind the last patch there is scratch.
 */
export function gatherPatch(
  image: usize,
  to: usize,
  top: i32,
  left: i32,
  h: i32,
  w: i32,
  ci: i32,
  kh: i32,
  kw: i32,
  dilationH: i32,
  dilationW: i32,
): void {
  const rowLength = kw * ci
  // A row of the window is one piece of memory, if it is whole and not dilated.
  const whole = dilationW == 1 && left >= 0 && left + kw <= w
  for (let ky = 0; ky < kh; ky++) {
    const y = top + ky * dilationH
    if (y < 0 || y >= h) zeroFloats(to, rowLength)
    else if (whole) {
      const from = image + ((<usize>(y * w + left) * ci) << 2)
      // In the last row, what follows may lie outside of the tensor.
      if (y + 1 == h) copyFloats(to, from, rowLength)
      else for (let o: usize = 0; o < <usize>rowLength << 2; o += 16) v128.store(to + o, v128.load(from + o))
    } else
      for (let kx = 0; kx < kw; kx++) {
        const x = left + kx * dilationW
        const pixel = to + ((<usize>kx * ci) << 2)
        if (x < 0 || x >= w) zeroFloats(pixel, ci)
        else copyFloats(pixel, image + ((<usize>(y * w + x) * ci) << 2), ci)
      }
    to += <usize>rowLength << 2
  }
}

/** Adds one patch to an image. */
export function scatterPatch(
  from: usize,
  image: usize,
  top: i32,
  left: i32,
  h: i32,
  w: i32,
  ci: i32,
  kh: i32,
  kw: i32,
  dilationH: i32,
  dilationW: i32,
): void {
  const rowLength = kw * ci
  const whole = dilationW == 1 && left >= 0 && left + kw <= w
  for (let ky = 0; ky < kh; ky++) {
    const y = top + ky * dilationH
    if (y >= 0 && y < h) {
      if (whole) addFloats(image + ((<usize>(y * w + left) * ci) << 2), from, rowLength)
      else
        for (let kx = 0; kx < kw; kx++) {
          const x = left + kx * dilationW
          if (x >= 0 && x < w)
            addFloats(image + ((<usize>(y * w + x) * ci) << 2), from + ((<usize>kx * ci) << 2), ci)
        }
    }
    from += <usize>rowLength << 2
  }
}
