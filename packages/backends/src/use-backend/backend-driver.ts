/** How one backend is found and started. */
export interface BackendDriver {
  /** Whether it can run and train here, and in words why or what it runs on. Starts nothing that costs more than a look. */
  probe(): Promise<{ available: boolean; detail: string }>
  /** Registers it with tfjs and returns the name that tfjs knows it by. Throws with what to do when it cannot. */
  load(): Promise<string>
}

export const isNode = typeof process !== 'undefined' && Boolean(process.versions?.node)

export const messageOf = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!
