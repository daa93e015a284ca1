/** Derives `index.html`, `summary.md` and `tensorboard/` of a run folder from its `results.jsonl`. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { readResults, replaceFile } from '../results'
import { tasks } from '../suites'
import { writeEvents } from '../tensorboard/write-events'
import { reportHtml } from './html'
import { matrixTable } from './matrix'
import { summarize, type TaskSummary } from './summarize'
import { markdown, markdownTable } from './text-table'

/** @returns What the report shows, for the terminal. */
export async function writeReport(folder: string): Promise<TaskSummary[]> {
  mkdirSync(folder, { recursive: true })
  const records = readResults(folder)
  const summaries = summarize(records, tasks)
  replaceFile(join(folder, 'index.html'), await reportHtml(summaries, records))
  replaceFile(join(folder, 'summary.md'), summaryMarkdown(summaries))
  const trials = records.filter((record) => record.kind === 'trial')
  const described = summaries.map(({ task }) => task)
  writeEvents(join(folder, 'tensorboard'), trials, described)
  return summaries
}

/** The matrix when there are several tasks, then a table per task. */
export const summaryMarkdown = (summaries: readonly TaskSummary[]): string =>
  `${[...(summaries.length > 1 ? [markdown(matrixTable(summaries), true)] : []), ...summaries.map(markdownTable)].join('\n\n')}\n`
