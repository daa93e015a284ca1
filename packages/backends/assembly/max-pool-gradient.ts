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
  const pairs = kh == 2 && kw == 2 && strideH == 2 && strideW == 2 && dilationH == 1 && dilationW == 1
  // With rounding up, the last window may reach beyond the image.
  const inside = oh == h >> 1 && ow == w >> 1
  if (pairs && inside && !padTop && !padLeft && !(c & 3)) return ofPairs(x, dy, dx, n, h, w, c, oh, ow)
  zeroFloats(dx, n * h * w * c)
  const imageBytes = (<usize>(h * w * c)) << 2
  for (let image = 0; image < n; image++) {
    for (let oy = 0; oy < oh; oy++)
      for (let ox = 0; ox < ow; ox++) {
        const top = oy * strideH - padTop
        const left = ox * strideW - padLeft
        const yFirst = top < 0 ? top + (dilationH - 1 - top) / dilationH * dilationH : top
        const xFirst = left < 0 ? left + (dilationW - 1 - left) / dilationW * dilationW : left
        const yEnd = min(h, top + kh * dilationH)
        const xEnd = min(w, left + kw * dilationW)
        for (let j = 0; j < c; j += 4) {
          const lanes = min(c - j, 4)
          let best = f32x4.splat(-Infinity)
          let where = i32x4.splat(-1)
          for (let y = yFirst; y < yEnd; y += dilationH)
            for (let xx = xFirst; xx < xEnd; xx += dilationW) {
              const offset = ((y * w + xx) * c + j) << 2
              const v = lanes == 4 ? v128.load(x + offset) : loadPart(x + offset, lanes)
              // The first element of the window counts even where nothing is larger than -Infinity.
              const larger = v128.or(f32x4.gt(v, best), i32x4.lt_s(where, i32x4.splat(0)))
              best = v128.bitselect(v, best, larger)
              where = v128.bitselect(i32x4.splat(offset), where, larger)
            }
          const dyHere = dy + (<usize>j << 2)
          const g = lanes == 4 ? v128.load(dyHere) : loadPart(dyHere, lanes)
          for (let y = yFirst; y < yEnd; y += dilationH)
            for (let xx = xFirst; xx < xEnd; xx += dilationW) {
              const offset = ((y * w + xx) * c + j) << 2
              const share = v128.and(g, i32x4.eq(where, i32x4.splat(offset)))
              if (lanes == 4) v128.store(dx + offset, f32x4.add(v128.load(dx + offset), share))
              else storePart(dx + offset, f32x4.add(loadPart(dx + offset, lanes), share), lanes)
            }
        }
        dy += <usize>c << 2
      }
    x += imageBytes
    dx += imageBytes
  }
}

/** Windows of 2 x 2 that do not overlap, without padding: every element is read once, and written once. */
function ofPairs(x: usize, dy: usize, dx: usize, n: i32, h: i32, w: i32, c: i32, oh: i32, ow: i32): void {
  const pixel = <usize>c << 2
  const row = <usize>w * pixel
  for (let image = 0; image < n; image++) {
    for (let oy = 0; oy < oh; oy++) {
      for (let ox = 0; ox < ow; ox++) {
        for (let o: usize = 0; o < pixel; o += 16) {
          const above = x + o
          const below = above + row
          const x0 = v128.load(above)
          const x1 = v128.load(above + pixel)
          const x2 = v128.load(below)
          const x3 = v128.load(below + pixel)
          const g = v128.load(dy + o)
          // Each mask: larger than all before it. The last that holds is the first maximum.
          const second = f32x4.gt(x1, x0)
          const best1 = v128.bitselect(x1, x0, second)
          const third = f32x4.gt(x2, best1)
          const best2 = v128.bitselect(x2, best1, third)
          const fourth = f32x4.gt(x3, best2)
          const later = v128.or(third, fourth)
          const to = dx + o
          v128.store(to, v128.andnot(g, v128.or(second, later)))
          v128.store(to + pixel, v128.andnot(v128.and(g, second), later))
          v128.store(to + row, v128.andnot(v128.and(g, third), fourth))
          v128.store(to + row + pixel, v128.and(g, fourth))
        }
        x += pixel << 1
        dx += pixel << 1
        dy += pixel
      }
      // What no window covers, at the right and at the bottom.
      if (w & 1) {
        zeroFloats(dx, c)
        zeroFloats(dx + row, c)
        x += pixel
        dx += pixel
      }
      x += row
      dx += row
    }
    if (h & 1) {
      zeroFloats(dx, w * c)
      x += row
      dx += row
    }
  }
}
