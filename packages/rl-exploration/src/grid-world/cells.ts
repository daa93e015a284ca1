/**
 * A cell as one byte: colour in bits 0 to 2, kind in bits 3 to 6, and bit 7 set when it blocks sight.
 * Empty is 0, so that an empty grid is zeros.
 */

/** Colours in MiniGrid's numbering. */
export const COLOR_NAMES = ['red', 'green', 'blue', 'purple', 'yellow', 'grey'] as const
export const [RED, GREEN, BLUE, PURPLE, YELLOW, GREY] = [0, 1, 2, 3, 4, 5] as const
/** MiniGrid draws colours from their sorted names: blue, green, grey, purple, red, yellow. */
export const SORTED_COLORS = [BLUE, GREEN, GREY, PURPLE, RED, YELLOW] as const

/** Kinds of cells. An open, a closed and a locked door are three kinds. */
export const Kind = {
  empty: 0,
  wall: 1,
  floor: 2,
  openDoor: 3,
  closedDoor: 4,
  lockedDoor: 5,
  key: 6,
  ball: 7,
  box: 8,
  goal: 9,
  lava: 10,
} as const

const OPAQUE = 128
const isOpaque = (kind: number) => kind === Kind.wall || kind === Kind.closedDoor || kind === Kind.lockedDoor

/** The byte of a kind in a colour. */
export const cell = (kind: number, color: number): number =>
  (kind << 3) | color | (isOpaque(kind) ? OPAQUE : 0)
export const kindOf = (code: number): number => (code >> 3) & 15
export const colorOf = (code: number): number => code & 7

export const EMPTY = 0
export const WALL = cell(Kind.wall, GREY)
export const GOAL = cell(Kind.goal, GREEN)
export const LAVA = cell(Kind.lava, RED)

/** `[object, state]` of each kind, in MiniGrid's numbering. */
const ENCODING: Record<number, readonly [number, number]> = {
  [Kind.empty]: [1, 0],
  [Kind.wall]: [2, 0],
  [Kind.floor]: [3, 0],
  [Kind.openDoor]: [4, 0],
  [Kind.closedDoor]: [4, 1],
  [Kind.lockedDoor]: [4, 2],
  [Kind.key]: [5, 0],
  [Kind.ball]: [6, 0],
  [Kind.box]: [7, 0],
  [Kind.goal]: [8, 0],
  [Kind.lava]: [9, 0],
}

/** Object, colour and state of every code, a byte each from the lowest: what an observation shows. */
export function cellPalette(out: Uint32Array): void {
  for (let code = 0; code < 256; code++) {
    const [object, state] = ENCODING[kindOf(code)] ?? [0, 0]
    out[code] = object | (colorOf(code) << 8) | (state << 16)
  }
}

/** A cell in words, such as `locked yellow door`. */
export function cellName(code: number): string {
  const kind = kindOf(code)
  const [name] = Object.entries(Kind).find(([, k]) => k === kind)!
  const words = name.replace('Door', ' door').split(' ')
  return kind === Kind.empty
    ? 'empty'
    : [...words.slice(0, -1), COLOR_NAMES[colorOf(code)], words.at(-1)].join(' ')
}
