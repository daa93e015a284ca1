/** Packing for the matrix product. */

/**
 * Packs `count` rows (or columns) into panels of `width`, padded with zeros: for each of `kc` steps, `width` floats.
 * `across`: the source holds the k of one row in order, so packing transposes. Otherwise it copies.
 */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
export function packPanels(
  to: usize,
  from: usize,
  stride: i32,
  across: bool,
  count: i32,
  kc: i32,
  width: i32,
  alpha: f32,
): void {
  const step = <usize>width << 2
  let i = 0
  if (!across)
    for (const four = width << 2; i + four <= count; i += four)
      packFourPanels(to + ((<usize>i * kc) << 2), from + (<usize>i << 2), stride, kc, width, alpha)
  for (; i < count; i += width) {
    const present = min(count - i, width)
    const panel = to + ((<usize>i * kc) << 2)
    if (across) {
      const rows = from + ((<usize>i * stride) << 2)
      for (let w = 0; w < width; w += 4) {
        if (w + 4 <= present) packAcross4(panel + (w << 2), rows + ((<usize>w * stride) << 2), stride, kc, step, alpha)
        else
          for (let r = w; r < w + 4; r++) {
            let out = panel + (r << 2)
            const row = rows + ((<usize>r * stride) << 2)
            for (let p = 0; p < kc; p++) {
              store<f32>(out, r < present ? load<f32>(row + (p << 2)) * alpha : 0)
              out += step
            }
          }
      }
    } else {
      const scale = f32x4.splat(alpha)
      let row = from + (<usize>i << 2)
      let out = panel
      const whole = present & ~3
      for (let p = 0; p < kc; p++) {
        let w = 0
        for (; w < whole; w += 4) v128.store(out + (w << 2), f32x4.mul(scale, v128.load(row + (w << 2))))
        for (; w < present; w++) store<f32>(out + (w << 2), load<f32>(row + (w << 2)) * alpha)
        for (; w < width; w++) store<f32>(out + (w << 2), 0)
        row += <usize>stride << 2
        out += step
      }
    }
  }
}

/**
 * Four panels at once, so that each row is read by whole cache lines: rows of 2 or 4 kB fall into few sets of the caches, and
 * a line that is read in parts is gone before the next panel needs the rest. Products gain 2 to 5 %.
 */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function packFourPanels(to: usize, from: usize, stride: i32, kc: i32, width: i32, alpha: f32): void {
  const scale = f32x4.splat(alpha)
  const step = <usize>width << 2
  const panel = <usize>kc * step
  for (let p = 0; p < kc; p++) {
    packRow(to, from, width, scale)
    packRow(to + panel, from + step, width, scale)
    packRow(to + 2 * panel, from + 2 * step, width, scale)
    packRow(to + 3 * panel, from + 3 * step, width, scale)
    from += <usize>stride << 2
    to += step
  }
}

/** 4 or 8 floats. */
// @ts-ignore: decorators on functions are AssemblyScript
@inline
function packRow(to: usize, from: usize, width: i32, scale: v128): void {
  v128.store(to, f32x4.mul(scale, v128.load(from)))
  if (width == 4) return
  v128.store(to, f32x4.mul(scale, v128.load(from, 16)), 16)
}

/** Transposes 4 rows of `kc` floats into steps of 4 floats. */
function packAcross4(out: usize, row: usize, stride: i32, kc: i32, step: usize, alpha: f32): void {
  const r1 = <usize>stride << 2
  const r2 = r1 << 1
  const r3 = r1 + r2
  const scale = f32x4.splat(alpha)
  let p = kc
  for (; p >= 4; p -= 4) {
    const x0 = f32x4.mul(scale, v128.load(row))
    const x1 = f32x4.mul(scale, v128.load(row + r1))
    const x2 = f32x4.mul(scale, v128.load(row + r2))
    const x3 = f32x4.mul(scale, v128.load(row + r3))
    const low01 = v128.shuffle<f32>(x0, x1, 0, 4, 1, 5)
    const high01 = v128.shuffle<f32>(x0, x1, 2, 6, 3, 7)
    const low23 = v128.shuffle<f32>(x2, x3, 0, 4, 1, 5)
    const high23 = v128.shuffle<f32>(x2, x3, 2, 6, 3, 7)
    v128.store(out, v128.shuffle<f32>(low01, low23, 0, 1, 4, 5))
    v128.store(out + step, v128.shuffle<f32>(low01, low23, 2, 3, 6, 7))
    v128.store(out + 2 * step, v128.shuffle<f32>(high01, high23, 0, 1, 4, 5))
    v128.store(out + 3 * step, v128.shuffle<f32>(high01, high23, 2, 3, 6, 7))
    row += 16
    out += 4 * step
  }
  for (; p > 0; p--) {
    store<f32>(out, load<f32>(row) * alpha)
    store<f32>(out, load<f32>(row + r1) * alpha, 4)
    store<f32>(out, load<f32>(row + r2) * alpha, 8)
    store<f32>(out, load<f32>(row + r3) * alpha, 12)
    row += 4
    out += step
  }
}
