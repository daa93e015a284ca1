/** The differences between two runs, quantity by quantity. */
import { summarize } from './report/summarize'
import type { ResultRecord } from './results'
import { excludesZero, pairedDifference } from './statistics'
import { tasks } from './suites'

export interface Change {
  task: string
  method: string
  quantity: string
  before: number
  after: number
  /** Relative change to the worse: 0.1 is 10 % worse, negative is better. */
  worseBy: number
  /** Whether seeds alone could explain it: the 95 % interval of the paired difference includes zero. */
  byChance: boolean
}

/**
 * Compares every metric (paired by seed) and the step-time ratio to the baseline of every task and method that both runs
 * have. Milliseconds are not compared: runs come from different machines and moments, ratios do not care.
 */
export function compareRuns(before: readonly ResultRecord[], after: readonly ResultRecord[]): Change[] {
  const old = summarize(before, tasks)
  return summarize(after, tasks).flatMap(({ task, methods }) =>
    methods.flatMap((current) => {
      const previous = old
        .find((candidate) => candidate.task.name === task.name)
        ?.methods.find(({ method }) => method === current.method)
      if (!previous) return []
      const changes: Change[] = task.metrics.flatMap(({ name, better }) => {
        const [from, to] = [previous.metrics[name], current.metrics[name]]
        if (!from || !to) return []
        const finals = ({ trials }: typeof current) =>
          new Map(
            trials
              .filter(({ status }) => status === 'finished')
              .map(({ config, curve }) => [config.seed, curve.at(-1)!.metrics[name]!]),
          )
        const difference = pairedDifference(finals(current), finals(previous))
        const [good, bad] = better === 'higher' ? [to.mean, from.mean] : [from.mean, to.mean]
        return {
          task: task.name,
          method: current.method,
          quantity: name,
          before: from.mean,
          after: to.mean,
          worseBy: (bad - good) / Math.abs(from.mean),
          // With one seed there is no interval: the difference then stands for itself.
          byChance: difference !== undefined && difference.count > 1 && !excludesZero(difference),
        }
      })
      if (previous.ratio?.quartiles && current.ratio?.quartiles && previous.ratio.value !== 1)
        changes.push({
          task: task.name,
          method: current.method,
          quantity: 'step time ratio',
          before: previous.ratio.value,
          after: current.ratio.value,
          worseBy: current.ratio.value / previous.ratio.value - 1,
          byChance: false,
        })
      return changes
    }),
  )
}
