/** Returns and lengths of episodes as they end. */
export interface EpisodeStatisticsState {
  returns: number[]
  lengths: number[]
  recent: [episodeReturn: number, length: number][]
}

/** Sums rewards per environment, and remembers the last 100 finished episodes. */
export class EpisodeStatistics {
  private readonly returns: Float64Array
  private readonly lengths: Float64Array
  private recent: [episodeReturn: number, length: number][] = []
  /** Episodes that have ended since {@link startUpdate}. */
  finished: [episodeReturn: number, length: number][] = []

  constructor(numEnvs: number) {
    this.returns = new Float64Array(numEnvs)
    this.lengths = new Float64Array(numEnvs)
  }

  startUpdate(): void {
    this.finished = []
  }

  add(env: number, reward: number, ended: boolean): void {
    this.returns[env]! += reward
    this.lengths[env]! += 1
    if (!ended) return
    const episode: [number, number] = [this.returns[env]!, this.lengths[env]!]
    this.finished.push(episode)
    this.recent.push(episode)
    if (this.recent.length > 100) this.recent.shift()
    this.returns[env] = 0
    this.lengths[env] = 0
  }

  /** Means over the last 100 episodes, NaN before the first has ended. An episode succeeds when its return is above 0. */
  summary(): { meanReturn: number; meanLength: number; successRate: number } {
    const mean = (of: (episode: [number, number]) => number) =>
      this.recent.reduce((sum, episode) => sum + of(episode), 0) / this.recent.length
    return {
      meanReturn: mean(([episodeReturn]) => episodeReturn),
      meanLength: mean(([, length]) => length),
      successRate: mean(([episodeReturn]) => Number(episodeReturn > 0)),
    }
  }

  save(): EpisodeStatisticsState {
    return { returns: [...this.returns], lengths: [...this.lengths], recent: this.recent.map((e) => [...e]) }
  }

  load(state: EpisodeStatisticsState): void {
    this.returns.set(state.returns)
    this.lengths.set(state.lengths)
    this.recent = state.recent.map((e) => [...e])
  }
}
