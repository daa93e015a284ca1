/**
 * Draws how the accuracy on the recurrence task rises with the position in the sequence, for each method: the mean of its seeds, after
 * the last epoch.
 *
 *     node benchmarks/attention/accuracy-by-position.mjs RESULTS_FOLDER_OR_JSONL --out picture.svg
 *
 * The results are those of `tfgraft-bench run --tasks recurrence`.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import * as vega from 'vega'
import { compile } from 'vega-lite'

const {
  values: { out },
  positionals: [results],
} = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true })
if (!results || !out)
  throw new Error(
    `accuracy-by-position: a results folder and \`--out\` must be given. Received ${results} and ${out}.`,
  )
const file = statSync(results).isDirectory() ? join(results, 'results.jsonl') : results
const trials = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(
    ({ kind, status, config }) => kind === 'trial' && status === 'finished' && config.task === 'recurrence',
  )
if (!trials.length)
  throw new Error(
    `accuracy-by-position: ${file} must hold finished trials of the recurrence task. Received none.`,
  )
const rows = trials.flatMap(({ config, curve }) =>
  Object.entries(curve.at(-1).metrics).flatMap(([name, accuracy]) => {
    const position = name.match(/^position (\d+)$/)
    return position ? { method: config.method, position: Number(position[1]), accuracy } : []
  }),
)
const { spec } = compile({
  data: { values: rows },
  width: 560,
  height: 260,
  background: 'white',
  mark: { type: 'line', point: false },
  encoding: {
    x: { field: 'position', type: 'quantitative', title: 'numbers seen' },
    y: {
      aggregate: 'mean',
      field: 'accuracy',
      scale: { domain: [0, 1] },
      title: 'test accuracy of the next number',
    },
    color: { field: 'method', type: 'nominal', title: null },
  },
})
writeFileSync(out, await new vega.View(vega.parse(spec), { renderer: 'none' }).toSVG())
const seeds = new Set(trials.map(({ config }) => config.seed)).size
console.log(`${out}: ${trials.length} trials, ${seeds} seeds`)
