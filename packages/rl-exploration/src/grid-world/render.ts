/** Pictures of a grid world: text, RGB pixels with MiniGrid's geometry, and SVG. */
import { COLOR_NAMES, colorOf, Kind, kindOf } from './cells'

/** A world to draw. */
export interface Scene {
  width: number
  height: number
  /** `[height, width]` cell codes. */
  cells: Uint8Array
  agent: { x: number; y: number; direction: number }
}

/** Pixels, `[height, width, 3]`. */
export interface RgbImage {
  width: number
  height: number
  data: Uint8Array
}

type Rgb = readonly [number, number, number]
const COLORS: readonly Rgb[] = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [112, 39, 195],
  [255, 255, 0],
  [100, 100, 100],
]
const BLACK: Rgb = [0, 0, 0]
const LINE: Rgb = [100, 100, 100]

/** A filled shape in the unit square of a tile. Later shapes cover earlier ones. */
type Shape = { color: Rgb } & (
  | { rect: readonly [left: number, right: number, top: number, bottom: number] }
  | { circle: readonly [x: number, y: number, radius: number] }
  | { line: readonly [x0: number, y0: number, x1: number, y1: number, radius: number] }
)

const rect = (color: Rgb, left: number, right: number, top: number, bottom: number): Shape => ({
  color,
  rect: [left, right, top, bottom],
})

/** What a cell looks like. */
function shapesOf(code: number): Shape[] {
  const color = COLORS[colorOf(code)]!
  const full = rect(color, 0, 1, 0, 1)
  switch (kindOf(code)) {
    case Kind.wall:
    case Kind.goal:
      return [full]
    case Kind.floor:
      return [rect(color.map((c) => c / 2) as unknown as Rgb, 0.031, 1, 0.031, 1)]
    case Kind.lava:
      return [
        rect([255, 128, 0], 0, 1, 0, 1),
        ...[0, 1, 2].flatMap((i) => {
          const [low, high] = [0.3 + 0.2 * i, 0.4 + 0.2 * i]
          const wave = [
            [0.1, low, 0.3, high],
            [0.3, high, 0.5, low],
            [0.5, low, 0.7, high],
            [0.7, high, 0.9, low],
          ] as const
          return wave.map((points): Shape => ({ color: BLACK, line: [...points, 0.03] }))
        }),
      ]
    case Kind.openDoor:
      return [rect(color, 0.88, 1, 0, 1), rect(BLACK, 0.92, 0.96, 0.04, 0.96)]
    case Kind.lockedDoor:
      return [
        full,
        rect(color.map((c) => 0.45 * c) as unknown as Rgb, 0.06, 0.94, 0.06, 0.94),
        rect(color, 0.52, 0.75, 0.5, 0.56),
      ]
    case Kind.closedDoor:
      return [
        full,
        rect(BLACK, 0.04, 0.96, 0.04, 0.96),
        rect(color, 0.08, 0.92, 0.08, 0.92),
        rect(BLACK, 0.12, 0.88, 0.12, 0.88),
        { color, circle: [0.75, 0.5, 0.08] },
      ]
    case Kind.key:
      return [
        rect(color, 0.5, 0.63, 0.31, 0.88),
        rect(color, 0.38, 0.5, 0.59, 0.66),
        rect(color, 0.38, 0.5, 0.81, 0.88),
        { color, circle: [0.56, 0.28, 0.19] },
        { color: BLACK, circle: [0.56, 0.28, 0.064] },
      ]
    case Kind.ball:
      return [{ color, circle: [0.5, 0.5, 0.31] }]
    case Kind.box:
      return [
        rect(color, 0.12, 0.88, 0.12, 0.88),
        rect(BLACK, 0.18, 0.82, 0.18, 0.82),
        rect(color, 0.16, 0.84, 0.47, 0.53),
      ]
    default:
      return []
  }
}

function covers(shape: Shape, x: number, y: number): boolean {
  if ('rect' in shape) {
    const [left, right, top, bottom] = shape.rect
    return x >= left && x <= right && y >= top && y <= bottom
  }
  if ('circle' in shape) {
    const [cx, cy, radius] = shape.circle
    return (x - cx) ** 2 + (y - cy) ** 2 <= radius ** 2
  }
  const [x0, y0, x1, y1, radius] = shape.line
  const length = Math.hypot(x1 - x0, y1 - y0)
  const [dx, dy] = [(x1 - x0) / length, (y1 - y0) / length]
  const along = Math.min(length, Math.max(0, (x - x0) * dx + (y - y0) * dy))
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy) <= radius
}

/** The agent: a triangle with its tip to the right, turned by quarter turns. */
const TRIANGLE = [0.12, 0.19, 0.87, 0.5, 0.12, 0.81] as const
function inAgent(px: number, py: number, direction: number): boolean {
  let [x, y] = [px - 0.5, py - 0.5]
  for (let k = 0; k < direction; k++) [x, y] = [y, -x]
  x += 0.5
  y += 0.5
  const slope = (TRIANGLE[3] - TRIANGLE[1]) / (TRIANGLE[2] - TRIANGLE[0])
  const edge = (x - TRIANGLE[0]) * slope
  return x >= TRIANGLE[0] && y >= TRIANGLE[1] + edge && y <= TRIANGLE[5] - edge
}

const SUBDIVISIONS = 3

function drawTile(code: number, direction: number, size: number): Uint8Array {
  const fine = size * SUBDIVISIONS
  const grid = [rect(LINE, 0, 0.031, 0, 1), rect(LINE, 0, 1, 0, 0.031)]
  const shapes = [...grid, ...shapesOf(code)].reverse()
  const sums = new Float64Array(size * size * 3)
  for (let j = 0; j < fine; j++)
    for (let i = 0; i < fine; i++) {
      const [x, y] = [(i + 0.5) / fine, (j + 0.5) / fine]
      const color =
        direction >= 0 && inAgent(x, y, direction)
          ? COLORS[0]!
          : (shapes.find((shape) => covers(shape, x, y))?.color ?? BLACK)
      const at = 3 * (Math.floor(j / SUBDIVISIONS) * size + Math.floor(i / SUBDIVISIONS))
      for (let c = 0; c < 3; c++) sums[at + c]! += Math.floor(color[c]!)
    }
  return Uint8Array.from(sums, (sum) => sum / SUBDIVISIONS ** 2)
}

const tiles = new Map<string, Uint8Array>()

/** Pixels of the whole grid, `tileSize` to a cell, antialiased by 3 x 3 samples; nothing is highlighted. */
export function renderRgb({ width, height, cells, agent }: Scene, tileSize: number): RgbImage {
  if (!Number.isInteger(tileSize) || tileSize < 1)
    throw new Error(`render: \`tileSize\` must be a positive integer. Received tileSize=${tileSize}.`)
  const image = new Uint8Array(width * height * tileSize ** 2 * 3)
  const rowBytes = width * tileSize * 3
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const direction = x === agent.x && y === agent.y ? agent.direction : -1
      const key = `${cells[y * width + x]},${direction},${tileSize}`
      let tile = tiles.get(key)
      if (!tile) {
        tile = drawTile(cells[y * width + x]!, direction, tileSize)
        tiles.set(key, tile)
      }
      for (let row = 0; row < tileSize; row++)
        image.set(
          tile.subarray(row * tileSize * 3, (row + 1) * tileSize * 3),
          (y * tileSize + row) * rowBytes + x * tileSize * 3,
        )
    }
  return { width: width * tileSize, height: height * tileSize, data: image }
}

/** A drawing of the grid, one unit to a cell. */
export function renderSvg({ width, height, cells, agent }: Scene): string {
  const css = (color: Rgb) => `rgb(${color.map(Math.floor).join(',')})`
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" fill="#000"/>`,
  ]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (const shape of shapesOf(cells[y * width + x]!)) {
        const fill = css(shape.color)
        if ('rect' in shape) {
          const [left, right, top, bottom] = shape.rect
          const size = `width="${round(right - left)}" height="${round(bottom - top)}"`
          parts.push(`<rect x="${round(x + left)}" y="${round(y + top)}" ${size} fill="${fill}"/>`)
        } else if ('circle' in shape) {
          const [cx, cy, r] = shape.circle
          parts.push(`<circle cx="${round(x + cx)}" cy="${round(y + cy)}" r="${r}" fill="${fill}"/>`)
        } else {
          const [x0, y0, x1, y1, r] = shape.line
          const ends = `x1="${round(x + x0)}" y1="${round(y + y0)}" x2="${round(x + x1)}" y2="${round(y + y1)}"`
          parts.push(`<line ${ends} stroke="${fill}" stroke-width="${2 * r}" stroke-linecap="round"/>`)
        }
      }
  const turn = `rotate(${90 * agent.direction} 0.5 0.5)`
  const [x0, y0, x1, y1, x2, y2] = TRIANGLE
  parts.push(
    `<polygon points="${x0},${y0} ${x1},${y1} ${x2},${y2}" fill="#f00" transform="translate(${agent.x} ${agent.y}) ${turn}"/>`,
    '</svg>',
  )
  return parts.join('\n')
}
const round = (value: number) => Math.round(value * 1000) / 1000

const LETTERS: Record<number, string> = {
  [Kind.wall]: 'W',
  [Kind.floor]: 'F',
  [Kind.closedDoor]: 'D',
  [Kind.lockedDoor]: 'L',
  [Kind.key]: 'K',
  [Kind.ball]: 'A',
  [Kind.box]: 'B',
  [Kind.goal]: 'G',
  [Kind.lava]: 'V',
}

/** Two characters a cell, kind and colour, as MiniGrid prints grids; the agent is `>>`, `VV`, `<<` or `^^`. */
export function renderAscii({ width, height, cells, agent }: Scene): string {
  const lines = Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => {
      if (x === agent.x && y === agent.y) return '>V<^'[agent.direction]!.repeat(2)
      const code = cells[y * width + x]!
      const kind = kindOf(code)
      if (kind === Kind.empty) return '  '
      if (kind === Kind.openDoor) return '__'
      return LETTERS[kind]! + COLOR_NAMES[colorOf(code)]![0]!.toUpperCase()
    }).join(''),
  )
  return lines.join('\n')
}
