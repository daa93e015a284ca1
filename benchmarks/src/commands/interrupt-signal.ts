/** Ctrl-C once: finish the step, write the partial report, exit. Twice: exit at once. */

/** A signal that aborts on the first SIGINT or SIGTERM. */
export function interruptSignal(log: (line: string) => void): {
  signal: AbortSignal
  stopListening: () => void
} {
  const controller = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(130)
    log(`\n${name}: stopping after this step. Once more to quit at once.`)
    controller.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    signal: controller.signal,
    stopListening: () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
