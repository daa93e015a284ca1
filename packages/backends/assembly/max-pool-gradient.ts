/**
 * Gradient of two-dimensional max pooling (NHWC): each window gives its gradient to its first largest element. The
 * windows are searched again, which is cheaper than keeping positions.
 */
import { zeroFloats } from './copy'
import { loadPart } from './simd'

export function maxPoolGradient(
  x: usize,
  dy: usize,
  dx: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  oh: i32,
  ow: i32,
  kh: i32,
  kw: i32,
  strideH: i32,
  strideW: i32,
  dilationH: i32,
  dilationW: i32,
  padTop: i32,
  padLeft: i32,
): void {
  zeroFloats(dx, n * h * w * c)
  const imageBytes = (<usize>(h * w * c)) << 2
  for (let image = 0; image < n; image++) {
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++) {
        const top = oy * strideH - padTop
        const left = ox * strideW - padLeft
        for (let j = 0; j < c; j += 4) {
          const lanes = min(c - j, 4)
          let best = f32x4.splat(-Infinity)
          let where = i32x4.splat(-1)
          for (let ky = 0; ky < kh; ky++) {
            const y = top + ky * dilationH
            if (y < 0 || y >= h) continue
            for (let kx = 0; kx < kw; kx++) {
              const xx = left + kx * dilationW
              if (xx < 0 || xx >= w) continue
              const offset = ((y * w + xx) * c + j) << 2
              const v = lanes == 4 ? v128.load(x + offset) : loadPart(x + offset, lanes)
              // The first element of the window counts even where nothing is larger than -Infinity.
              const larger = v128.or(f32x4.gt(v, best), i32x4.lt_s(where, i32x4.splat(0)))
              best = v128.bitselect(v, best, larger)
              where = v128.bitselect(i32x4.splat(offset), where, larger)
            }
          }
          add(dx, i32x4.extract_lane(where, 0), load<f32>(dy + (<usize>j << 2)))
          if (lanes > 1) add(dx, i32x4.extract_lane(where, 1) + 4, load<f32>(dy + (<usize>j << 2), 4))
          if (lanes > 2) add(dx, i32x4.extract_lane(where, 2) + 8, load<f32>(dy + (<usize>j << 2), 8))
          if (lanes > 3) add(dx, i32x4.extract_lane(where, 3) + 12, load<f32>(dy + (<usize>j << 2), 12))
        }
        dy += <usize>c << 2
      }
    x += imageBytes
    dx += imageBytes
  }
}

// @ts-ignore: decorators on functions are AssemblyScript
@inline
function add(image: usize, offset: i32, value: f32): void {
  const to = image + offset
  store<f32>(to, load<f32>(to) + value)
}
