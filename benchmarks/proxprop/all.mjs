/**
 * Measures everything that ProxProp's README says, one thing after the other, and writes it there. For a quiet machine.
 *
 *     node benchmarks/proxprop/all.mjs [--only times,memory,accuracy,peers,full-batch,suites,readme]     about 35 minutes
 *
 * Results go to `benchmarks/results/committed/proxprop-*`. `readme` alone derives the tables from them anew. `peers` wants
 * Debian's python3-torch. Run `pnpm build` first.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const committed = (name) => `benchmarks/results/committed/proxprop-${name}`
const script = (path, ...args) => run(`benchmarks/${path}`, ...args)
function run(...args) {
  console.log(`\nnode ${args.join(' ')}`)
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** In this order. */
const steps = {
  times: () => script('proxprop/step-times.mjs', '--out', committed('step-times.json')),
  memory: () => script('proxprop/memory.mjs', '--out', committed('memory.json')),
  accuracy: () => script('proxprop/accuracy.mjs', '--out', committed('accuracy.json')),
  peers: () => script('peers/proxprop.mjs', '--out', committed('peers.json')),
  'full-batch': () => {
    for (const dataset of ['mnist', 'fashion-mnist'])
      script(
        'proxprop/full-batch.mjs',
        '--dataset',
        dataset,
        '--out',
        committed(`full-batch-${dataset}.json`),
      )
  },
  suites: () => {
    const out = 'benchmarks/results/proxprop-suite'
    rmSync(`${root}${out}`, { recursive: true, force: true })
    script('dist/cli.mjs', '--suite', 'proxprop', '--seeds', '3', '--out', out)
    copyFileSync(`${root}${out}/results.jsonl`, `${root}${committed('suite.jsonl')}`)
  },
  readme: () => script('proxprop/readme.mjs'),
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = values.only?.split(',') ?? Object.keys(steps)
const unknown = wanted.find((name) => !(name in steps))
if (unknown !== undefined) {
  console.error(`all: --only must name some of ${Object.keys(steps).join(', ')}. Received ${unknown}.`)
  process.exit(1)
}
for (const [name, step] of Object.entries(steps)) if (wanted.includes(name)) step()
