/** Everything at a glance: one line per task and method, all tasks in one table. */
import { formatBytes, formatDuration, formatEstimate, formatMetric, formatNumber } from '../format'
import { pValue } from '../statistics'
import {
  type Cell,
  differenceText,
  formatP,
  type MainTable,
  missing,
  parametersCell,
  ratioCell,
} from './rows'
import type { MethodSummary, TaskSummary } from './summarize'

/** Quality is each task's first metric. */
export function matrixTable(summaries: readonly TaskSummary[]): MainTable {
  return {
    columns: [
      'task',
      'method',
      'quality',
      'to the baseline',
      'ms / step',
      'ratio',
      'time to target',
      'peak memory',
      'memory ratio',
      'parameters',
    ],
    rows: summaries.flatMap((summary) => summary.methods.map((method) => row(summary, method))),
  }
}

function row({ task, methods }: TaskSummary, method: MethodSummary): Cell[] {
  const metric = task.metrics[0]!
  const value = method.metrics[metric.name]
  const baseline = methods[0]!
  const { difference, msPerStep, peakBytes, secondsToTarget } = method
  return [
    { text: task.name },
    { text: method.method },
    value
      ? {
          text: `${metric.title} ${formatEstimate(value, (number) => formatMetric(number, metric.format))}`,
          value: value.mean,
        }
      : missing,
    difference
      ? {
          text:
            differenceText(difference.mean, metric.format) +
            (difference.count > 1 ? `, ${formatP(pValue(difference))}` : ''),
          value: difference.mean,
        }
      : missing,
    msPerStep ? { text: formatEstimate(msPerStep, formatNumber), value: msPerStep.mean } : missing,
    ratioCell(method),
    task.target === undefined
      ? missing
      : secondsToTarget
        ? {
            text: formatEstimate(secondsToTarget, formatDuration),
            value: secondsToTarget.mean,
            note: `to ${formatMetric(task.target, metric.format)}`,
          }
        : {
            text: 'not reached',
            value: Number.POSITIVE_INFINITY,
            note: formatMetric(task.target, metric.format),
          },
    peakBytes === undefined ? missing : { text: formatBytes(peakBytes), value: peakBytes },
    peakBytes === undefined || baseline.peakBytes === undefined
      ? missing
      : { text: `${(peakBytes / baseline.peakBytes).toFixed(2)} x`, value: peakBytes / baseline.peakBytes },
    parametersCell(method),
  ]
}
