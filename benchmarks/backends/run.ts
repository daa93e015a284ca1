/**
 * Measures the wasm backend beside tfjs's own. In this folder's parent:
 *
 *     node --no-liftoff --conditions=@tfgraft/source --import tsx backends/run.ts products|kernels|steps [--cpu]
 *
 * `--no-liftoff` compiles wasm with the optimizing compiler at once, as it is after some time anyway. Writes
 * `results/committed/backends-<suite>.json` and the table made from it, `backends-<suite>.md`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { hasRelaxedSimd } from '@tfgraft/backends'
import { kernels } from '../../packages/backends/src/generated/kernels'
import { environment } from '../src/environment'
import { measureMemoryBound, measureProducts } from './ops'
import { measureSteps } from './steps'
import { contestants } from './stock-and-ours'
import { kernelsTable, productsTable, stepsTable } from './tables'

const folder = new URL('../results/committed/', import.meta.url)
const [suite, ...flags] = process.argv.slice(2)
const sides = await contestants()
const measuredOn = { ...environment(), relaxedSimd: hasRelaxedSimd(kernels) }

function write(name: string, results: object, table: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(new URL(`${name}.md`, folder), table)
  console.log(table)
}

if (suite === 'products') {
  const results = { environment: measuredOn, products: measureProducts(sides) }
  write('backends-products', results, productsTable(results))
} else if (suite === 'kernels') {
  const results = { environment: measuredOn, kernels: measureMemoryBound(sides) }
  write('backends-kernels', results, kernelsTable(results))
} else if (suite === 'steps') {
  const steps = await measureSteps(sides, { withCpu: flags.includes('--cpu') })
  const results = { environment: measuredOn, steps }
  write('backends-steps', results, stepsTable(results))
} else {
  throw new Error(`backends/run: the suite must be products, kernels or steps. Received '${suite}'.`)
}
