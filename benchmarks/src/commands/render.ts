/** `tfgraft-bench render`: the report of results that are there, without training. */
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { UsageError } from '../choices'
import { terminalTable } from '../report/text-table'
import { writeReport } from '../report/write-report'
import { readResults } from '../results'
import { checkFlags } from './check-flags'

const args = {
  folder: { type: 'positional', required: true, description: 'A folder with results.jsonl.' },
} as const

export const render = defineCommand({
  meta: { name: 'render', description: 'Print the tables and write the report of a results folder anew.' },
  args,
  async run({ args: { folder }, rawArgs }) {
    checkFlags(rawArgs, args)
    if (readResults(folder).length === 0)
      throw new UsageError(`'${folder}' has no results. Name a folder with a results.jsonl.`)
    const summaries = await writeReport(folder)
    console.log(`${summaries.map(terminalTable).join('\n\n')}\n\nreport: ${join(folder, 'index.html')}`)
  },
})
