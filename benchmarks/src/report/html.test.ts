import { expect, it } from 'vitest'
import type { TrialRecord } from '../results'
import { tiny } from '../tasks/tiny'
import { chartPoints, chartsOf } from './charts'
import { reportHtml } from './html'
import { matrixTable } from './matrix'
import { mainTable } from './rows'
import { summarize } from './summarize'
import { terminalTable } from './text-table'

const trial = (
  method: string,
  seed: number,
  accuracy: number,
  more: Partial<TrialRecord> = {},
): TrialRecord => ({
  kind: 'trial',
  id: `tiny:${method}:${seed}:0`,
  config: {
    task: 'tiny',
    method,
    seed,
    epochs: 2,
    backend: 'wasm',
    hyperparameters: { learningRate: 0.1 },
    evaluateOn: 'test',
  },
  status: 'finished',
  tuned: true,
  parameters: 42,
  stepsPerEpoch: 20,
  curve: [
    { epoch: 0, metrics: { accuracy: 0.5, loss: 0.7 } },
    { epoch: 1, trainLoss: 0.4, metrics: { accuracy: accuracy - 0.1, loss: 0.3 } },
    { epoch: 2, trainLoss: 0.2, metrics: { accuracy, loss: 0.2 } },
  ],
  peakBytes: 3 * 2 ** 20,
  timing: { seconds: [0, 1, 2], msPerStep: method === 'backprop' ? 10 : 15 },
  date: '2025-01-01T00:00:00.000Z',
  environment: {
    node: 'v20',
    tfjs: '4.22.0',
    platform: 'linux x64',
    cpu: 'a <fast> one',
    cores: 2,
    memoryGiB: 8,
    backend: 'wasm',
    commit: 'abc1234',
  },
  command: 'tfgraft-bench --suite tiny',
  ...more,
})

const records = [0, 1, 2].flatMap((seed) => [
  trial('backprop', seed, 0.9 + 0.01 * seed),
  trial('other', seed, 0.95 + 0.01 * seed),
])

it('the report refers to no other file and no network, and escapes what it shows', async () => {
  const html = await reportHtml(summarize(records, [tiny]), records)
  const addresses = [...html.matchAll(/(?:src|href|url)\s*[=(]\s*["']?([^"')\s>]+)/g)].map(
    ([, address]) => address,
  )
  expect(addresses).toEqual([])
  expect(html.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:\/\//)
  expect(html.match(/<svg/g)).toHaveLength(4)
  expect(html).toContain('a &#60;fast&#62; one')
  expect(html).toContain('tfgraft-bench --suite tiny')
  expect(html).toContain('<b>other</b> reaches 96.00 % test accuracy, better than backprop with 91.00 %')
})

it('pictures of the first trial of a method that has any are part of the report', async () => {
  const pictures = [{ title: 'a <map>', uri: 'data:image/gif;base64,R0lGODlh' }]
  const shown = [trial('backprop', 0, 0.9), trial('other', 0, 0.9), trial('other', 1, 0.9, { pictures })]
  const html = await reportHtml(summarize(shown, [tiny]), shown)
  expect(html).toContain('<h3>other, seed 1</h3>')
  expect(html).toContain('<img src="data:image/gif;base64,R0lGODlh" alt="a &#60;map&#62;">')
  expect(html.match(/<img/g)).toHaveLength(1)
})

it('rows hold means with intervals, paired differences, ratios and memory', () => {
  const [summary] = summarize(records, [tiny])
  const [backprop, other] = summary!.methods
  expect(backprop!.metrics.accuracy!.mean).toBeCloseTo(0.91)
  // The seeds differ by 0.01 each, so the difference has no spread at all once paired.
  expect(other!.difference).toMatchObject({ mean: expect.closeTo(0.05), low: expect.closeTo(0.05) })
  expect(other!.ratio).toEqual({ value: 1.5, from: 'separate trainings' })
  expect(other!.trainLoss.map(({ mean }) => mean)).toEqual([0.4, 0.2].map((loss) => expect.closeTo(loss)))
  const table = terminalTable(summary!)
  expect(table).toContain('Two clouds, 2-8-2: 2 epochs, 3 seeds')
  expect(table).toMatch(/other +96\.00 % ± 2\.48 %.*15\.0 ± 0 +1\.50 x +3\.0 MiB +42/)
})

it('differences come with their paired test', () => {
  const [summary] = summarize(records, [tiny])
  const note = mainTable(summary!).rows[1]![1]!.note
  expect(note).toBe('+5.00 points to baseline, 95 %: +5.00 to +5.00; p < 0.001')
})

it('the matrix has a line per task and method, with the ratio of everything to the baseline', () => {
  const { columns, rows } = matrixTable(summarize(records, [tiny]))
  expect(columns.slice(0, 3)).toEqual(['task', 'method', 'quality'])
  expect(rows.map((row) => row.slice(0, 4).map(({ text }) => text))).toEqual([
    ['tiny', 'backprop', '91.00 % ± 2.48 %', '-'],
    ['tiny', 'other', '96.00 % ± 2.48 %', '+5.00 points'],
  ])
  expect(rows[1]!.slice(2, 4).map(({ note }) => note)).toEqual(['test accuracy', 'p < 0.001'])
})

it('curves are means over seeds within 0 and 100 %', () => {
  const [summary] = summarize(records, [tiny])
  const points = chartPoints(summary!, chartsOf(summary!)[1]!)
  expect(points.map(({ method, x }) => `${method} ${x}`)).toEqual([
    'backprop 0',
    'backprop 1',
    'backprop 2',
    'other 0',
    'other 1',
    'other 2',
  ])
  for (const { low, mean, high } of points) expect(low <= mean && mean <= high && high <= 1).toBe(true)
})

it('a failed trial shows its error and does not disturb the numbers of the others', async () => {
  const failed = trial('other', 2, 0.1, { status: 'failed', error: 'no <weights>', curve: [] })
  const mixed = [...records.filter(({ id }) => id !== failed.id), failed]
  const summaries = summarize(mixed, [tiny])
  expect(summaries[0]!.methods[1]!.metrics.accuracy!.mean).toBeCloseTo(0.955)
  const html = await reportHtml(summaries, mixed)
  expect(html).toContain('Partial report')
  expect(html).toContain('no &#60;weights&#62;')
})

it('results of a task that this version does not know are still shown', async () => {
  const foreign = records.map((record) => ({ ...record, config: { ...record.config, task: 'gone' } }))
  const summaries = summarize(foreign, [tiny])
  expect(summaries[0]!.task.metrics.map(({ name, better }) => [name, better])).toEqual([
    ['accuracy', 'higher'],
    ['loss', 'lower'],
  ])
  expect(await reportHtml(summaries, foreign)).toContain('This task is not part of this version')
})
