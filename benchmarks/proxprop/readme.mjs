/**
 * Writes the tables of the proxprop README from `benchmarks/results/committed/proxprop-*`: what stands between
 * `<!-- table: name -->` and `<!-- end -->` is replaced.
 *
 *     node benchmarks/proxprop/readme.mjs
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { meanWithInterval } from '@tfgraft/bench/measure'

const committed = (name) => new URL(`../results/committed/proxprop-${name}`, import.meta.url)
const json = (name) => JSON.parse(readFileSync(committed(name), 'utf8'))

const table = (head, align, rows) =>
  [head, align, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
const numbers = (count) => ['---', ...Array(count).fill('--:')]
const plusMinus = ({ mean, plusMinus }, digits) => `${mean.toFixed(digits)} ± ${plusMinus.toFixed(digits)}`
const settings = (setting) =>
  Object.entries(setting)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ')

function fullBatch() {
  const reports = ['mnist', 'fashion-mnist'].map((dataset) => json(`full-batch-${dataset}.json`))
  const title = ({ task }, name) => `${name}, ${task.samples} images`
  const cell = ({ lossAfter50Epochs, epochsToReach, interval, setting, atEdge }) => {
    const edge = atEdge.length ? `; at the grid's edge: ${atEdge.join(', ')}` : ''
    const how = ` (${settings(setting)}${edge})`
    if (lossAfter50Epochs) return `50 epochs: loss ${plusMinus(interval, 3)}${how}`
    const each = epochsToReach.map((epochs) => epochs ?? 'more than 50')
    const mean = interval && interval.plusMinus > 0 ? `: ${plusMinus(interval, 1)}` : ''
    return `${[...new Set(each)].length === 1 ? `**${each[0]}** epochs, each seed` : `${each.join(', ')} epochs`}${mean}${how}`
  }
  const names = reports[0].results.map(({ name }) => name)
  return table(
    ['', title(reports[0], 'MNIST'), title(reports[1], 'Fashion-MNIST')],
    ['---', '---', '---'],
    names.map((name) => [
      name,
      ...reports.map(({ results }) => cell(results.find((result) => result.name === name))),
    ]),
  )
}

function stepTimes() {
  const { nets, fit } = json('step-times.json')
  const names = Object.keys(nets[0].results)
  return [
    table(
      ['', ...names],
      numbers(names.length),
      nets.map(({ title, results }) => [
        title,
        ...names.map((name) =>
          name === 'plain' ? `${results[name].ms.toFixed(1)} ms` : results[name].ratio.toFixed(2),
        ),
      ]),
    ),
    '',
    `${fit.title}: ${Object.entries(fit.results)
      .map(([name, { ms, ratio }]) =>
        name === 'plain' ? `plain ${ms.toFixed(0)} ms` : `${name} ${ratio.toFixed(2)}`,
      )
      .join(', ')}.`,
  ].join('\n')
}

function memory() {
  const { nets } = json('memory.json')
  const names = Object.keys(nets[0].results)
  const mebibytes = (bytes) => (bytes / 2 ** 20).toFixed(1)
  return table(
    ['MiB: wasm heap (tensors by tfjs)', ...names],
    numbers(names.length),
    nets.map(({ title, results }) => [
      title,
      ...names.map((name) => `${mebibytes(results[name].heap)} (${mebibytes(results[name].tensors)})`),
    ]),
  )
}

function peers() {
  const { results, exactToTorchCg1, environment, rounds } = json('peers.json')
  const names = Object.keys(results)
  return [
    table(
      names,
      names.map(() => '--:'),
      [names.map((name) => `${results[name].ms.toFixed(1)} ms`)],
    ),
    '',
    `Our exact step takes ${exactToTorchCg1.toFixed(2)} times PyTorch's cg1 (median of ${rounds} rounds, PyTorch ${environment.torch.split(' ')[0]}, one thread each).`,
  ].join('\n')
}

const naturalOrder = new Intl.Collator('en', { numeric: true })

/** Final accuracy and training loss of each task and method of the suite, over seeds. */
function suite() {
  const records = readFileSync(committed('suite.jsonl'), 'utf8').trim().split('\n').map(JSON.parse)
  const trials = records.filter(({ kind, status }) => kind === 'trial' && status === 'finished')
  const steps = new Map(records.filter(({ kind }) => kind === 'steps').map((record) => [record.task, record]))
  const tasks = [...new Set(trials.map(({ config }) => config.task))]
  // A task's methods by name, so backprop is first, whatever ran first.
  const methods = [...new Set(trials.map(({ config }) => config.method))].toSorted(naturalOrder.compare)
  const pairs = tasks.flatMap((task) => methods.map((method) => `${task} ${method}`))
  const seeds = new Set(trials.map(({ config }) => config.seed)).size
  const rows = pairs.map((pair) => {
    const [task, method] = pair.split(' ')
    const own = trials.filter(({ config }) => config.task === task && config.method === method)
    const last = own.map(({ curve }) => curve.at(-1))
    const accuracy = meanWithInterval(last.map(({ metrics }) => 100 * metrics.accuracy))
    const loss = meanWithInterval(last.map(({ trainLoss }) => trainLoss))
    const ratio = steps.get(task)?.methods[method]?.ratio
    return [
      task.replace('proxprop-', ''),
      method,
      settings(own[0].config.hyperparameters),
      `${plusMinus(accuracy, 2)} %`,
      plusMinus(loss, 4),
      ratio ? ratio.toFixed(2) : '-',
    ]
  })
  return [
    table(
      ['task', 'method', 'settings', 'test accuracy', 'training loss', 'step ratio'],
      ['---', '---', '---', '--:', '--:', '--:'],
      rows,
    ),
    '',
    `Means over ${seeds} seeds with 95 % intervals.`,
  ].join('\n')
}

const file = new URL('../../packages/proxprop/README.md', import.meta.url)
let text = readFileSync(file, 'utf8')
for (const [name, [source, make]] of Object.entries({
  'full-batch': ['full-batch-fashion-mnist.json', fullBatch],
  'step-times': ['step-times.json', stepTimes],
  memory: ['memory.json', memory],
  peers: ['peers.json', peers],
  suite: ['suite.jsonl', suite],
})) {
  if (!existsSync(committed(source))) {
    console.log(`${name}: not measured, ${committed(source).pathname} is missing`)
    continue
  }
  const block = new RegExp(`(<!-- table: ${name} -->\n)[^]*?(<!-- end -->)`)
  if (!block.test(text)) throw new Error(`readme: the README must have a block for ${name}.`)
  text = text.replace(block, (_all, start, end) => `${start}${make()}\n${end}`)
}
writeFileSync(file, text)
