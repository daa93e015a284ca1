/** `tfgraft-bench compare`: what changed between two results folders, as a check for regressions. */
import { defineCommand } from 'citty'
import { UsageError } from '../choices'
import { type Change, compareRuns } from '../compare-runs'
import { readResults } from '../results'
import { checkFlags } from './check-flags'

const args = {
  before: { type: 'positional', required: true, description: 'Results folder to compare with.' },
  after: { type: 'positional', required: true, description: 'Results folder to judge.' },
  threshold: {
    type: 'string',
    default: '0.05',
    valueHint: 'share',
    description: 'Exit with 1 when something got worse by more than this share, and not by chance.',
  },
} as const

export const compare = defineCommand({
  meta: { name: 'compare', description: 'Compare two results folders; fail on a regression.' },
  args,
  run({ args: { before, after, threshold }, rawArgs }) {
    checkFlags(rawArgs, args)
    const limit = Number(threshold)
    if (!(limit >= 0)) throw new UsageError(`--threshold must be a number from 0. Received '${threshold}'.`)
    const [old, current] = [before, after].map((folder) => {
      const records = readResults(folder)
      if (records.length === 0)
        throw new UsageError(`'${folder}' has no results. Name a folder with a results.jsonl.`)
      return records
    })
    const changes = compareRuns(old!, current!)
    if (changes.length === 0) throw new UsageError('the two folders have no task and method in common.')
    for (const change of changes) console.log(describe(change, limit))
    const regressions = changes.filter((change) => change.worseBy > limit && !change.byChance)
    console.log(
      `\n${regressions.length} regression${regressions.length === 1 ? '' : 's'} beyond ${100 * limit} %`,
    )
    if (regressions.length) process.exitCode = 1
  },
})

function describe(
  { task, method, quantity, before, after, worseBy, byChance }: Change,
  limit: number,
): string {
  const percent = `${worseBy > 0 ? 'worse' : 'better'} by ${(100 * Math.abs(worseBy)).toFixed(1)} %`
  const verdict = byChance ? ' (within chance)' : worseBy > limit ? ' REGRESSION' : ''
  return `${task}  ${method}  ${quantity}: ${before.toPrecision(4)} -> ${after.toPrecision(4)}  ${percent}${verdict}`
}
