/**
 * The safetensors format: eight bytes of header length, little-endian; a JSON header of names, types, shapes and offsets; the
 * data, little-endian. https://github.com/huggingface/safetensors describes it.
 */
import * as tf from '@tensorflow/tfjs-core'

interface Entry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}

/** Types that can be read, and how. bfloat16 is the upper half of a float32. */
const readers: Record<string, (view: DataView, at: number) => number> = {
  F64: (view, at) => view.getFloat64(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => fromHalf(view.getUint16(at, true)),
  BF16: (view, at) => fromBits(view.getUint16(at, true) << 16),
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U8: (view, at) => view.getUint8(at),
  BOOL: (view, at) => view.getUint8(at),
}
const byteSizes: Record<string, number> = {
  ...{ F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 },
}

const bits = new DataView(new ArrayBuffer(4))
function fromBits(word: number): number {
  bits.setInt32(0, word)
  return bits.getFloat32(0)
}

function fromHalf(word: number): number {
  const sign = word & 0x8000 ? -1 : 1
  const exponent = (word >> 10) & 31
  const fraction = word & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const fail = (rule: string, received: string): never => {
  throw new Error(`readSafetensors: ${rule}. Received ${received}.`)
}

/**
 * Reads a safetensors file.
 *
 * @param file Its bytes.
 * @returns Tensors by name, to be disposed by the caller: int32 or bool for integers and booleans, float32 for all floating types.
 * @throws When the bytes are not such a file, or hold a type that is not known.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { readSafetensors, writeSafetensors } from '@tfgraft/diff-attention'
 *
 * const file = writeSafetensors({ weight: tf.tensor2d([[1, 2]]) })
 * readSafetensors(file).weight.print() // [[1, 2]]
 * ```
 */
export function readSafetensors(file: ArrayBuffer | Uint8Array): Record<string, tf.Tensor> {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 8) fail('`file` must begin with 8 bytes of header length', `${bytes.length} bytes`)
  const headerLength = Number(view.getBigUint64(0, true))
  if (8 + headerLength > bytes.length)
    fail('`file` must hold its header', `header length ${headerLength}, ${bytes.length} bytes`)
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength))) as Record<
    string,
    Entry
  >
  const data = 8 + headerLength
  const tensors: Record<string, tf.Tensor> = {}
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const read = readers[dtype] ?? fail('`file` must hold known types', `${name} of type ${dtype}`)
    const size = tf.util.sizeFromShape(shape)
    const [begin, end] = offsets
    if (end - begin !== size * byteSizes[dtype]! || data + end > bytes.length)
      fail('`file` must hold the data of each tensor', `${name} at ${begin} to ${end}, ${bytes.length} bytes`)
    const values = /^(B?F|F)/.test(dtype) ? new Float32Array(size) : new Int32Array(size)
    for (let i = 0; i < size; i++) values[i] = read(view, data + begin + i * byteSizes[dtype]!)
    if (dtype === 'BOOL') tensors[name] = tf.tensor(Uint8Array.from(values), shape, 'bool')
    else tensors[name] = tf.tensor(values, shape)
  }
  return tensors
}

/**
 * Writes tensors as a safetensors file: float32 as F32, int32 as I32, bool as BOOL.
 *
 * @param tensors By name.
 * @returns The bytes.
 * @throws When a tensor is of another type.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import { writeSafetensors } from '@tfgraft/diff-attention'
 * console.log(writeSafetensors({ weight: tf.zeros([2, 3]) }).length)
 * ```
 */
export function writeSafetensors(tensors: Record<string, tf.Tensor>): Uint8Array {
  const types: Record<string, string> = { float32: 'F32', int32: 'I32', bool: 'BOOL' }
  const header: Record<string, Entry> = {}
  const parts: Uint8Array[] = []
  let at = 0
  for (const [name, tensor] of Object.entries(tensors)) {
    const dtype = types[tensor.dtype]
    if (!dtype)
      throw new Error(
        `writeSafetensors: \`tensors\` must be float32, int32 or bool. Received ${name} of type ${tensor.dtype}.`,
      )
    const values = tensor.dataSync()
    const part = new Uint8Array(values.length * byteSizes[dtype]!)
    const view = new DataView(part.buffer)
    for (let i = 0; i < values.length; i++) {
      if (dtype === 'F32') view.setFloat32(4 * i, values[i]!, true)
      else if (dtype === 'I32') view.setInt32(4 * i, values[i]!, true)
      else view.setUint8(i, values[i]!)
    }
    header[name] = { dtype, shape: tensor.shape, data_offsets: [at, at + part.length] }
    at += part.length
    parts.push(part)
  }
  // The format asks for data that starts at a multiple of 8: the header is padded with spaces.
  let json = JSON.stringify(header)
  json = json.padEnd(Math.ceil(json.length / 8) * 8)
  const head = new TextEncoder().encode(json)
  const file = new Uint8Array(8 + head.length + at)
  new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true)
  file.set(head, 8)
  let to = 8 + head.length
  for (const part of parts) {
    file.set(part, to)
    to += part.length
  }
  return file
}
