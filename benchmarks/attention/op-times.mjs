/**
 * Times of causal differential attention (4 heads, queries and keys 64 wide, values 128): the fused op, the same composed of
 * tf ops on tfgraft's wasm backend, and composed on stock tfjs-wasm; with plain attention of the same width, and a matrix
 * product for scale.
 *
 *     node benchmarks/attention/op-times.mjs [--out file.json] [--rounds 7] [--lengths 256,1024]
 *
 * The contenders live in processes that take turns, one running at a time. Milliseconds are processor time, so that other work on
 * the machine counts little. A ratio is the median over rounds. Run `pnpm build` first.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { environment, median } from '@tfgraft/bench/measure'

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    lengths: { type: 'string', default: '256,1024' },
  },
})
const rounds = Number(values.rounds)

async function start(backend) {
  const child = fork(new URL('contender.mjs', import.meta.url), [backend], {
    stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
  })
  await once(child, 'message')
  return {
    measure: async (task, length) => {
      child.send({ task, length })
      return (await once(child, 'message'))[0].ms
    },
    stop: () => child.kill(),
  }
}
const stock = await start('stock')
const ours = await start('ours')

/** Name in the report, process, task. */
const contenders = [
  ['fused forward', ours, 'fused forward'],
  ['plain forward', ours, 'plain forward'],
  ['composed forward', ours, 'composed forward'],
  ['stock forward', stock, 'composed forward'],
  ['fused both', ours, 'fused both'],
  ['plain both', ours, 'plain both'],
  ['composed both', ours, 'composed both'],
  ['stock both', stock, 'composed both'],
  ['sgemm', ours, 'sgemm'],
]

const results = {}
for (const length of values.lengths.split(',').map(Number)) {
  const times = Object.fromEntries(contenders.map(([name]) => [name, []]))
  for (const [name, process, task] of contenders) await process.measure(task, name === 'sgemm' ? 768 : length)
  for (let round = 0; round < rounds; round++)
    for (const [name, process, task] of contenders)
      times[name].push(await process.measure(task, name === 'sgemm' ? 768 : length))
  const ratio = (a, b) => median(times[a].map((ms, round) => ms / times[b][round]))
  // What causality leaves of 8 products Q K' and 4 products P V.
  const flops = 2 * ((length * (length + 1)) / 2) * (8 * 64 + 4 * 128)
  const rate = (ms) => flops / ms / 1e6
  const sgemmRate = (ms) => (2 * 768 ** 3) / ms / 1e6
  results[length] = {
    ms: Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)])),
    speedup: {
      'forward, to stock': ratio('stock forward', 'fused forward'),
      'forward and backward, to stock': ratio('stock both', 'fused both'),
      'forward, to composed': ratio('composed forward', 'fused forward'),
      'forward and backward, to composed': ratio('composed both', 'fused both'),
    },
    'differential to plain': {
      forward: ratio('fused forward', 'plain forward'),
      'forward and backward': ratio('fused both', 'plain both'),
    },
    'GFLOP/s of the fused forward': median(times['fused forward'].map(rate)),
    'of the GFLOP/s of sgemm 768': median(
      times['fused forward'].map((ms, round) => rate(ms) / sgemmRate(times.sgemm[round])),
    ),
  }
  console.log(`length ${length}`)
  console.log(
    JSON.stringify(results[length], (_, x) => (typeof x === 'number' ? Number(x.toFixed(2)) : x), 2),
  )
}
stock.stop()
ours.stop()
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ command: 'node benchmarks/attention/op-times.mjs', environment: environment('wasm'), rounds, results }, null, 2)}\n`,
  )
