/**
 * A'A and A'1 for the patch matrix A of a convolution with stride 1, without the patches.
 *
 * With q = p + (i, j) for an output position p and a tap (i, j), the entry of taps (i, j) and (i', j') sums x[q] x[q + d]'
 * over the positions q that the first tap reaches, with d = (i' - i, j' - j). Many pairs of taps share a displacement d
 * and differ only in which rows and columns at the border they reach. So the image is cut into cells, inside which
 * all positions are reached by the same taps; each cell's sums for every displacement are made once and added to
 * all entries that they belong to: kh (2 kw - 1) c^2 multiplications per position instead of (kh kw c)^2.
 *
 * The pixels x - kw + 1 .. x + kw - 1 of a row lie side by side, so the sums of one vertical displacement are one product
 * of c rows and (2 kw - 1) c columns. Nothing is subtracted; no digits are lost beside those of the sums.
 */
import { madd } from '../../backends/assembly/simd'

/** Floats of packed images that stay in the second-level cache. */
const chunkFloats = 32768

/** Columns of the product of one vertical displacement, with room for the last tile of 12. */
export function displacementColumns(channels: i32, kw: i32): i32 {
  return (((2 * kw - 1) * channels + 11) / 12) * 12 + 12
}

/** The first position of a row (or column) from `start` on that other taps reach. */
function endOfClass(start: i32, size: i32, kernel: i32, before: i32, length: i32): i32 {
  let end = start + 1
  while (
    end < size &&
    firstTap(end, before, length) === firstTap(start, before, length) &&
    lastTap(end, kernel, before) === lastTap(start, kernel, before)
  )
    end++
  return end
}

/** Taps i with 0 <= y - i + before < length. */
function firstTap(y: i32, before: i32, length: i32): i32 {
  return max(0, y + before - length + 1)
}

function lastTap(y: i32, kernel: i32, before: i32): i32 {
  return min(kernel - 1, y + before)
}

function countClasses(size: i32, kernel: i32, before: i32, length: i32): i32 {
  let count = 0
  for (let y = 0; y < size; y = endOfClass(y, size, kernel, before, length)) count++
  return count
}

function imagesPerChunk(images: i32, height: i32, width: i32, channels: i32): i32 {
  return max(1, min(images, chunkFloats / (height * width * channels)))
}

/** Bytes of scratch that `patchGram` wants, for the same arguments. */
export function patchGramScratch(
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  kh: i32,
  kw: i32,
  top: i32,
  left: i32,
  oh: i32,
  ow: i32,
): f64 {
  const padded = (channels + 3) & ~3
  const chunk = imagesPerChunk(images, height, width, channels)
  const cells = <f64>countClasses(height, kh, top, oh) * <f64>countClasses(width, kw, left, ow)
  const packed = <f64>(chunk * height) * <f64>(width * padded + (width + 2 * kw - 2) * channels)
  const sums = cells * <f64>(kh * padded) * <f64>displacementColumns(channels, kw)
  return 4 * (packed + sums + cells * <f64>channels + 32)
}

/**
 * `x` [images, height, width, channels], `gram` [d, d] and `sums` [d] with d = kh kw channels. `top` and `left` are the
 * padding before, `oh` and `ow` the size of the output.
 */
export function patchGram(
  x: usize,
  gram: usize,
  sums: usize,
  work: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  kh: i32,
  kw: i32,
  top: i32,
  left: i32,
  oh: i32,
  ow: i32,
): void {
  const padded = (channels + 3) & ~3
  const columns = displacementColumns(channels, kw)
  const chunk = imagesPerChunk(images, height, width, channels)
  const imageFloats = height * width * channels
  const productBytes = (<usize>padded * columns) << 2
  const cells = countClasses(height, kh, top, oh) * countClasses(width, kw, left, ow)
  const left4 = work // pixels by groups of four channels
  const right = left4 + ((<usize>chunk * height * width * padded) << 2) // rows between zeros
  const products = right + ((<usize>chunk * height * (width + 2 * kw - 2) * channels + 16) << 2)
  const cellSums = products + <usize>cells * kh * productBytes
  memory.fill(products, 0, <usize>cells * kh * productBytes + ((<usize>cells * channels) << 2))
  for (let image = 0; image < images; image += chunk) {
    const count = min(chunk, images - image)
    const from = x + ((<usize>image * imageFloats) << 2)
    packLeft(from, left4, count * height, width, channels, padded)
    packRight(from, right, count * height, width, channels, kw)
    let cell = 0
    for (let y = 0; y < height; ) {
      const bottom = endOfClass(y, height, kh, top, oh)
      for (let z = 0; z < width; ) {
        const end = endOfClass(z, width, kw, left, ow)
        sumCell(from, cellSums + ((<usize>cell * channels) << 2), count, height, width, channels, y, bottom, z, end)
        for (let dy = 0; dy + firstTap(y, top, oh) < kh; dy++)
          displacedProducts(
            left4,
            right,
            products + (<usize>cell * kh + dy) * productBytes,
            count,
            height,
            width,
            channels,
            kw,
            y,
            min(bottom, height - dy),
            z,
            end,
            dy,
          )
        cell++
        z = end
      }
      y = bottom
    }
  }
  memory.fill(gram, 0, (<usize>(kh * kw * channels) * (kh * kw * channels)) << 2)
  memory.fill(sums, 0, (<usize>kh * kw * channels) << 2)
  let cell = 0
  for (let y = 0; y < height; y = endOfClass(y, height, kh, top, oh))
    for (let z = 0; z < width; z = endOfClass(z, width, kw, left, ow)) {
      for (let i = firstTap(y, top, oh); i <= lastTap(y, kh, top); i++)
        for (let j = firstTap(z, left, ow); j <= lastTap(z, kw, left); j++) {
          const tap = i * kw + j
          addTo(sums + ((<usize>tap * channels) << 2), cellSums + ((<usize>cell * channels) << 2), channels)
          for (let dy = 0; i + dy < kh; dy++)
            for (let other = dy === 0 ? j : 0; other < kw; other++)
              addBlock(
                gram,
                products + (<usize>cell * kh + dy) * productBytes + ((<usize>(other - j + kw - 1) * channels) << 2),
                tap,
                (i + dy) * kw + other,
                channels,
                kh * kw * channels,
                columns,
              )
        }
      cell++
    }
  mirror(gram, kh * kw * channels)
}

/** [rows, width, channels] to [rows, channels / 4, width, 4]. */
function packLeft(from: usize, to: usize, rows: i32, width: i32, channels: i32, padded: i32): void {
  if (padded > channels) memory.fill(to, 0, (<usize>rows * width * padded) << 2)
  for (let row = 0; row < rows; row++)
    for (let z = 0; z < width; z++) {
      const source = from + ((<usize>(row * width + z) * channels) << 2)
      const target = to + ((<usize>row * width * padded + z * 4) << 2)
      let c = 0
      for (; c + 4 <= channels; c += 4) v128.store(target + ((<usize>c * width) << 2), v128.load(source + (<usize>c << 2)))
      const tail = target + ((<usize>c * width) << 2)
      for (let r = 0; c + r < channels; r++) store<f32>(tail + (r << 2), load<f32>(source + (<usize>(c + r) << 2)))
    }
}

/** Each row with kw - 1 pixels of zeros on both sides. */
function packRight(from: usize, to: usize, rows: i32, width: i32, channels: i32, kw: i32): void {
  const bytes = (<usize>width * channels) << 2
  const margin = (<usize>(kw - 1) * channels) << 2
  for (let row = 0; row < rows; row++) {
    const target = to + <usize>row * (bytes + 2 * margin)
    memory.fill(target, 0, margin)
    memory.copy(target + margin, from + <usize>row * bytes, bytes)
    memory.fill(target + margin + bytes, 0, margin)
  }
}

function sumCell(
  from: usize,
  to: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  y: i32,
  bottom: i32,
  z: i32,
  end: i32,
): void {
  for (let image = 0; image < images; image++)
    for (let row = y; row < bottom; row++)
      for (let column = z; column < end; column++)
        addTo(to, from + ((<usize>((image * height + row) * width + column) * channels) << 2), channels)
}

/** The sums of one cell and one vertical displacement: 4 channels by 12 columns at a time. */
function displacedProducts(
  left4: usize,
  right: usize,
  to: usize,
  images: i32,
  height: i32,
  width: i32,
  channels: i32,
  kw: i32,
  y: i32,
  bottom: i32,
  z: i32,
  end: i32,
  dy: i32,
): void {
  if (y >= bottom) return
  const padded = (channels + 3) & ~3
  const aRow = (<usize>width * padded) << 2
  const bRow = (<usize>(width + 2 * kw - 2) * channels) << 2
  const aPixel: usize = 16
  const bPixel = <usize>channels << 2
  // The inner loop is the longer one.
  const alongRows = end - z < bottom - y
  const columns = (2 * kw - 1) * channels
  const a = left4 + <usize>y * aRow + <usize>z * aPixel
  const b = right + <usize>(y + dy) * bRow + <usize>z * bPixel
  // Displacements to the left in the same row are those to the right, mirrored.
  for (let column = dy === 0 ? (kw - 1) * channels : 0; column < columns; column += 12)
    for (let c = 0; c < padded; c += 4)
      tile(
        a + ((<usize>c * width) << 2),
        b + (<usize>column << 2),
        to + ((<usize>c * displacementColumns(channels, kw) + column) << 2),
        <usize>displacementColumns(channels, kw) << 2,
        alongRows ? bottom - y : end - z,
        alongRows ? aRow : aPixel,
        alongRows ? bRow : bPixel,
        alongRows ? end - z : bottom - y,
        alongRows ? aPixel : aRow,
        alongRows ? bPixel : bRow,
        images,
        <usize>height * aRow,
        <usize>height * bRow,
      )
}

/** Adds to a 4 x 12 tile at `c`: three nested loops over steps of 4 floats at `a` and 12 at `b`. */
function tile(
  a: usize,
  b: usize,
  c: usize,
  rowBytes: usize,
  inner: i32,
  aInner: usize,
  bInner: usize,
  middle: i32,
  aMiddle: usize,
  bMiddle: usize,
  outer: i32,
  aOuter: usize,
  bOuter: usize,
): void {
  const c1 = c + rowBytes
  const c2 = c1 + rowBytes
  const c3 = c2 + rowBytes
  let c00 = v128.load(c)
  let c01 = v128.load(c, 16)
  let c02 = v128.load(c, 32)
  let c10 = v128.load(c1)
  let c11 = v128.load(c1, 16)
  let c12 = v128.load(c1, 32)
  let c20 = v128.load(c2)
  let c21 = v128.load(c2, 16)
  let c22 = v128.load(c2, 32)
  let c30 = v128.load(c3)
  let c31 = v128.load(c3, 16)
  let c32 = v128.load(c3, 32)
  for (let o = 0; o < outer; o++) {
    let am = a
    let bm = b
    for (let m = 0; m < middle; m++) {
      let ap = am
      let bp = bm
      for (let k = inner; k > 0; k--) {
        const b0 = v128.load(bp)
        const b1 = v128.load(bp, 16)
        const b2 = v128.load(bp, 32)
        let x = v128.load_splat<f32>(ap)
        c00 = madd(x, b0, c00)
        c01 = madd(x, b1, c01)
        c02 = madd(x, b2, c02)
        x = v128.load_splat<f32>(ap, 4)
        c10 = madd(x, b0, c10)
        c11 = madd(x, b1, c11)
        c12 = madd(x, b2, c12)
        x = v128.load_splat<f32>(ap, 8)
        c20 = madd(x, b0, c20)
        c21 = madd(x, b1, c21)
        c22 = madd(x, b2, c22)
        x = v128.load_splat<f32>(ap, 12)
        c30 = madd(x, b0, c30)
        c31 = madd(x, b1, c31)
        c32 = madd(x, b2, c32)
        ap += aInner
        bp += bInner
      }
      am += aMiddle
      bm += bMiddle
    }
    a += aOuter
    b += bOuter
  }
  v128.store(c, c00)
  v128.store(c, c01, 16)
  v128.store(c, c02, 32)
  v128.store(c1, c10)
  v128.store(c1, c11, 16)
  v128.store(c1, c12, 32)
  v128.store(c2, c20)
  v128.store(c2, c21, 16)
  v128.store(c2, c22, 32)
  v128.store(c3, c30)
  v128.store(c3, c31, 16)
  v128.store(c3, c32, 32)
}

function addBlock(gram: usize, from: usize, row: i32, column: i32, channels: i32, d: i32, columns: i32): void {
  for (let c = 0; c < channels; c++)
    addTo(
      gram + ((<usize>(row * channels + c) * d + column * channels) << 2),
      from + ((<usize>c * columns) << 2),
      channels,
    )
}

/** to += from */
function addTo(to: usize, from: usize, count: i32): void {
  let k = 0
  for (; k + 4 <= count; k += 4) {
    const at = <usize>k << 2
    v128.store(to + at, f32x4.add(v128.load(to + at), v128.load(from + at)))
  }
  for (; k < count; k++) {
    const at = <usize>k << 2
    store<f32>(to + at, load<f32>(to + at) + load<f32>(from + at))
  }
}

/** Copies what is above the diagonal to below it, by blocks that share cache lines. */
function mirror(gram: usize, d: i32): void {
  for (let block = 0; block < d; block += 16)
    for (let row = block; row < d; row++) {
      const from = gram + (<usize>row << 2)
      const to = gram + ((<usize>row * d) << 2)
      for (let column = block; column < min(block + 16, row); column++)
        store<f32>(to + (<usize>column << 2), load<f32>(from + ((<usize>column * d) << 2)))
    }
}
