/**
 * TensorBoard's event files: records of protocol buffers with checksums, as `tensorflow/core/lib/io/record_writer.h` and
 * `tensorflow/core/util/event.proto` of TensorFlow define them. Scalars only.
 */

/** One value of one curve. */
export interface ScalarEvent {
  /** Seconds since 1970. */
  wallTime: number
  /** Optimizer steps. */
  step: number
  tag: string
  value: number
}

/** A whole event file. */
export function eventFile(events: readonly ScalarEvent[]): Uint8Array {
  const start = events[0]?.wallTime ?? 0
  const messages = [
    [...double(1, start), ...bytes(3, utf8('brain.Event:2'))],
    ...events.map(({ wallTime, step, tag, value }) => {
      const summaryValue = [...bytes(1, utf8(tag)), ...float(2, value)]
      return [...double(1, wallTime), ...varint(2, step), ...bytes(5, bytes(1, summaryValue))]
    }),
  ]
  return Uint8Array.from(messages.flatMap(record))
}

/** Length and content, each followed by its masked checksum. */
function record(content: number[]): number[] {
  const length = little(8, (view) => view.setBigUint64(0, BigInt(content.length), true))
  return [...length, ...checksum(length), ...content, ...checksum(content)]
}

/** CRC-32C (Castagnoli), rotated and offset: a checksum of data that holds checksums would be weak. */
function checksum(data: readonly number[]): number[] {
  const crc = crc32c(data)
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
  return little(4, (view) => view.setUint32(0, masked, true))
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** CRC-32C of bytes. */
export function crc32c(data: ArrayLike<number>): number {
  let crc = 0xffffffff
  for (let i = 0; i < data.length; i++) crc = table[(crc ^ data[i]!) & 0xff]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}

function little(size: number, write: (view: DataView) => void): number[] {
  const view = new DataView(new ArrayBuffer(size))
  write(view)
  return [...new Uint8Array(view.buffer)]
}

const utf8 = (text: string) => [...new TextEncoder().encode(text)]

/** Fields of a protocol buffer: a key of number and wire type, then the value. */
const double = (field: number, value: number) => [
  (field << 3) | 1,
  ...little(8, (view) => view.setFloat64(0, value, true)),
]
const float = (field: number, value: number) => [
  (field << 3) | 5,
  ...little(4, (view) => view.setFloat32(0, value, true)),
]
const varint = (field: number, value: number) => [field << 3, ...unsigned(value)]
const bytes = (field: number, content: readonly number[]) => [
  (field << 3) | 2,
  ...unsigned(content.length),
  ...content,
]

/** Seven bits a byte, the lowest first, the top bit set on all but the last. */
function unsigned(value: number): number[] {
  const out: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...out, rest]
    out.push((rest % 128) | 128)
  }
}
