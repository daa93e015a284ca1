/**
 * Gradients of depthwise convolutions, an image at a time. A multiplier is unrolled: each channel of the image is repeated once per
 * output channel, so that all loops know one kind of channel. The image lies in a frame of zeros, so that none asks for borders.
 */
import { madd } from './simd'

/** `x` [height, width, channels] into the middle of `to` [paddedHeight, paddedWidth, channels multiplier], each channel repeated. */
function frame(
  x: usize,
  to: usize,
  height: i32,
  width: i32,
  channels: i32,
  multiplier: i32,
  paddedHeight: i32,
  paddedWidth: i32,
  top: i32,
  left: i32,
): void {
  const wide = channels * multiplier
  memory.fill(to, 0, <usize>(paddedHeight * paddedWidth * wide) << 2)
  const columns = min(width, paddedWidth - left)
  for (let i = 0; i < min(height, paddedHeight - top); i++) {
    let from = x + (<usize>(i * width * channels) << 2)
    let at = to + (<usize>(((i + top) * paddedWidth + left) * wide) << 2)
    if (multiplier == 1) {
      memory.copy(at, from, <usize>(columns * channels) << 2)
      continue
    }
    for (let j = 0; j < columns * channels; j++) {
      const value = load<f32>(from)
      from += 4
      for (let m = 0; m < multiplier; m++) {
        store<f32>(at, value)
        at += 4
      }
    }
  }
}

/** Bytes that both gradients need at `scratch`. */
export function depthwiseScratch(paddedHeight: i32, paddedWidth: i32, wide: i32): i32 {
  return (paddedHeight * paddedWidth * wide) << 2
}

/** Four channels of `taps` (1 to 3) neighbouring taps of the filter's gradient, summed over the outputs of a row. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function rowOfTaps(
  taps: i32,
  x: usize,
  xStep: usize,
  tapStep: usize,
  dy: usize,
  dyStep: usize,
  outputs: i32,
  dw: usize,
  dwStep: usize,
): void {
  let s0 = v128.load(dw)
  let s1 = taps > 1 ? v128.load(dw + dwStep) : s0
  let s2 = taps > 2 ? v128.load(dw + 2 * dwStep) : s0
  for (let j = 0; j < outputs; j++) {
    const d = v128.load(dy)
    s0 = madd(d, v128.load(x), s0)
    if (taps > 1) s1 = madd(d, v128.load(x + tapStep), s1)
    if (taps > 2) s2 = madd(d, v128.load(x + 2 * tapStep), s2)
    dy += dyStep
    x += xStep
  }
  v128.store(dw, s0)
  if (taps > 1) v128.store(dw + dwStep, s1)
  if (taps > 2) v128.store(dw + 2 * dwStep, s2)
}

/**
 * dw[n, k, l, c] = sum over i, j of x[n, i stride + k dilation - top, ..., c] dy[n, i, j, c], for each of `images` images apart, so that the
 * sum over them does not depend on who computes which. `x` [images, height, width, channels], `dy` [images, outHeight, outWidth,
 * channels multiplier], `dw` [images, filterHeight, filterWidth, channels multiplier].
 */
export function depthwiseFilterGradient(
  x: usize,
  dy: usize,
  dw: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  multiplier: i32,
  paddedHeight: i32,
  paddedWidth: i32,
  top: i32,
  left: i32,
  filterHeight: i32,
  filterWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  dilationHeight: i32,
  dilationWidth: i32,
  outHeight: i32,
  outWidth: i32,
  scratch: usize,
): void {
  const wide = channels * multiplier
  const step = <usize>wide << 2
  const xStep = step * strideWidth
  const tapStep = step * dilationWidth
  const whole = wide & ~3
  for (let image = 0; image < images; image++) {
    frame(x, scratch, height, width, channels, multiplier, paddedHeight, paddedWidth, top, left)
    memory.fill(dw, 0, <usize>(filterHeight * filterWidth) * step)
    for (let i = 0; i < outHeight; i++) {
      const d = dy + <usize>(i * outWidth) * step
      for (let k = 0; k < filterHeight; k++) {
        const row = scratch + <usize>((i * strideHeight + k * dilationHeight) * paddedWidth) * step
        for (let l = 0; l < filterWidth; l += 3) {
          const from = row + <usize>l * tapStep
          const to = dw + <usize>(k * filterWidth + l) * step
          const taps = min(filterWidth - l, 3)
          for (let c: usize = 0; c < <usize>whole << 2; c += 16) {
            if (taps == 3) rowOfTaps(3, from + c, xStep, tapStep, d + c, step, outWidth, to + c, step)
            else if (taps == 2) rowOfTaps(2, from + c, xStep, tapStep, d + c, step, outWidth, to + c, step)
            else rowOfTaps(1, from + c, xStep, tapStep, d + c, step, outWidth, to + c, step)
          }
          for (let c = whole; c < wide; c++)
            for (let tap = 0; tap < taps; tap++) {
              let p = from + <usize>tap * tapStep + (<usize>c << 2)
              let q = d + (<usize>c << 2)
              let sum: f32 = 0
              for (let j = 0; j < outWidth; j++) {
                sum += load<f32>(p) * load<f32>(q)
                p += xStep
                q += step
              }
              const at = to + <usize>tap * step + (<usize>c << 2)
              store<f32>(at, load<f32>(at) + sum)
            }
        }
      }
    }
    x += <usize>(height * width * channels) << 2
    dy += <usize>(outHeight * outWidth) * step
    dw += <usize>(filterHeight * filterWidth) * step
  }
}

/**
 * dx[n, i stride + k dilation - top, ..., c] += dy[n, i, j, c] w[k, l, c], over all taps, and over the output channels of an input channel.
 * Shapes as above, `w` [filterHeight, filterWidth, channels multiplier].
 */
export function depthwiseInputGradient(
  dy: usize,
  w: usize,
  dx: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  multiplier: i32,
  paddedHeight: i32,
  paddedWidth: i32,
  top: i32,
  left: i32,
  filterHeight: i32,
  filterWidth: i32,
  strideHeight: i32,
  strideWidth: i32,
  dilationHeight: i32,
  dilationWidth: i32,
  outHeight: i32,
  outWidth: i32,
  scratch: usize,
): void {
  const wide = channels * multiplier
  const step = <usize>wide << 2
  const whole = wide & ~3
  for (let image = 0; image < images; image++) {
    memory.fill(scratch, 0, <usize>(paddedHeight * paddedWidth) * step)
    for (let i = 0; i < outHeight; i++) {
      const d = dy + <usize>(i * outWidth) * step
      for (let k = 0; k < filterHeight; k++) {
        const row = scratch + <usize>((i * strideHeight + k * dilationHeight) * paddedWidth) * step
        for (let l = 0; l < filterWidth; l++)
          spreadRow(
            d,
            w + <usize>(k * filterWidth + l) * step,
            row + <usize>(l * dilationWidth) * step,
            step * strideWidth,
            outWidth,
            whole,
            wide,
          )
      }
    }
    unframe(scratch, dx, height, width, channels, multiplier, paddedHeight, paddedWidth, top, left)
    dy += <usize>(outHeight * outWidth) * step
    dx += <usize>(height * width * channels) << 2
  }
}

/** A row of outputs times one tap of the filter, added to every `toStep` bytes of the image. */
function spreadRow(dy: usize, w: usize, to: usize, toStep: usize, outputs: i32, whole: i32, wide: i32): void {
  const step = <usize>wide << 2
  for (let c = 0; c < whole; c += 4) {
    const weight = v128.load(w + (<usize>c << 2))
    let d = dy + (<usize>c << 2)
    let at = to + (<usize>c << 2)
    for (let j = 0; j < outputs; j++) {
      v128.store(at, madd(v128.load(d), weight, v128.load(at)))
      d += step
      at += toStep
    }
  }
  for (let c = whole; c < wide; c++) {
    const weight = load<f32>(w + (<usize>c << 2))
    let d = dy + (<usize>c << 2)
    let at = to + (<usize>c << 2)
    for (let j = 0; j < outputs; j++) {
      store<f32>(at, load<f32>(at) + load<f32>(d) * weight)
      d += step
      at += toStep
    }
  }
}

/** What {@link frame} framed; output channels of one input channel are added. */
function unframe(
  from: usize,
  x: usize,
  height: i32,
  width: i32,
  channels: i32,
  multiplier: i32,
  paddedHeight: i32,
  paddedWidth: i32,
  top: i32,
  left: i32,
): void {
  const wide = channels * multiplier
  const columns = min(width, paddedWidth - left)
  for (let i = 0; i < height; i++) {
    let to = x + (<usize>(i * width * channels) << 2)
    // Rows and columns that no output saw.
    memory.fill(to, 0, <usize>(width * channels) << 2)
    if (i + top >= paddedHeight) continue
    let at = from + (<usize>(((i + top) * paddedWidth + left) * wide) << 2)
    if (multiplier == 1) {
      memory.copy(to, at, <usize>(columns * channels) << 2)
      continue
    }
    for (let j = 0; j < columns * channels; j++) {
      let sum: f32 = 0
      for (let m = 0; m < multiplier; m++) {
        sum += load<f32>(at)
        at += 4
      }
      store<f32>(to, sum)
      to += 4
    }
  }
}
