/** Observations between the wire, where the leaves of a space follow one another, and typed arrays of all environments. */
import { type Numbers, type Observations, type Space, spaceSize } from '../vector-env'

const arrayTypes = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array } as const

/** One array of a space: its place in a dict, its values per environment, and its type. */
export interface Leaf {
  path: readonly string[]
  size: number
  dtype: keyof typeof arrayTypes
}

/** The arrays of a space, in the order of the wire. */
export function leavesOf(space: Space, path: readonly string[] = []): Leaf[] {
  if (space.type === 'dict')
    return Object.entries(space.spaces).flatMap(([name, part]) => leavesOf(part, [...path, name]))
  return [{ path, size: spaceSize(space), dtype: space.type === 'box' ? space.dtype : 'int32' }]
}

/** The same memory, byte by byte. */
export function bytesOfArray(array: Numbers): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

/** Bytes of one environment's observation. */
export function bytesOf(leaves: readonly Leaf[]): number {
  return leaves.reduce((sum, leaf) => sum + leaf.size * arrayTypes[leaf.dtype].BYTES_PER_ELEMENT, 0)
}

/** An answer's bytes, wherever they are: in a frame, or in memory that both sides share. */
export interface Answer {
  readonly length: number
  /** Copies the bytes from `offset` on into `target`, as many as it takes. */
  copy(target: Uint8Array, offset: number): void
}

/** The payload of a frame as an {@link Answer}. */
export function payloadAnswer(payload: Uint8Array): Answer {
  return {
    length: payload.length,
    copy: (target, offset) => target.set(payload.subarray(offset, offset + target.length)),
  }
}

/** Arrays for the observations of all environments, and the structure that users see. */
export class ObservationBuffer {
  readonly observations: Observations
  private readonly arrays: Numbers[]

  constructor(
    private readonly leaves: readonly Leaf[],
    numEnvs: number,
  ) {
    this.arrays = leaves.map(({ size, dtype }) => new arrayTypes[dtype](size * numEnvs))
    const root: Record<string, unknown> = {}
    leaves.forEach(({ path }, k) => {
      let at = root
      for (const name of path.slice(0, -1)) {
        at[name] ??= {}
        at = at[name] as Record<string, unknown>
      }
      if (path.length > 0) at[path.at(-1)!] = this.arrays[k]
    })
    this.observations = leaves[0]?.path.length === 0 ? this.arrays[0]! : (root as Observations)
  }

  /** Takes the observations of environments `first` to `first + count` from `answer` at `offset`. */
  read(answer: Answer, offset: number, first: number, count: number): void {
    let from = offset
    this.leaves.forEach(({ size }, k) => {
      const rows = this.arrays[k]!.subarray(first * size, (first + count) * size)
      answer.copy(bytesOfArray(rows), from)
      from += rows.byteLength
    })
  }

  /** Copies the rows of some environments from another buffer. */
  copyRows(other: ObservationBuffer, first: number, count: number): void {
    this.leaves.forEach(({ size }, k) => {
      const rows = other.arrays[k]!.subarray(first * size, (first + count) * size)
      this.arrays[k]!.set(rows, first * size)
    })
  }
}
