/**
 * What the agent sees: 7 x 7 cells, the agent at column 3 of the last row, looking up; column by column, 3 bytes a
 * cell. Visibility spreads row by row from the agent, and within a row both ways; a row's outcome depends on two
 * 7-bit sets only (what is lit, what is opaque), so it is one lookup in a table of 2^14 entries.
 */
const VIEW: i32 = 7
const IMAGE_BYTES: usize = 147

/** Bit 7 of every byte of a row as a number: bit k is cell k. */
// @ts-ignore: decorator
@inline
function opaqueBits(row: u64): u32 {
  return <u32>((((row >> 7) & 0x0101010101010101) * 0x0102040810204080) >> 56)
}

/**
 * @param indices Int32 environment numbers, `count` of them.
 * @param grids One byte a cell, `gridStride` bytes an environment, padded so that the view never leaves them.
 * @param positions Int32 place of each agent in its grid. `directions`, `carrying`: one byte each.
 * @param visibility Uint16 table: `[lit << 7 | opaque]` to `seen | lit in the next row << 7`.
 * @param palette Uint32 table: cell code to object, colour and state, a byte each from the lowest.
 * @param out 147 bytes an environment.
 */
export function observe(
  indices: usize,
  count: i32,
  grids: usize,
  gridStride: i32,
  rowStride: i32,
  positions: usize,
  directions: usize,
  carrying: usize,
  visibility: usize,
  palette: usize,
  out: usize,
  seeThrough: bool,
): void {
  for (let n = 0; n < count; n++) {
    const env = load<i32>(indices + ((<usize>n) << 2))
    const direction = load<u8>(directions + env)
    // One cell ahead, and one cell to the right, as offsets.
    const ahead = direction == 0 ? 1 : direction == 1 ? rowStride : direction == 2 ? -1 : -rowStride
    const right = direction == 0 ? rowStride : direction == 1 ? -1 : direction == 2 ? -rowStride : 1
    const agent = grids + env * gridStride + load<i32>(positions + ((<usize>env) << 2))
    const corner = agent + 6 * ahead - 3 * right // view cell (0, 0)

    // Seen cells as 7 columns of 7 rows: bit 8 * row + column.
    let seen: u64 = 0x7f7f7f7f7f7f7f7f
    if (!seeThrough) {
      let lit: u32 = 1 << 3
      seen = 0
      for (let row = VIEW - 1; row >= 0; row--) {
        const start = corner - row * ahead
        let opaque: u32
        if (right == 1) opaque = opaqueBits(load<u64>(start)) & 127
        else
          opaque =
            (load<u8>(start) >> 7) |
            ((load<u8>(start + right) >> 7) << 1) |
            ((load<u8>(start + 2 * right) >> 7) << 2) |
            ((load<u8>(start + 3 * right) >> 7) << 3) |
            ((load<u8>(start + 4 * right) >> 7) << 4) |
            ((load<u8>(start + 5 * right) >> 7) << 5) |
            ((load<u8>(start + 6 * right) >> 7) << 6)
        const outcome = <u32>load<u16>(visibility + ((<usize>((lit << 7) | opaque)) << 1))
        seen |= (<u64>(outcome & 127)) << (8 * row)
        lit = outcome >> 7
      }
    }

    const under = load<u8>(agent)
    store<u8>(agent, load<u8>(carrying + env)) // the agent's own cell shows what it carries
    let to = out + <usize>env * IMAGE_BYTES
    for (let column = 0; column < VIEW; column++) {
      const bits = seen >> column
      const top = corner + column * right
      for (let row = 0; row < VIEW - 1; row++) {
        const visible = -(<i32>(bits >> (8 * row)) & 1)
        store<i32>(to, load<i32>(palette + ((<usize>load<u8>(top - row * ahead)) << 2)) & visible)
        to += 3
      }
      // Three bytes exactly: the fourth may belong to another environment.
      const visible = -(<i32>(bits >> 48) & 1)
      const last = load<i32>(palette + ((<usize>load<u8>(top - 6 * ahead)) << 2)) & visible
      store<u16>(to, <u16>last)
      store<u8>(to, <u8>(last >> 16), 2)
      to += 3
    }
    store<u8>(agent, under)
  }
}
