/** Tables of the robustness experiment, for the terminal and for the README of `packages/advprop`. */
import { meanCorruptionError } from '@tfgraft/advprop'
import { meanWithInterval } from '@tfgraft/bench/measure'
import { budgets } from './experiment.mjs'
import { table, writeBlock } from './readme.mjs'

const metrics = ['clean', 'pgd20', 'corrupted', 'shapeBias', 'shapeBiasCovered']
const percent = ({ mean, plusMinus }) => `${(100 * mean).toFixed(1)} +- ${(100 * plusMinus).toFixed(1)}`
const apart = (a, b) => Math.abs(a.mean - b.mean) > a.plusMinus + b.plusMinus

/** Error rates by corruption, averaged over seeds. */
function errors(rows) {
  const mean = (kind, s) => rows.reduce((sum, row) => sum + 1 - row.byKind[kind][s], 0) / rows.length
  return Object.fromEntries(
    Object.keys(rows[0].byKind).map((kind) => [kind, rows[0].byKind[kind].map((_, s) => mean(kind, s))]),
  )
}

/** A table of one data set: methods by metrics, bold where the interval does not overlap that of plain training. */
function tableOf(data, rows) {
  const methods = [...new Set(rows.map(({ method }) => method))]
  const of = (method) => rows.filter((row) => row.method === method)
  const summary = (method, metric) => meanWithInterval(of(method).map((row) => row[metric]))
  const seeds = Math.min(...methods.map((method) => of(method).length))
  if (seeds < 2 || of('plain').length < 2) return `${data}: not enough seeds yet`
  const budget = `PGD-20, ${Math.round(255 * budgets[data])}/255`
  const head = [
    `${data}, ${seeds} seeds`,
    'clean',
    budget,
    'corrupted',
    'mCE',
    'shape bias',
    'the same, covered',
    'CPU s',
  ]
  const lines = methods.map((method) => {
    const cells = metrics.map((metric) => {
      const [value, plain] = [summary(method, metric), summary('plain', metric)]
      return method !== 'plain' && apart(value, plain) ? `**${percent(value)}**` : percent(value)
    })
    const mce = meanCorruptionError(errors(of(method)), errors(of('plain')))
    cells.splice(3, 0, mce.toFixed(3))
    const seconds = of(method).reduce((sum, row) => sum + row.cpuSeconds, 0) / of(method).length
    return [method, ...cells, seconds.toFixed(0)]
  })
  return table(head, lines)
}

/** Prints the tables of `rows`, all of one number of steps, and puts them into the README. */
export function report(rows) {
  const tables = [...new Set(rows.map(({ data }) => data))]
    .map((data) =>
      tableOf(
        data,
        rows.filter((row) => row.data === data),
      ),
    )
    .join('\n\n')
  console.log(tables)
  if (rows.length) writeBlock('robustness', tables)
}
