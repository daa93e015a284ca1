/**
 * The episodic half of Never Give Up: how unlike an embedding is to its nearest neighbours in the memory of the
 * episode (Badia et al. 2020, arXiv 2002.06038, equation 2 and algorithm 1).
 */
export interface EpisodicMemoryOptions {
  /** k, neighbours that are looked at. @default 10 */
  neighbors?: number
  /** epsilon of the kernel `epsilon / (d + epsilon)`. @default 1e-3 */
  kernelEpsilon?: number
  /** Normalised squared distances below this count as 0. @default 8e-3 */
  clusterDistance?: number
  /** Similarities above this earn nothing. @default 8 */
  maxSimilarity?: number
  /** c, added to the similarity. @default 1e-3 */
  pseudoCount?: number
  /** Most embeddings that an episode keeps; then the oldest go. @default 2000 */
  capacity?: number
}

export interface EpisodicMemoryState {
  memories: Float32Array[]
  meanDistance: number
  distances: number
}

/** A memory of embeddings per environment. */
export class EpisodicMemory {
  private memories: Float32Array[][]
  /** Running mean of the squared distances to neighbours, over all episodes. */
  private meanDistance = 0
  private distances = 0
  private readonly options: Required<EpisodicMemoryOptions>

  constructor(numEnvs: number, options: EpisodicMemoryOptions = {}) {
    this.options = {
      neighbors: options.neighbors ?? 10,
      kernelEpsilon: options.kernelEpsilon ?? 1e-3,
      clusterDistance: options.clusterDistance ?? 8e-3,
      maxSimilarity: options.maxSimilarity ?? 8,
      pseudoCount: options.pseudoCount ?? 1e-3,
      capacity: options.capacity ?? 2000,
    }
    if (!(Number.isInteger(this.options.neighbors) && this.options.neighbors > 0))
      throw new Error(
        `EpisodicMemory: \`neighbors\` must be a positive integer. Received neighbors=${options.neighbors}.`,
      )
    this.memories = Array.from({ length: numEnvs }, () => [])
  }

  /** `1 / sqrt(N)` of an embedding, N its pseudo-count; then remembers it. */
  visit(env: number, embedding: Float32Array): number {
    const { neighbors, kernelEpsilon, clusterDistance, maxSimilarity, pseudoCount, capacity } = this.options
    const memory = this.memories[env]!
    const nearest: number[] = []
    for (const known of memory) {
      let distance = 0
      for (let k = 0; k < embedding.length; k++) distance += (known[k]! - embedding[k]!) ** 2
      if (nearest.length === neighbors && distance >= nearest[neighbors - 1]!) continue
      if (nearest.length === neighbors) nearest.pop()
      let at = nearest.length
      while (at > 0 && nearest[at - 1]! > distance) at--
      nearest.splice(at, 0, distance)
    }
    for (const distance of nearest) {
      this.distances++
      this.meanDistance += (distance - this.meanDistance) / this.distances
    }
    let similarity = 0
    for (const distance of nearest) {
      const scaled = this.meanDistance > 0 ? distance / this.meanDistance : 0
      similarity += kernelEpsilon / (Math.max(scaled - clusterDistance, 0) + kernelEpsilon)
    }
    memory.push(embedding)
    if (memory.length > capacity) memory.shift()
    const count = Math.sqrt(similarity) + pseudoCount
    // An empty memory knows nothing like it: the largest reward there is would be 1 / c. NGU's code gives 1.
    if (nearest.length === 0) return 1
    return count > maxSimilarity ? 0 : 1 / count
  }

  forget(env: number): void {
    this.memories[env] = []
  }

  save(): EpisodicMemoryState {
    return {
      memories: this.memories.map((memory) => {
        const size = memory[0]?.length ?? 0
        const flat = new Float32Array(1 + memory.length * size)
        flat[0] = size
        memory.forEach((embedding, i) => {
          flat.set(embedding, 1 + i * size)
        })
        return flat
      }),
      meanDistance: this.meanDistance,
      distances: this.distances,
    }
  }

  load({ memories, meanDistance, distances }: EpisodicMemoryState): void {
    this.memories = memories.map((flat) => {
      const size = flat[0]!
      return size === 0
        ? []
        : Array.from({ length: (flat.length - 1) / size }, (_, i) =>
            flat.slice(1 + i * size, 1 + (i + 1) * size),
          )
    })
    this.meanDistance = meanDistance
    this.distances = distances
  }
}
