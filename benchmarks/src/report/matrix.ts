/** Everything at a glance: one line per task and method, all tasks in one table. */
import { formatBytes, formatDuration, formatEstimate, formatMetric, formatNumber } from '../format'
import { pValue } from '../statistics'
import { type Cell, differenceText, formatP, type MainTable, missing, parametersCell } from './rows'
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
      'parameters',
    ],
    rows: summaries.flatMap((summary) => summary.methods.map((method) => row(summary, method))),
  }
}

function row({ task, methods }: TaskSummary, method: MethodSummary): Cell[] {
  const metric = task.metrics[0]!
  const value = method.metrics[metric.name]
  const { difference, msPerStep, ratio, peakBytes } = method
  return [
    { text: task.name },
    { text: method.method },
    value
      ? {
          text: formatEstimate(value, (number) => formatMetric(number, metric.format)),
          value: value.mean,
          note: metric.title,
        }
      : missing,
    difference
      ? {
          text: differenceText(difference.mean, metric.format),
          value: difference.mean,
          ...(difference.count > 1 ? { note: formatP(pValue(difference)) } : {}),
        }
      : missing,
    msPerStep ? { text: formatEstimate(msPerStep, formatNumber), value: msPerStep.mean } : missing,
    ratio ? { text: `${ratio.value.toFixed(2)} x`, value: ratio.value } : missing,
    targetCell(task, method),
    peakBytes === undefined
      ? missing
      : { text: formatBytes(peakBytes), value: peakBytes, ...memoryNote(peakBytes, methods[0]!.peakBytes) },
    parametersCell(method),
  ]
}

function targetCell({ target, metrics }: TaskSummary['task'], { secondsToTarget }: MethodSummary): Cell {
  if (target === undefined) return missing
  const note = `to ${formatMetric(target, metrics[0]!.format)}`
  return secondsToTarget
    ? { text: formatEstimate(secondsToTarget, formatDuration), value: secondsToTarget.mean, note }
    : { text: 'not reached', value: Number.POSITIVE_INFINITY, note }
}

const memoryNote = (bytes: number, baseline: number | undefined) =>
  baseline === undefined || bytes === baseline ? {} : { note: `${(bytes / baseline).toFixed(2)} x` }
