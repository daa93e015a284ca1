/** Root-mean-square normalisation of rows: y = x * r * gain, r = 1 / sqrt(mean(x^2) + epsilon). */
import { madd, sumLanes } from './simd'

/** `x`, `y` [rows, n], `gain` [n], `r` [rows]. */
export function rmsNorm(x: usize, gain: usize, y: usize, r: usize, rows: i32, n: i32, epsilon: f32): void {
  const whole = n & ~3
  for (let row = 0; row < rows; row++) {
    const xr = x + ((<usize>row * n) << 2)
    const yr = y + ((<usize>row * n) << 2)
    let squares = f32x4.splat(0)
    let i = 0
    for (; i < whole; i += 4) {
      const v = v128.load(xr + (i << 2))
      squares = madd(v, v, squares)
    }
    let sum = sumLanes(squares)
    for (; i < n; i++) {
      const v = load<f32>(xr + (i << 2))
      sum += v * v
    }
    const inverse: f32 = 1 / sqrt<f32>(sum / <f32>n + epsilon)
    store<f32>(r + (row << 2), inverse)
    const scale = f32x4.splat(inverse)
    for (i = 0; i < whole; i += 4)
      v128.store(yr + (i << 2), f32x4.mul(f32x4.mul(v128.load(xr + (i << 2)), scale), v128.load(gain + (i << 2))))
    for (; i < n; i++) store<f32>(yr + (i << 2), load<f32>(xr + (i << 2)) * inverse * load<f32>(gain + (i << 2)))
  }
}

/**
 * dx = r (g dy - x r^2 mean(g dy x)), dgain = sum over rows of dy x r.
 * `dgain` [n] is overwritten.
 */
export function rmsNormGradient(
  x: usize,
  gain: usize,
  r: usize,
  dy: usize,
  dx: usize,
  dgain: usize,
  rows: i32,
  n: i32,
): void {
  const whole = n & ~3
  memory.fill(dgain, 0, n << 2)
  for (let row = 0; row < rows; row++) {
    const at = (<usize>row * n) << 2
    const xr = x + at
    const gr = dy + at
    const out = dx + at
    const inverse = load<f32>(r + (row << 2))
    const scale = f32x4.splat(inverse)
    let dots = f32x4.splat(0)
    let i = 0
    for (; i < whole; i += 4) {
      const o = i << 2
      const xg = f32x4.mul(v128.load(xr + o), v128.load(gr + o))
      dots = madd(xg, v128.load(gain + o), dots)
      v128.store(dgain + o, madd(xg, scale, v128.load(dgain + o)))
    }
    let dot = sumLanes(dots)
    for (; i < n; i++) {
      const o = i << 2
      const xg = load<f32>(xr + o) * load<f32>(gr + o)
      dot += xg * load<f32>(gain + o)
      store<f32>(dgain + o, load<f32>(dgain + o) + xg * inverse)
    }
    const pull: f32 = (inverse * inverse * dot) / <f32>n
    const pulls = f32x4.splat(pull)
    for (i = 0; i < whole; i += 4) {
      const o = i << 2
      const towards = f32x4.mul(v128.load(gain + o), v128.load(gr + o))
      v128.store(out + o, f32x4.mul(scale, f32x4.sub(towards, f32x4.mul(v128.load(xr + o), pulls))))
    }
    for (; i < n; i++) {
      const o = i << 2
      store<f32>(out + o, inverse * (load<f32>(gain + o) * load<f32>(gr + o) - load<f32>(xr + o) * pull))
    }
  }
}
