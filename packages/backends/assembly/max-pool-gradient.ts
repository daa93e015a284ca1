/**
 * Gradient of two-dimensional max pooling (NHWC): each window gives its gradient to its first largest element. The
 * windows are searched again, which is cheaper than keeping positions.
 */
import { zeroFloats } from './copy'
import { loadPart, storePart } from './simd'

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
          const dyHere = dy + (<usize>j << 2)
          const g = lanes == 4 ? v128.load(dyHere) : loadPart(dyHere, lanes)
          for (let ky = 0; ky < kh; ky++) {
            const y = top + ky * dilationH
            if (y < 0 || y >= h) continue
            for (let kx = 0; kx < kw; kx++) {
              const xx = left + kx * dilationW
              if (xx < 0 || xx >= w) continue
              const offset = ((y * w + xx) * c + j) << 2
              const share = v128.and(g, i32x4.eq(where, i32x4.splat(offset)))
              if (lanes == 4) v128.store(dx + offset, f32x4.add(v128.load(dx + offset), share))
              else storePart(dx + offset, f32x4.add(loadPart(dx + offset, lanes), share), lanes)
            }
          }
        }
        dy += <usize>c << 2
      }
    x += imageBytes
    dx += imageBytes
  }
}
