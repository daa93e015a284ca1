/**
 * Block conjugate gradient with a Gram matrix M, as `src/conjugate-gradient/block.ts` has it: one step size per column
 * of the right-hand side, so the lanes of a vector are columns and a tile of 8 columns needs no other. Only the stop
 * looks across columns.
 */
import { madd, nmadd } from '../../backends/assembly/simd'
import { packTile, tileColumns, tileRowBytes, unpackTile } from '../../backends/assembly/column-tile'

/** Added to both denominators, as in the reference implementation. */
const epsilon: f32 = 1e-6

/**
 * `gram` [n, n], `rhs` and `solution` [n, m], `tau` a scalar, `iterations` a scalar that is written.
 * `work` has tiles (32 rows + 8) + rows^2 + 8 rows floats, with rows = n rounded up to a multiple of 4 and
 * tiles = m / 8 rounded up.
 */
export function blockCg(
  gram: usize,
  rhs: usize,
  tau: usize,
  solution: usize,
  iterations: usize,
  work: usize,
  n: i32,
  m: i32,
  steps: i32,
  tolerance: f32,
  dual: bool,
): void {
  const rows = (n + 3) & ~3
  const tiles = (m + tileColumns - 1) / tileColumns
  const tileBytes = <usize>rows * tileRowBytes
  const all = <usize>tiles * tileBytes
  const residual = work
  const direction = residual + all
  const image = direction + all // M direction
  const sum = image + all
  const squared = sum + all // |r_j|^2, 8 per tile
  const matrix = squared + <usize>tiles * tileRowBytes
  const scratch = matrix + ((<usize>rows * rows) << 2) // M residual, of one tile
  const inverseTau: f32 = <f32>1 / load<f32>(tau)
  copyPadded(gram, matrix, n, rows)
  memory.fill(sum, 0, all)
  let total: f64 = 0
  for (let t = 0; t < tiles; t++) {
    const o = <usize>t * tileBytes
    packTile(rhs, residual + o, n, m, rows, t * tileColumns)
    memory.copy(direction + o, residual + o, tileBytes)
    multiply(matrix, residual + o, image + o, rows)
    const s = squared + <usize>t * tileRowBytes
    norms(residual + o, dual ? image + o : residual + o, s, rows)
    for (let j = 0; j < tileColumns; j++) total += load<f32>(s + (j << 2))
  }
  const goal = <f32>(total / <f64>m) * tolerance
  let step = 1
  for (; ; step++) {
    const last = step === steps
    let largest: f32 = 0
    for (let t = 0; t < tiles; t++) {
      const o = <usize>t * tileBytes
      const worst = advance(
        matrix,
        residual + o,
        direction + o,
        image + o,
        sum + o,
        scratch,
        squared + <usize>t * tileRowBytes,
        rows,
        inverseTau,
        dual,
        last,
      )
      largest = max<f32>(largest, worst)
    }
    if (last || largest < goal) break
  }
  for (let t = 0; t < tiles; t++) unpackTile(sum + <usize>t * tileBytes, solution, n, m, t * tileColumns)
  store<f32>(iterations, <f32>step)
}

function copyPadded(from: usize, to: usize, n: i32, rows: i32): void {
  for (let i = 0; i < rows; i++) {
    const target = to + ((<usize>i * rows) << 2)
    if (i >= n) {
      memory.fill(target, 0, <usize>rows << 2)
      continue
    }
    memory.copy(target, from + ((<usize>i * n) << 2), <usize>n << 2)
    memory.fill(target + (<usize>n << 2), 0, <usize>(rows - n) << 2)
  }
}

/** out = M v for one tile: four rows of M at a time. */
function multiply(matrix: usize, v: usize, out: usize, rows: i32): void {
  const stride = <usize>rows << 2
  for (let row = 0; row < rows; row += 4) {
    const m0 = matrix + <usize>row * stride
    const m1 = m0 + stride
    const m2 = m1 + stride
    const m3 = m2 + stride
    let a0 = f32x4.splat(0)
    let b0 = a0
    let a1 = a0
    let b1 = a0
    let a2 = a0
    let b2 = a0
    let a3 = a0
    let b3 = a0
    let at = v
    for (let k: usize = 0; k < stride; k += 4) {
      const p = v128.load(at, 0)
      const q = v128.load(at, 16)
      at += tileRowBytes
      const c0 = v128.load32_splat(m0 + k)
      a0 = madd(c0, p, a0)
      b0 = madd(c0, q, b0)
      const c1 = v128.load32_splat(m1 + k)
      a1 = madd(c1, p, a1)
      b1 = madd(c1, q, b1)
      const c2 = v128.load32_splat(m2 + k)
      a2 = madd(c2, p, a2)
      b2 = madd(c2, q, b2)
      const c3 = v128.load32_splat(m3 + k)
      a3 = madd(c3, p, a3)
      b3 = madd(c3, q, b3)
    }
    const to = out + <usize>row * tileRowBytes
    v128.store(to, a0, 0)
    v128.store(to, b0, 16)
    v128.store(to, a1, 32)
    v128.store(to, b1, 48)
    v128.store(to, a2, 64)
    v128.store(to, b2, 80)
    v128.store(to, a3, 96)
    v128.store(to, b3, 112)
  }
}

/** Products of the columns of two tiles; in dual form rounding may turn a zero negative, hence the maximum. */
function norms(x: usize, y: usize, out: usize, rows: i32): void {
  let a = f32x4.splat(0)
  let b = a
  const end = <usize>rows * tileRowBytes
  for (let o: usize = 0; o < end; o += tileRowBytes) {
    a = madd(v128.load(x + o, 0), v128.load(y + o, 0), a)
    b = madd(v128.load(x + o, 16), v128.load(y + o, 16), b)
  }
  v128.store(out, f32x4.max(a, f32x4.splat(0)), 0)
  v128.store(out, f32x4.max(b, f32x4.splat(0)), 16)
}

/** One CG step of a tile. Returns the largest |r_j|^2 after it, 0 after the last. */
function advance(
  matrix: usize,
  residual: usize,
  direction: usize,
  image: usize,
  sum: usize,
  scratch: usize,
  squared: usize,
  rows: i32,
  inverseTau: f32,
  dual: bool,
  last: bool,
): f32 {
  const damp = f32x4.splat(inverseTau)
  const end = <usize>rows * tileRowBytes
  const weight = dual ? image : direction
  let a = f32x4.splat(0)
  let b = a
  for (let o: usize = 0; o < end; o += tileRowBytes) {
    // (M + I/tau) p
    const p = madd(damp, v128.load(direction + o, 0), v128.load(image + o, 0))
    const q = madd(damp, v128.load(direction + o, 16), v128.load(image + o, 16))
    a = madd(v128.load(weight + o, 0), p, a)
    b = madd(v128.load(weight + o, 16), q, b)
  }
  const tiny = f32x4.splat(epsilon)
  const beforeA = v128.load(squared, 0)
  const beforeB = v128.load(squared, 16)
  const alphaA = f32x4.div(beforeA, f32x4.add(a, tiny))
  const alphaB = f32x4.div(beforeB, f32x4.add(b, tiny))
  for (let o: usize = 0; o < end; o += tileRowBytes) {
    const p = v128.load(direction + o, 0)
    const q = v128.load(direction + o, 16)
    v128.store(sum + o, madd(alphaA, p, v128.load(sum + o, 0)), 0)
    v128.store(sum + o, madd(alphaB, q, v128.load(sum + o, 16)), 16)
    if (last) continue
    const wp = madd(damp, p, v128.load(image + o, 0))
    const wq = madd(damp, q, v128.load(image + o, 16))
    v128.store(residual + o, nmadd(alphaA, wp, v128.load(residual + o, 0)), 0)
    v128.store(residual + o, nmadd(alphaB, wq, v128.load(residual + o, 16)), 16)
  }
  if (last) return 0
  return turn(matrix, residual, direction, image, scratch, squared, rows, dual)
}

/** The next direction r + beta p and its image M r + beta M p. Returns the largest |r_j|^2. */
function turn(
  matrix: usize,
  residual: usize,
  direction: usize,
  image: usize,
  scratch: usize,
  squared: usize,
  rows: i32,
  dual: bool,
): f32 {
  const end = <usize>rows * tileRowBytes
  const tiny = f32x4.splat(epsilon)
  const beforeA = v128.load(squared, 0)
  const beforeB = v128.load(squared, 16)
  multiply(matrix, residual, scratch, rows)
  norms(residual, dual ? scratch : residual, squared, rows)
  const betaA = f32x4.div(v128.load(squared, 0), f32x4.add(beforeA, tiny))
  const betaB = f32x4.div(v128.load(squared, 16), f32x4.add(beforeB, tiny))
  for (let o: usize = 0; o < end; o += tileRowBytes) {
    v128.store(direction + o, madd(betaA, v128.load(direction + o, 0), v128.load(residual + o, 0)), 0)
    v128.store(direction + o, madd(betaB, v128.load(direction + o, 16), v128.load(residual + o, 16)), 16)
    v128.store(image + o, madd(betaA, v128.load(image + o, 0), v128.load(scratch + o, 0)), 0)
    v128.store(image + o, madd(betaB, v128.load(image + o, 16), v128.load(scratch + o, 16)), 16)
  }
  let largest: f32 = 0
  for (let j = 0; j < tileColumns; j++) largest = max<f32>(largest, load<f32>(squared + (j << 2)))
  return largest
}
