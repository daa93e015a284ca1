/** Writes grey images side by side as a PNG file, enlarged so that pixels can be seen. */
import { writeFileSync } from 'node:fs'
import { crc32, deflateSync } from 'node:zlib'

const ZOOM = 4
const GAP = 4

function chunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  checksum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, checksum])
}

/** `rows[r][c]` is an image of `side` x `side` values in 0..1. */
export function writePictureGrid(path: string, rows: Float32Array[][], side: number): void {
  const cell = side * ZOOM + GAP
  const [width, height] = [rows[0]!.length * cell + GAP, rows.length * cell + GAP]
  const stride = width + 1 // every line starts with its filter type, 0
  const pixels = Buffer.alloc(height * stride, 255)
  for (let y = 0; y < height; y++) pixels[y * stride] = 0
  rows.forEach((images, r) => {
    images.forEach((image, c) => {
      for (let y = 0; y < side * ZOOM; y++)
        for (let x = 0; x < side * ZOOM; x++) {
          const value = image[Math.floor(y / ZOOM) * side + Math.floor(x / ZOOM)]!
          pixels[(GAP + r * cell + y) * stride + 1 + GAP + c * cell + x] = Math.round(255 * value)
        }
    })
  })
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8 // bits per pixel, grey
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10])
  const parts = [
    signature,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]
  writeFileSync(path, Buffer.concat(parts))
}
