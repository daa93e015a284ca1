/**
 * Tables in Markdown files, made from committed results: between `<!-- results:NAME -->` and `<!-- /results -->`, or only what belongs to a
 * suite: `<!-- results:NAME suite:SUITE -->`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { choose } from './choices'
import { baselineName } from './methods'
import { matrixTable } from './report/matrix'
import { summarize } from './report/summarize'
import { markdown, markdownTable } from './report/text-table'
import { type ResultRecord, readResults } from './results'
import { suites, tasks } from './suites'

const benchmarks = join(import.meta.dirname, '..')

/** Where committed results lie, and the files with tables of them. */
export const committed: string = join(benchmarks, 'results', 'committed')
export const readmes: readonly string[] = [join(benchmarks, 'README.md'), join(benchmarks, '..', 'README.md')]

/** @returns The text with every table made anew from `<folder>/<name>/results.jsonl`. */
export function withCurrentTables(text: string, folder: string): string {
  return text.replaceAll(
    /(<!-- results:([\w-]+)(?: suite:([\w-]+))? -->\n)[\s\S]*?(<!-- \/results -->)/g,
    (_, open: string, name: string, suite: string | undefined, close: string) => {
      const records = readResults(join(folder, name)).filter((record) => isOf(suite, record))
      const table = records.length
        ? tableOf(records)
        : `Not measured yet: no \`results/committed/${name}\`.\n`
      return `${open}${table}\n${close}`
    },
  )
}

function isOf(suite: string | undefined, record: ResultRecord): boolean {
  if (suite === undefined) return true
  const task = record.kind === 'trial' ? record.config.task : record.task
  const entry = choose('suite', suite, suites)[0]!.entries.find((entry) => entry.task.name === task)
  if (!entry || record.kind === 'steps') return entry !== undefined
  return [baselineName, ...entry.methods.split(',')].includes(record.config.method)
}

/** The matrix of several tasks, the whole table of one; where it was measured below. */
function tableOf(records: readonly ResultRecord[]): string {
  const summaries = summarize(records, tasks)
  const table =
    summaries.length > 1 ? markdown(matrixTable(summaries), true) : summaries.map(markdownTable).join('\n\n')
  const trials = records.filter((record) => record.kind === 'trial')
  const { environment, command } = trials[0]!
  const seeds = new Set(trials.map(({ config }) => config.seed)).size
  const { cpu, cores, backend, node, tfjs, commit } = environment
  return (
    `${table}\n\n\`${command}\`, ${seeds} seed${seeds === 1 ? '' : 's'}, ${trials[0]!.date.slice(0, 10)}; ` +
    `${backend}, ${cpu}, ${cores} cores, Node ${node}, tfjs ${tfjs}, commit ${commit}.\n`
  )
}

/** `text` of a file and what it should be. */
export function checkTables(path: string, folder: string): { text: string; current: string } {
  const text = readFileSync(path, 'utf8')
  return { text, current: withCurrentTables(text, folder) }
}
