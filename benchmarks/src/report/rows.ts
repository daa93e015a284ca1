/** The main table, as text cells: the same in the terminal, in Markdown and in HTML. */
import { formatBytes, formatDuration, formatEstimate, formatMetric, formatNumber } from '../format'
import { baselineName } from '../methods'
import { pValue } from '../statistics'
import type { MethodSummary, TaskSummary } from './summarize'

export interface Cell {
  text: string
  /** What HTML tables sort by. */
  value?: number
  /** A remark below the number. */
  note?: string
}

export interface MainTable {
  columns: string[]
  rows: Cell[][]
}

/** One row per method. */
export function mainTable(summary: TaskSummary): MainTable {
  const { task, methods } = summary
  const target = task.target
  const columns = [
    'method',
    ...task.metrics.map(({ title }) => title),
    'train loss',
    'ms / step',
    'ratio',
    'peak memory',
    'parameters',
    ...(target === undefined ? [] : [`time to ${formatMetric(target, task.metrics[0]!.format)}`]),
  ]
  return { columns, rows: methods.map((method) => row(summary, method)) }
}

export const missing: Cell = { text: '-' }

function row({ task }: TaskSummary, method: MethodSummary): Cell[] {
  const cells: Cell[] = [{ text: method.method, ...remark(statusNote(method)) }]
  task.metrics.forEach(({ name, format }, index) => {
    const value = method.metrics[name]
    if (!value) cells.push(missing)
    else
      cells.push({
        text: formatEstimate(value, (number) => formatMetric(number, format)),
        value: value.mean,
        ...(index === 0 ? remark(differenceNote(method, format)) : {}),
      })
  })
  const loss = method.trainLoss.at(-1)
  cells.push(loss ? { text: formatEstimate(loss, formatNumber), value: loss.mean } : missing)
  cells.push(
    method.msPerStep === undefined
      ? missing
      : { text: formatEstimate(method.msPerStep, formatNumber), value: method.msPerStep.mean },
  )
  cells.push(ratioCell(method))
  cells.push(
    method.peakBytes === undefined
      ? missing
      : { text: formatBytes(method.peakBytes), value: method.peakBytes },
  )
  cells.push(parametersCell(method))
  if (task.target !== undefined)
    cells.push(
      method.secondsToTarget
        ? { text: formatEstimate(method.secondsToTarget, formatDuration), value: method.secondsToTarget.mean }
        : { text: 'not reached', value: Number.POSITIVE_INFINITY },
    )
  return cells
}

const remark = (note: string | undefined) => (note ? { note } : {})

function statusNote({ tuned, trials }: MethodSummary): string | undefined {
  const notes = tuned ? [] : ['not tuned for this task']
  for (const status of ['diverged', 'interrupted', 'failed'] as const) {
    const count = trials.filter((trial) => trial.status === status).length
    if (count) notes.push(`${count} of ${trials.length} ${status}`)
  }
  return notes.join('; ') || undefined
}

/** `+1.25 points`, or a signed number. */
export function differenceText(value: number, format: 'percent' | 'number' | undefined): string {
  const size = format === 'percent' ? (100 * Math.abs(value)).toFixed(2) : formatNumber(Math.abs(value))
  return `${value < 0 ? '-' : '+'}${size}${format === 'percent' ? ' points' : ''}`
}

function differenceNote({ difference }: MethodSummary, format: 'percent' | 'number' | undefined) {
  if (!difference) return undefined
  const { mean, low, high, count } = difference
  const unsigned = (value: number) => differenceText(value, format).replace(' points', '')
  const text = `${differenceText(mean, format)} to baseline`
  return count === 1
    ? text
    : `${text}, 95 %: ${unsigned(low)} to ${unsigned(high)}; ${formatP(pValue(difference))}`
}

/** `p = 0.031`; small ones as a bound. */
export const formatP = (p: number): string => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`)

export const parametersCell = ({ parameters }: MethodSummary): Cell =>
  parameters ? { text: parameters.toLocaleString('en'), value: parameters } : missing

function ratioCell({ method, ratio }: MethodSummary): Cell {
  if (!ratio) return missing
  if (method === baselineName) return { text: '1.00 x', value: 1 }
  const quartiles = ratio.quartiles?.map((value) => value.toFixed(2)).join(' to ')
  return {
    text: `${ratio.value.toFixed(2)} x`,
    value: ratio.value,
    ...remark(ratio.from === 'steps in turns' ? quartiles && `half of all rounds: ${quartiles}` : ratio.from),
  }
}
