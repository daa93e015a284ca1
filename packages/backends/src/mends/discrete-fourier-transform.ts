/**
 * The discrete Fourier transform of one row in double precision: radix 2 for powers of two, Bluestein's chirp-z transform
 * (a convolution of a power-of-two length) for every other length, so n log n throughout.
 */

/** Interleaved `[re, im, ...]` of any length; the inverse divides by the length. */
export function discreteFourierTransform(row: ArrayLike<number>, inverse: boolean): Float64Array {
  const values = Float64Array.from(row)
  const length = values.length / 2
  const result = length & (length - 1) ? bluestein(values, inverse) : radix2(values, inverse)
  return inverse ? result.map((v) => v / length) : result
}

function radix2(values: Float64Array, inverse: boolean): Float64Array {
  const length = values.length / 2
  const z = values.slice()
  for (let i = 1, j = 0; i < length; i++) {
    let bit = length >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      ;[z[2 * i], z[2 * j]] = [z[2 * j]!, z[2 * i]!]
      ;[z[2 * i + 1], z[2 * j + 1]] = [z[2 * j + 1]!, z[2 * i + 1]!]
    }
  }
  for (let size = 2; size <= length; size <<= 1) {
    const half = size / 2
    for (let k = 0; k < half; k++) {
      const angle = ((inverse ? 2 : -2) * Math.PI * k) / size
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
      for (let start = k; start < length; start += size) {
        const [a, b] = [2 * start, 2 * (start + half)]
        const re = z[b]! * cos - z[b + 1]! * sin
        const im = z[b]! * sin + z[b + 1]! * cos
        z[b] = z[a]! - re
        z[b + 1] = z[a + 1]! - im
        z[a]! += re
        z[a + 1]! += im
      }
    }
  }
  return z
}

const multiply = (a: Float64Array, b: Float64Array) => {
  const product = new Float64Array(a.length)
  for (let i = 0; i < a.length; i += 2) {
    product[i] = a[i]! * b[i]! - a[i + 1]! * b[i + 1]!
    product[i + 1] = a[i]! * b[i + 1]! + a[i + 1]! * b[i]!
  }
  return product
}

/** `jk = (j² + k² - (k - j)²) / 2` turns the transform into a convolution with a chirp. */
function bluestein(values: Float64Array, inverse: boolean): Float64Array {
  const length = values.length / 2
  let size = 1
  while (size < 2 * length - 1) size <<= 1
  const chirp = new Float64Array(2 * length)
  for (let k = 0; k < length; k++) {
    // k² modulo 2 n keeps the angle small, and exact.
    const angle = ((inverse ? 1 : -1) * Math.PI * ((k * k) % (2 * length))) / length
    chirp[2 * k] = Math.cos(angle)
    chirp[2 * k + 1] = Math.sin(angle)
  }
  const signal = new Float64Array(2 * size)
  signal.set(multiply(values, chirp))
  const kernel = new Float64Array(2 * size)
  for (let k = 0; k < length; k++)
    for (const at of k ? [k, size - k] : [0]) {
      kernel[2 * at] = chirp[2 * k]!
      kernel[2 * at + 1] = -chirp[2 * k + 1]!
    }
  const convolved = radix2(multiply(radix2(signal, false), radix2(kernel, false)), true).map((v) => v / size)
  return multiply(convolved.subarray(0, 2 * length), chirp)
}
