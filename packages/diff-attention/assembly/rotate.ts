/** Rotary position embedding. */
import { madd } from '../../backends/assembly/simd'

/**
 * `x`, `y` [batch, length, heads, 2 half]: pairs of features turned by the angles whose cosines and sines are given,
 * [length, half]. `direction` is 1 or -1.
 */
export function rotate(
  x: usize,
  y: usize,
  rows: i32,
  length: i32,
  heads: i32,
  half: i32,
  cos: usize,
  sin: usize,
  interleaved: bool,
  direction: f32,
): void {
  const bytes = <usize>half << 2
  for (let row = 0; row < rows; row++) {
    const angles = <usize>(row % length) * bytes
    for (let head = 0; head < heads; head++) {
      if (interleaved) turnNeighbours(x, y, half, cos + angles, sin + angles, direction)
      else turnHalves(x, y, half, cos + angles, sin + angles, direction)
      x += 2 * bytes
      y += 2 * bytes
    }
  }
}

function turnNeighbours(x: usize, y: usize, half: i32, cos: usize, sin: usize, direction: f32): void {
  const signs = f32x4(-direction, direction, -direction, direction)
  let i = 0
  for (; i + 2 <= half; i += 2) {
    const c = v128.load64_zero(cos + (i << 2))
    const s = v128.load64_zero(sin + (i << 2))
    const pairs = v128.load(x + (i << 3))
    const swapped = v128.shuffle<f32>(pairs, pairs, 1, 0, 3, 2)
    const turned = f32x4.mul(swapped, f32x4.mul(v128.shuffle<f32>(s, s, 0, 0, 1, 1), signs))
    v128.store(y + (i << 3), madd(pairs, v128.shuffle<f32>(c, c, 0, 0, 1, 1), turned))
  }
  for (; i < half; i++) {
    const c = load<f32>(cos + (i << 2))
    const s = load<f32>(sin + (i << 2)) * direction
    const a = load<f32>(x + (i << 3))
    const b = load<f32>(x + (i << 3), 4)
    store<f32>(y + (i << 3), a * c - b * s)
    store<f32>(y + (i << 3), a * s + b * c, 4)
  }
}

function turnHalves(x: usize, y: usize, half: i32, cos: usize, sin: usize, direction: f32): void {
  const upper = <usize>half << 2
  const d = f32x4.splat(direction)
  let i = 0
  for (; i + 4 <= half; i += 4) {
    const at = i << 2
    const c = v128.load(cos + at)
    const s = f32x4.mul(v128.load(sin + at), d)
    const a = v128.load(x + at)
    const b = v128.load(x + upper + at)
    v128.store(y + at, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)))
    v128.store(y + upper + at, madd(a, s, f32x4.mul(b, c)))
  }
  for (; i < half; i++) {
    const at = i << 2
    const c = load<f32>(cos + at)
    const s = load<f32>(sin + at) * direction
    const a = load<f32>(x + at)
    const b = load<f32>(x + upper + at)
    store<f32>(y + at, a * c - b * s)
    store<f32>(y + upper + at, a * s + b * c)
  }
}
