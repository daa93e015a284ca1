/** Derives `index.html` and `summary.md` of a run folder from its `results.jsonl`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readResults, replaceFile } from '../results'
import { tasks } from '../suites'
import { reportHtml } from './html'
import { summarize, type TaskSummary } from './summarize'
import { markdownTable } from './text-table'

/** @returns What the report shows, for the terminal. */
export async function writeReport(folder: string): Promise<TaskSummary[]> {
  mkdirSync(folder, { recursive: true })
  const records = readResults(folder)
  const summaries = summarize(records, tasks)
  replaceFile(join(folder, 'index.html'), await reportHtml(summaries, records))
  replaceFile(join(folder, 'summary.md'), `${summaries.map(markdownTable).join('\n\n')}\n`)
  return summaries
}
