/** Which backend 'auto' takes: the first, in the order of speed, that is here and can train. */
import { type BackendName, backendNames } from './backend-name'
import { drivers } from './drivers'
import { isSoftwareWebgpu } from './webgpu'

export interface Candidate {
  name: BackendName
  available: boolean
  /** What it runs on, or why it cannot. */
  detail: string
}

export interface Choice {
  name: BackendName
  /** One sentence. */
  why: string
}

/** The first candidate that is available and fast. */
export function chooseAmong(candidates: readonly (Candidate & { software?: boolean })[]): Choice {
  const passedBy: string[] = []
  for (const { name, available, detail, software } of candidates) {
    if (available && !software)
      return {
        name,
        why: `${[`${name} (${detail}) is the fastest here that can train`, ...passedBy].join('; ')}.`,
      }
    passedBy.push(`${name}: ${detail}`)
  }
  throw new Error(`useBackend: no backend can run here. ${passedBy.join('; ')}.`)
}

/** Looks at every backend, fastest first. */
export async function findCandidates(): Promise<(Candidate & { software?: boolean })[]> {
  const candidates: (Candidate & { software?: boolean })[] = []
  for (const name of backendNames) {
    const { available, detail } = await drivers[name].probe()
    const software = name === 'webgpu' && available && (await isSoftwareWebgpu())
    candidates.push({ name, available, detail, software })
  }
  return candidates
}

export async function chooseBackend(): Promise<Choice> {
  return chooseAmong(await findCandidates())
}
