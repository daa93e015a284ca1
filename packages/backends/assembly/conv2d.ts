/**
 * A two-dimensional convolution (NHWC) and its gradients as matrix products over patches: Y = P W for the convolution, dW^T += dY^T P for
 * the filter, P = dY W^T and its scatter for the input.
 */
import { biasActivation } from './activation'
import { zeroFloats } from './copy'
import { BLOCK, blockLength, gatherPatch, scatterPatch } from './patches'
import { sgemm, sgemmScratch } from './sgemm'

/** Bytes of scratch for each of the three. `patch` is kh kw ci. */
export function conv2dScratch(patch: i32, co: i32): i32 {
  const products = max(sgemmScratch(co, patch, BLOCK), sgemmScratch(BLOCK, patch, co))
  return ((BLOCK * patch) << 2) + max(products, sgemmScratch(BLOCK, co, patch))
}

/**
 * `count` positions of the output, from the `first` on, of y [n, oh, ow, co] from x [n, h, w, ci] and the filter
 * [kh, kw, ci, co]. `bias`, `slopes` and the codes of activations are those of {@link biasActivation}.
 */
export function conv2d(
  x: usize,
  filter: usize,
  y: usize,
  first: i32,
  count: i32,
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
  activation: i32,
  bias: usize,
  slopes: usize,
  slope: f32,
  scratch: usize,
): void {
  const patch = kh * kw * ci
  const patches = scratch
  const product = patches + ((BLOCK * patch) << 2)
  for (let done = 0; done < count; ) {
    const length = blockLength(count - done)
    gatherBlock(x, patches, first + done, length, h, w, ci, oh, ow, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft)
    const out = y + ((<usize>(first + done) * co) << 2)
    sgemm(false, false, length, co, patch, 1, patches, patch, filter, co, out, co, false, product)
    if (activation || bias) biasActivation(activation, out, length, co, bias, slopes, slope)
    done += length
  }
}

/**
 * For each of `count` groups of `length` positions, from the `first` on, of all `positions`: its share of the filter's gradient, as
 * [co, kh kw ci] in `shares`, from x [n, h, w, ci] and dy [n, oh, ow, co]. {@link sumFilterGradient} adds the shares.
 */
export function conv2dBackpropFilter(
  x: usize,
  dy: usize,
  shares: usize,
  first: i32,
  count: i32,
  length: i32,
  positions: i32,
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
  const product = patches + ((BLOCK * patch) << 2)
  for (let group = first; group < first + count; group++) {
    const share = shares + ((<usize>group * co * patch) << 2)
    const begin = group * length
    const end = min(begin + length, positions)
    for (let start = begin; start < end; start += BLOCK) {
      const block = min(end - start, BLOCK)
      gatherBlock(x, patches, start, block, h, w, ci, oh, ow, kh, kw, strideH, strideW, dilationH, dilationW, padTop, padLeft)
      const dyBlock = dy + ((<usize>start * co) << 2)
      sgemm(true, false, co, patch, block, 1, dyBlock, co, patches, patch, share, patch, start > begin, product)
    }
  }
}

/** dw [kh, kw, ci, co], the sum of `groups` shares [co, kh kw ci]. */
export function sumFilterGradient(shares: usize, dw: usize, groups: i32, patch: i32, co: i32): void {
  const size = <usize>(co * patch) << 2
  for (let i = 0; i < patch; i++)
    for (let j = 0; j < co; j++) {
      let share = shares + ((j * patch + i) << 2)
      let sum = load<f32>(share)
      for (let group = 1; group < groups; group++) {
        share += size
        sum += load<f32>(share)
      }
      store<f32>(dw, sum)
      dw += 4
    }
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
  const product = patches + ((BLOCK * patch) << 2)
  const positions = n * oh * ow
  zeroFloats(dx, n * h * w * ci)
  for (let start = 0; start < positions; ) {
    const count = blockLength(positions - start)
    const dyBlock = dy + ((<usize>start * co) << 2)
    sgemm(false, true, count, patch, co, 1, dyBlock, co, filter, co, patches, patch, false, product)
    for (let i = 0; i < count; i++) {
      const at = start + i
      const image = at / (oh * ow)
      const inImage = at - image * oh * ow
      const oy = inImage / ow
      const ox = inImage - oy * ow
      scatterPatch(
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
    start += count
  }
}

/** The patches of `count` positions from the `first` on. */
function gatherBlock(
  x: usize,
  patches: usize,
  first: i32,
  count: i32,
  h: i32,
  w: i32,
  ci: i32,
  oh: i32,
  ow: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32
): void {
  const patchBytes = <usize>(kh * kw * ci) << 2
  const imageBytes = <usize>(h * w * ci) << 2
  let image = x + <usize>(first / (oh * ow)) * imageBytes
  let oy = (first % (oh * ow)) / ow
  let ox = first % ow
  for (let i = 0; i < count; i++) {
    gatherPatch(
      image,
      patches,
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
    patches += patchBytes
    if (++ox == ow) {
      ox = 0
      if (++oy == oh) {
        oy = 0
        image += imageBytes
      }
    }
  }
}
