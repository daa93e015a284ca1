/**
 * How sight spreads along one row of MiniGrid's view, for every combination of lit and opaque cells.
 *
 * Rows are taken bottom-up. In each, lit cells that are not opaque light their right neighbour, and the cell above
 * both; then the same to the left. So the outcome of a row depends on two sets of 7 cells: 2^14 combinations.
 */
const VIEW = 7

/** Writes `seen | litAbove << 7` for every `lit << 7 | opaque`. */
export function visibilityTable(out: Uint16Array): void {
  for (let lit = 0; lit < 128; lit++)
    for (let opaque = 0; opaque < 128; opaque++) {
      let seen = lit
      let above = 0
      const spread = (from: number, to: number) => {
        if (!(seen & ~opaque & (1 << from))) return
        seen |= 1 << to
        above |= (1 << from) | (1 << to)
      }
      for (let k = 0; k < VIEW - 1; k++) spread(k, k + 1)
      for (let k = VIEW - 1; k > 0; k--) spread(k, k - 1)
      out[(lit << 7) | opaque] = seen | (above << 7)
    }
}
