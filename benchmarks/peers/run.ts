/**
 * tfgraft beside whatever else is installed, in one run, in turns, one thread each:
 *
 *     pnpm bench:peers [--python /usr/bin/python3] [--rounds 9] [--out benchmarks/results/committed/peers-layers.json]
 *
 * PyTorch, timm's DiffAttention and SplitBatchNorm2d, transformers' DiffLlama attention, torchattacks' PGD, `@jax-js/jax`, stock
 * compositions on tfjs-wasm and on tfjs-node. What is absent is listed with the reason and how to install it. Times are processor time.
 * Whole training steps beside PyTorch: `peers/steps.ts`; ProxProp's modes: `peers/proxprop.mjs`; grid worlds beside Python's MiniGrid:
 * `exploration/throughput.mjs --python`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { environment, median } from '@tfgraft/bench/measure'

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: '/usr/bin/python3' },
    rounds: { type: 'string', default: '9' },
    out: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
if (!(Number.isInteger(rounds) && rounds > 0))
  throw new Error(`bench:peers: --rounds must be a positive integer. Received '${values.rounds}'.`)

/** How to get what may be absent. */
const install: Record<string, string> = {
  PyTorch: 'apt-get install python3-torch libopenblas0-openmp',
  timm: 'pip install --no-deps timm, with huggingface_hub, safetensors, pyyaml and torchvision',
  transformers: 'pip install transformers; its DiffLlama needs PyTorch 2',
  torchattacks: 'pip install --no-deps torchattacks, and scipy',
  'tfjs-node': 'pnpm add -w @tensorflow/tfjs-node, which downloads libtensorflow',
  'jax-js': 'pnpm add -w @jax-js/jax',
}

interface Side {
  process: ChildProcess
  version: string
  /** The peer's name of each case that it has. */
  cases: Record<string, string>
  measure(name: string): Promise<number>
}

const absent: { peer: string; reason: string; install: string }[] = []
const isAbsent = (peer: string, reason: string) => absent.push({ peer, reason, install: install[peer] ?? '' })

async function start(peer: string, command: string, args: string[]): Promise<Side | undefined> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', TF_NUM_INTRAOP_THREADS: '1' },
  })
  let failure = ''
  child.on('error', ({ message }) => {
    failure = message
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const { value, done } = await lines.next()
  const hello = done ? { error: failure || `${command} cannot import it` } : JSON.parse(value)
  if (hello.error && peer === 'ours') throw new Error(`bench:peers: ${hello.error}`)
  if (hello.error) {
    isAbsent(peer, hello.error)
    child.kill()
    return undefined
  }
  for (const [name, reason] of Object.entries(hello.absent as Record<string, string>)) isAbsent(name, reason)
  return {
    process: child,
    version: hello.version,
    cases: hello.cases,
    async measure(name) {
      child.stdin!.write(`${name}\n`)
      const answer = await lines.next()
      if (answer.done || Number.isNaN(Number(answer.value)))
        throw new Error(
          `bench:peers: ${peer} failed in '${name}'. Received ${answer.value ?? 'an end of its output'}.`,
        )
      return Number(answer.value)
    },
  }
}

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url))
const node = (side: string) =>
  start(side, process.execPath, [...process.execArgv, here('layers-contender.ts'), side])
const sides = (
  await Promise.all([
    node('ours'),
    node('stock'),
    node('tfjs-node'),
    node('jax-js'),
    start('PyTorch', values.python, [here('layers.py')]),
  ])
).filter((side) => side !== undefined)

const rows: { case: string; peer: string; ms: number; toOurs: number }[] = []
for (const name of new Set(sides.flatMap(({ cases }) => Object.keys(cases)))) {
  // transformers' layer rotates and is causal only by a mask: it is compared with the same layer of ours.
  const mine = name.replace('DiffLlama', 'differential')
  const contenders = sides.flatMap((side, index) =>
    side.cases[name]
      ? [{ side, name, peer: side.cases[name] }]
      : index === 0 && side.cases[mine]
        ? [{ side, name: mine, peer: side.cases[mine] }]
        : [],
  )
  const times = contenders.map(() => [] as number[])
  for (let round = -3; round < rounds; round++)
    for (const [index, contender] of contenders.entries()) {
      const ms = await contender.side.measure(contender.name)
      if (round >= 0) times[index]!.push(ms)
    }
  const ours = times[0]!
  for (const [index, { peer }] of contenders.entries()) {
    const ratios = times[index]!.map((ms, round) => ms / ours[round]!)
    rows.push({ case: name, peer, ms: median(times[index]!), toOurs: median(ratios) })
  }
}
for (const side of sides) side.process.kill()

console.table(
  rows.map(({ case: name, peer, ms, toOurs }) => ({
    case: name,
    peer,
    ms: ms.toFixed(2),
    'to tfgraft': `${toOurs.toFixed(2)} x`,
  })),
)
for (const { peer, reason, install } of absent)
  console.log(`absent: ${peer} (${reason}). To install: ${install}`)
const versions = Object.fromEntries(sides.map(({ version, cases }) => [Object.values(cases)[0], version]))
const report = {
  command: 'pnpm bench:peers',
  environment: environment('wasm'),
  versions,
  rounds,
  rows,
  absent,
}
if (values.out) writeFileSync(values.out, `${JSON.stringify(report, null, 1)}\n`)
