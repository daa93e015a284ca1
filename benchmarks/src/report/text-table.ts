/** The main table for terminals and for Markdown. */
import { formatNumber } from '../format'
import type { Estimate } from '../statistics'
import { type MainTable, mainTable } from './rows'
import type { TaskSummary } from './summarize'

/** Aligned columns, with the training loss of every epoch below. */
export function terminalTable(summary: TaskSummary): string {
  const { columns, rows } = mainTable(summary)
  const cells = [columns, ...rows.map((row) => row.map(({ text }) => text))]
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const line = (row: string[]) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd()
  const [head, ...body] = cells as [string[], ...string[][]]
  return [
    heading(summary),
    '',
    line(head),
    widths.map((width) => '-'.repeat(width)).join('  '),
    ...body.map(line),
    '',
    'training loss by epoch',
    ...summary.methods.map(({ method, trainLoss }) => `  ${method.padEnd(widths[0]!)}  ${losses(trainLoss)}`),
  ].join('\n')
}

/** For READMEs. */
export const markdownTable = (summary: TaskSummary): string =>
  `**${heading(summary)}**\n\n${markdown(mainTable(summary))}`

/** A table of cells in Markdown. @param notes Whether remarks stand behind the numbers. */
export function markdown({ columns, rows }: MainTable, notes = false): string {
  const line = (row: string[]) => `| ${row.join(' | ')} |`
  return [
    line(columns),
    line(columns.map((_, column) => (column === 0 ? '---' : '--:'))),
    ...rows.map((row) => line(row.map(({ text, note }) => (notes && note ? `${text} (${note})` : text)))),
  ].join('\n')
}

const heading = ({ task, epochs, seeds, limit }: TaskSummary) =>
  `${task.title}: ${epochs} ${task.epochTitle ?? 'epoch'}${epochs === 1 ? '' : 's'}, ` +
  `${seeds} seed${seeds === 1 ? '' : 's'}${limit === undefined ? '' : `, ${limit} training examples`}`

const losses = (estimates: Estimate[]) => estimates.map(({ mean }) => formatNumber(mean)).join('  ')
