/** Observations of any space as rows of float32 numbers. */
import { type Numbers, type Observations, type Space, spaceSize } from '../vector-env'

/** Writes the observations of all environments to `out`, one row of `spaceSize(space)` numbers each. */
export function flattenObservations(
  observations: Observations,
  space: Space,
  numEnvs: number,
  out: Float32Array,
  rowSize = spaceSize(space),
  offset = 0,
): void {
  if (space.type === 'dict') {
    let column = offset
    for (const [name, part] of Object.entries(space.spaces)) {
      const entry = (observations as Record<string, Observations>)[name]
      if (!entry) throw new Error(`flattenObservations: the observation has no entry "${name}".`)
      flattenObservations(entry, part, numEnvs, out, rowSize, column)
      column += spaceSize(part)
    }
    return
  }
  const values = observations as Numbers
  const size = spaceSize(space)
  if (!ArrayBuffer.isView(values))
    throw new Error(`flattenObservations: an observation must be a typed array. Received ${typeof values}.`)
  if (values.length !== size * numEnvs)
    throw new Error(
      `flattenObservations: needs ${size} values for each of ${numEnvs} rows. Received ${values.length}.`,
    )
  if (size === rowSize) {
    out.set(values)
    return
  }
  for (let env = 0; env < numEnvs; env++)
    out.set(values.subarray(env * size, (env + 1) * size), env * rowSize + offset)
}
