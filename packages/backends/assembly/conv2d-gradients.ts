/**
 * Gradients of a two-dimensional convolution (NHWC) as matrix products over patches.
 *
 * A patch is what one output position reads: kh x kw x ci floats. Patches are laid out for a block of positions at a
 * time, which stays in the cache: dW^T += dY^T P for the filter, P = dY W^T and its scatter for the input.
 */
import { addFloats, copyFloats, zeroFloats } from './copy'
import { sgemm, sgemmScratch } from './sgemm'

/** Output positions per block: the inner dimension of one pass of the product. */
const BLOCK = 256

/** Bytes of scratch for either gradient. `patch` is kh kw ci. */
export function conv2dGradientScratch(patch: i32, co: i32): i32 {
  const product = max(sgemmScratch(co, patch, BLOCK), sgemmScratch(BLOCK, patch, co))
  return (BLOCK * patch + co * patch) * 4 + product
}

/** dw [kh, kw, ci, co] from x [n, h, w, ci] and dy [n, oh, ow, co]. */
export function conv2dBackpropFilter(
  x: usize,
  dy: usize,
  dw: usize,
  n: i32,
  h: i32,
  w: i32,
  ci: i32,
  oh: i32,
  ow: i32,
  co: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  scratch: usize,
): void {
  const patch = kh * kw * ci
  const patches = scratch
  const transposed = patches + ((BLOCK * patch) << 2)
  const product = transposed + ((co * patch) << 2)
  const positions = n * oh * ow
  for (let start = 0; start < positions; start += BLOCK) {
    const count = min(positions - start, BLOCK)
    for (let i = 0; i < count; i++) {
      const at = start + i
      const image = at / (oh * ow)
      const inImage = at - image * oh * ow
      const oy = inImage / ow
      const ox = inImage - oy * ow
      gather(
        x + ((<usize>image * h * w * ci) << 2),
        patches + ((<usize>i * patch) << 2),
        oy * strideH - padTop,
        ox * strideW - padLeft,
        h,
        w,
        ci,
        kh,
        kw,
        dilationH,
        dilationW,
      )
    }
    const dyBlock = dy + ((<usize>start * co) << 2)
    sgemm(true, false, co, patch, count, 1, dyBlock, co, patches, patch, transposed, patch, start > 0, product)
  }
  for (let i = 0; i < patch; i++)
    for (let j = 0; j < co; j++)
      store<f32>(dw + ((i * co + j) << 2), load<f32>(transposed + ((j * patch + i) << 2)))
}

/** dx [n, h, w, ci] from dy [n, oh, ow, co] and the filter [kh, kw, ci, co]. */
export function conv2dBackpropInput(
  filter: usize,
  dy: usize,
  dx: usize,
  n: i32,
  h: i32,
  w: i32,
  ci: i32,
  oh: i32,
  ow: i32,
  co: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
  scratch: usize,
): void {
  const patch = kh * kw * ci
  const patches = scratch
  const product = patches + ((BLOCK * patch + co * patch) << 2)
  const positions = n * oh * ow
  zeroFloats(dx, n * h * w * ci)
  for (let start = 0; start < positions; start += BLOCK) {
    const count = min(positions - start, BLOCK)
    const dyBlock = dy + ((<usize>start * co) << 2)
    sgemm(false, true, count, patch, co, 1, dyBlock, co, filter, co, patches, patch, false, product)
    for (let i = 0; i < count; i++) {
      const at = start + i
      const image = at / (oh * ow)
      const inImage = at - image * oh * ow
      const oy = inImage / ow
      const ox = inImage - oy * ow
      scatter(
        patches + ((<usize>i * patch) << 2),
        dx + ((<usize>image * h * w * ci) << 2),
        oy * strideH - padTop,
        ox * strideW - padLeft,
        h,
        w,
        ci,
        kh,
        kw,
        dilationH,
        dilationW,
      )
    }
  }
}

/** Copies one patch out of an image. Outside the image there are zeros. */
function gather(
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
    else if (whole) copyFloats(to, image + ((<usize>(y * w + left) * ci) << 2), rowLength)
    else
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
function scatter(
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
