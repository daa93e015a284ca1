/**
 * The IDX format of MNIST: big-endian magic `0x00 0x00 type rank`, one 32-bit size per dimension, then the values.
 * Only unsigned bytes (type 0x08) occur here. Also the format of this package's own cache.
 */

export interface IdxArray {
  shape: number[]
  data: Uint8Array
}

/** Parses an IDX file without copying its values. `source` names the file in errors. */
export function parseIdx(bytes: Uint8Array, source: string): IdxArray {
  const fail = (rule: string): never => {
    throw new Error(`parseIdx: ${rule} in ${source}.`)
  }
  if (bytes.length < 4) fail(`an IDX file has at least 4 bytes. Received ${bytes.length} bytes`)
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const magic = header.getUint32(0)
  const rank = magic & 0xff
  if (magic >>> 8 !== 0x08 || rank < 1)
    fail(`the magic number must be 0x0000080N (unsigned bytes). Received 0x${magic.toString(16)}`)
  const start = 4 + 4 * rank
  if (bytes.length < start) fail(`the header needs ${start} bytes. Received ${bytes.length} bytes`)
  const shape = Array.from({ length: rank }, (_, axis) => header.getUint32(4 + 4 * axis))
  const size = shape.reduce((product, length) => product * length, 1)
  if (bytes.length - start !== size)
    fail(`shape [${shape}] needs ${size} values. Received ${bytes.length - start} values`)
  return { shape, data: bytes.subarray(start) }
}

/** The inverse of {@link parseIdx}. */
export function writeIdx({ shape, data }: IdxArray): Uint8Array {
  const start = 4 + 4 * shape.length
  const bytes = new Uint8Array(start + data.length)
  const header = new DataView(bytes.buffer)
  header.setUint32(0, 0x0800 | shape.length)
  shape.forEach((length, axis) => {
    header.setUint32(4 + 4 * axis, length)
  })
  bytes.set(data, start)
  return bytes
}
