import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { appendResult, type ResultRecord, readResults, replaceFile } from './results'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfgraft-results-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const steps = (id: string, rounds = 1): ResultRecord => ({
  kind: 'steps',
  id,
  task: 'tiny',
  backend: 'cpu',
  rounds,
  clock: 'wall',
  methods: {},
  baseline: 'backprop',
  date: '',
  environment: {
    node: '',
    tfjs: '',
    platform: '',
    cpu: '',
    cores: 1,
    memoryGiB: 1,
    backend: 'cpu',
    commit: '',
  },
})

it('records come back in order; of equal ids the last counts', () => {
  for (const [id, rounds] of [
    ['a', 1],
    ['b', 2],
    ['a', 3],
  ] as const)
    appendResult(folder, steps(id, rounds))
  expect(readResults(folder)).toEqual([steps('a', 3), steps('b', 2)])
  expect(readResults(join(folder, 'absent'))).toEqual([])
})

it('a line cut short by a kill costs that line only, before and after further writes', () => {
  appendResult(folder, steps('a'))
  appendFileSync(join(folder, 'results.jsonl'), JSON.stringify(steps('b')).slice(0, 40))
  expect(readResults(folder)).toEqual([steps('a')])
  appendResult(folder, steps('c'))
  expect(readResults(folder)).toEqual([steps('a'), steps('c')])
})

it('a file of something else is refused with its line', () => {
  writeFileSync(join(folder, 'results.jsonl'), '{"kind":"trial","id":"x"}\n{"loss":1}\n')
  expect(() => readResults(folder)).toThrow('line 2 of')
})

it('replacing a file leaves no partial file', () => {
  const path = join(folder, 'index.html')
  replaceFile(path, 'old')
  replaceFile(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
})
