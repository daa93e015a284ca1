/** Event files as the real TensorBoard reads them. `TFGRAFT_PYTHON` must name a Python that has it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type ResultRecord, readResults } from '../results'
import { tasks } from '../suites'
import { eventsOf, writeEvents } from './write-events'

const script = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]).Reload()
print(json.dumps({tag: [[e.step, e.wall_time, e.value] for e in events.Scalars(tag)] for tag in events.Tags()['scalars']}))
`

it('TensorBoard reads every value of a committed trial', () => {
  const python = process.env.TFGRAFT_PYTHON
  if (!python) throw new Error('TFGRAFT_PYTHON must name a Python that has tensorboard.')
  const folder = mkdtempSync(join(tmpdir(), 'tfgraft-tensorboard-'))
  const committed = join(import.meta.dirname, '..', '..', 'results', 'committed', 'matrix')
  const trial = readResults(committed).find(
    (record): record is Extract<ResultRecord, { kind: 'trial' }> => record.kind === 'trial',
  )!
  writeEvents(folder, [trial], [...tasks])
  const { task, method, seed } = trial.config
  const output = execFileSync(python, ['-c', script, join(folder, task, method, `seed-${seed}`)], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const read = JSON.parse(output) as Record<string, [number, number, number][]>
  const { metrics } = tasks.find(({ name }) => name === task)!
  const expected = eventsOf(trial, (name) => metrics.find((metric) => metric.name === name)!.title)
  expect(Object.keys(read).sort()).toEqual([...new Set(expected.map(({ tag }) => tag))].sort())
  for (const [tag, values] of Object.entries(read))
    expect(values).toEqual(
      expected
        .filter((event) => event.tag === tag)
        .map(({ step, wallTime, value }) => [step, wallTime, Math.fround(value)]),
    )
  rmSync(folder, { recursive: true })
})
