/**
 * Puts the trainings of `train.mjs` into the README of the package, between its markers: of every experiment that has
 * results a table, and a drawing of the curves; and the numbers of `bridge.mjs` and `peers/exploration.mjs`.
 *
 *     node benchmarks/exploration/tables.mjs
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parse, View } from 'vega'
import { compile } from 'vega-lite'

const readme = 'packages/rl-exploration/README.md'
const folder = 'benchmarks/results/committed'
const experiments = {
  multiroom: `**Exploring pays.** 64 environments, 147 normalised inputs, hidden layers of 64, the same hyper-parameters for all. Bands in the
drawings go from the worst to the best seed; the first points of a curve may be of few episodes.`,
  harder: `**Harder worlds.** MultiRoom-N4-S5-v0 has six small rooms, MultiRoom-N6-v0 six large ones. In DoorKey-16x16 the
default weight of counts drowns the one reward of the world, and an agent that reaches it loses what the rest of the episode would pay: with a
fifth of the weight and \`episodic: false\` two seeds of three solve it, and none of PPO alone. KeyCorridorS3R3 needs no bonus: chance meets its reward in 1.6 % of the first episodes,
PPO alone learns it, and counts slow it down. Rows of one seed are tries; those that failed are here too.`,
  'doorkey-tuning': `**DoorKey-16x16, equally tuned.** To the tries above (of bonuses counts, \`rnd\` and light counts; of PPO an entropy coefficient of
0.01) come these, until both have had five, on a seed that nothing else is reported on:`,
  doorkey: 'The same world on other seeds. What solves one seed need not solve the next:',
  memory: `**Memory.** In MemoryS7 the object seen at the start says which way is right at the end: without memory one can only guess.`,
  keyroom: `**KeyRoom-S5 of MiniHack**, through the bridge. The course that the defaults come from says that PPO alone solves it in a million steps, and
that \`rnd\` is faster at the start. PPO does not, on the one seed that was run; \`rnd\` was not run yet. Steps/s leave out Python's time.`,
}

/** PPO first. */
const rank = ({ method }) => (method === 'ppo' ? 0 : 1)

/** Trials of one task, method, budget and options: by task, baselines first. */
function groups(trials) {
  const byKey = new Map()
  for (const trial of trials) {
    const key = JSON.stringify([trial.task, trial.method, trial.totalSteps, trial.options])
    byKey.set(key, [...(byKey.get(key) ?? []), trial])
  }
  return [...byKey.values()].sort(([a], [b]) => a.task.localeCompare(b.task) || rank(a) - rank(b))
}

const title = ({ method, options }) => {
  const base = { ppo: 'PPO', lstm: 'PPO, `lstm`', gru: 'PPO, `gru`' }[method] ?? `PPO + \`${method}\``
  const given = Object.entries(options ?? {}).map(([name, value]) => `${name} ${value}`)
  return given.length ? `${base} (${given.join(', ')})` : base
}
const number = (value) => value.toLocaleString('en')
const percent = (value) => (value === null ? '-' : `${Math.round(100 * value)} %`)

function table(trials) {
  const rows = groups(trials).map((group) => {
    const [{ task, totalSteps }] = group
    const solved = group.map(({ solvedAt }) => (solvedAt === null ? 'never' : number(solvedAt)))
    const rate = Math.round(
      group.reduce((sum, { stepsPerCpuSecond }) => sum + stepsPerCpuSecond, 0) / group.length,
    )
    return [
      task,
      title(group[0]),
      group.length,
      number(totalSteps),
      group.map(({ finalSuccess }) => percent(finalSuccess)).join(', '),
      solved.every((at) => at === 'never')
        ? solved.length > 1
          ? 'never in any'
          : 'never'
        : solved.join(', '),
      number(rate),
    ]
  })
  const head = ['', '', 'seeds', 'steps', 'success at the end, per seed', '90 % reached at step', 'steps/s']
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

/** Success over steps: the mean over seeds with the band from the worst to the best of them. */
async function drawing(trials) {
  const tasks = [...new Set(trials.map(({ task }) => task))]
  const values = groups(trials).flatMap((group, index) =>
    group[0].curve.map(([step], k) => {
      const at = group.map(({ curve }) => curve[k]?.[1] ?? 0)
      return {
        group: index,
        task: group[0].task,
        method: title(group[0]).replaceAll('`', ''),
        step: step / 1e6,
        mean: at.reduce((a, b) => a + b, 0) / at.length,
        low: Math.min(...at),
        high: Math.max(...at),
      }
    }),
  )
  const long = values.some(({ method }) => method.length > 40)
  const x = { field: 'step', type: 'quantitative', title: 'million steps' }
  const y = {
    field: 'mean',
    type: 'quantitative',
    title: 'success',
    axis: { format: '%' },
    scale: { domain: [0, 1] },
  }
  const color = {
    field: 'method',
    type: 'nominal',
    title: null,
    scale: { scheme: 'tableau10' },
    legend: {
      orient: 'bottom',
      columns: long ? 1 : 3,
      labelLimit: 600,
      symbolType: 'stroke',
      symbolOpacity: 1,
    },
  }
  // Trainings of different length are lines of their own.
  const detail = { field: 'group', type: 'nominal' }
  const spec = {
    data: { values },
    background: 'white',
    columns: Math.min(2, tasks.length),
    facet: { field: 'task', type: 'nominal', title: null, sort: tasks },
    spec: {
      width: 380,
      height: 220,
      layer: [
        {
          mark: { type: 'area', opacity: 0.15 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color, detail },
        },
        { mark: { type: 'line', strokeWidth: 2 }, encoding: { x, y, color, detail } },
      ],
    },
    resolve: { scale: { x: 'independent' }, axis: { x: 'independent' } },
  }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}

const sections = []
for (const [name, introduction] of Object.entries(experiments)) {
  const file = `${folder}/exploration-${name}.json`
  if (!existsSync(file)) continue
  const { trials } = JSON.parse(readFileSync(file, 'utf8'))
  const picture = file.replace('.json', '.svg')
  writeFileSync(picture, await drawing(trials))
  const command = `node benchmarks/exploration/train.mjs ${name}${name === 'keyroom' ? ' --python .venv-minihack/bin/python' : ''}`
  sections.push(
    introduction,
    table(trials),
    `![Success over steps](../../${picture})`,
    `\`${command}\` ([curves](../../${file}); trials name the commit that they ran on)`,
  )
}
const read = (name) => JSON.parse(readFileSync(`${folder}/exploration-${name}.json`, 'utf8'))
const peers = read('peers')
sections.push(`**Beside PyTorch.** PPO + \`rnd\` on ${peers.task}, 64 environments: ${number(peers.stepsPerSecond.tfgraft)} steps per second end to end on wasm,
against ${number(peers.stepsPerSecond.torch)} of the same algorithm in PyTorch ${peers.environment.torch} (one thread) on Python's MiniGrid: ${peers.ratio} times.
\`node benchmarks/peers/exploration.mjs --python .venv/bin/python\`, in turns in one run.`)
const bridge = read('bridge')
sections.push(
  `**Round trips of the bridge** per second, by the size of an observation. \`node benchmarks/exploration/bridge.mjs --python .venv/bin/python\`:`,
  [
    ['kB', 'pipe', 'shared memory', 'ratio'],
    ['---', '---', '---', '---'],
    ...bridge.rows.map(({ kilobytes, pipe, sharedMemory, ratio }) => [
      ...[number(kilobytes), number(pipe), number(sharedMemory), ratio],
    ]),
  ]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n'),
)
const [start, end] = [
  '<!-- trainings: written by benchmarks/exploration/tables.mjs -->',
  '<!-- /trainings -->',
]
const text = readFileSync(readme, 'utf8')
const [from, to] = [text.indexOf(start), text.indexOf(end)]
if (from < 0 || to < 0) throw new Error(`${readme} must have ${start} and ${end}.`)
writeFileSync(
  readme,
  `${text.slice(0, from + start.length)}\n\n${sections.join('\n\n')}\n\n${text.slice(to)}`,
)
