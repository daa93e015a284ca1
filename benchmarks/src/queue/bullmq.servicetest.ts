/** The queue on a real Redis server, with workers that are killed. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createRandom } from '@tfgraft/core'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { readResults, type TrialRecord } from '../results'

const packageFolder = fileURLToPath(new URL('../..', import.meta.url))
const cli = join(packageFolder, 'dist', 'cli.mjs')
let server: ChildProcess
let url: string
let data: string
let folder: string
const running = new Set<ChildProcess>()

async function freePort(): Promise<number> {
  const probe = createServer().listen(0)
  await new Promise((resolve) => probe.once('listening', resolve))
  const { port } = probe.address() as { port: number }
  await new Promise((resolve) => probe.close(resolve))
  return port
}

beforeAll(async () => {
  expect(existsSync(cli), 'benchmarks/dist is built').toBe(true)
  execFileSync('redis-server', ['--version'])
  data = mkdtempSync(join(tmpdir(), 'tfgraft-redis-'))
  const port = await freePort()
  server = spawn('redis-server', ['--port', `${port}`, '--dir', data, '--save', '', '--appendonly', 'no'], {
    stdio: 'ignore',
  })
  url = `redis://127.0.0.1:${port}`
  for (let tries = 0; ; tries++) {
    const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
    redis.on('error', () => {})
    const answer = await redis
      .connect()
      .then(() => redis.ping())
      .catch(() => undefined)
    redis.disconnect()
    if (answer === 'PONG') break
    if (tries === 50) throw new Error(`redis-server does not answer on ${url}`)
    await pause(100)
  }
})
afterAll(() => {
  server?.kill()
  rmSync(data, { recursive: true, force: true })
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tfgraft-queue-'))
})
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await pause(500) // trial processes end once they see that their worker is gone
  rmSync(folder, { recursive: true, force: true })
})

/** Starts the built command. */
function bench(...args: string[]) {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      running.delete(child)
      resolve(code)
    })
  })
  return { child, ended, output: () => output }
}

/** One of several workers that share a folder of checkpoints. A lock of 4 s, so that the dead are found out soon. */
const worker = () =>
  bench(
    ...['worker', '--queue', url, '--workers', '1', '--storage', join(folder, 'storage')],
    ...['--checkpoint-seconds', '0', '--lock-seconds', '4'],
  )

const trialsOf = (out: string) => readResults(out).filter((record) => record.kind === 'trial')
const linesOf = (out: string) =>
  existsSync(join(out, 'results.jsonl'))
    ? readFileSync(join(out, 'results.jsonl'), 'utf8').trim().split('\n')
    : []
const numbers = ({ status, curve, parameters, peakBytes, config }: TrialRecord) => ({
  ...{ status, curve, parameters, peakBytes, config },
})

async function until(condition: () => boolean, what: string, seconds = 120): Promise<void> {
  for (const end = Date.now() + 1000 * seconds; !condition(); await pause(50))
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`)
}

it('200 trials over three workers, five of them killed in the middle: every trial once, with the numbers of a local run', async () => {
  const out = join(folder, 'run')
  const trials = ['--suite', 'tiny', '--seeds', '100', '--epochs', '1', '--no-step-times']
  const producer = bench('run', ...trials, '--queue', url, '--out', out)
  const workers = [worker(), worker(), worker()]
  const random = createRandom('kills')
  for (let kill = 1; kill <= 5; kill++) {
    // After each sixth of the trials, whichever worker and wherever it is.
    await until(() => linesOf(out).length >= 33 * kill, `${33 * kill} results`)
    await pause(random.uniform(0, 300))
    const victim = random.integer(0, 3)
    workers[victim]!.child.kill('SIGKILL')
    await workers[victim]!.ended
    workers[victim] = worker()
  }
  expect(await producer.ended, producer.output()).toBe(0)
  const ids = linesOf(out).map((line) => JSON.parse(line).id)
  expect(ids).toHaveLength(200)
  expect(new Set(ids).size).toBe(200)
  for (const { status } of trialsOf(out)) expect(status).toBe('finished')
  expect(producer.output()).toContain('its worker is gone; it is run again from its last checkpoint')
  // Checkpoints go once their results are on the server: what is left is of workers that were killed at that moment.
  const left = readdirSync(join(folder, 'storage')).filter((name) => name.endsWith('.checkpoint'))
  expect(left.length).toBeLessThanOrEqual(5)

  const local = join(folder, 'local')
  await bench('--suite', 'tiny', '--seeds', '5', '--epochs', '1', '--no-step-times', '--out', local).ended
  for (const trial of trialsOf(local))
    expect(numbers(trialsOf(out).find(({ id }) => id === trial.id)!)).toEqual(numbers(trial))
})

it('a long trial goes on from its checkpoint on another worker', async () => {
  const out = join(folder, 'run')
  const trial = ['--suite', 'tiny', '--methods', 'backprop', '--epochs', '60', '--no-step-times']
  const producer = bench('run', ...trial, '--queue', url, '--out', out)
  const first = worker()
  await until(() => existsSync(join(folder, 'storage')), 'a checkpoint')
  first.child.kill('SIGKILL')
  const second = worker()
  expect(await producer.ended, producer.output()).toBe(0)
  expect(second.output()).toMatch(/goes on from step [1-9]\d* of 1200/)
  const local = join(folder, 'local')
  await bench(...trial, '--out', local).ended
  expect(trialsOf(out).map(numbers)).toEqual(trialsOf(local).map(numbers))
})

it('a run that is killed is taken up by the same command, and nothing runs twice', async () => {
  const out = join(folder, 'run')
  const args = ['run', '--suite', 'tiny', '--seeds', '10', '--epochs', '1', '--no-step-times']
  const first = bench(...args, '--queue', url, '--out', out)
  const taker = worker()
  await until(() => linesOf(out).length >= 5, 'five results')
  first.child.kill('SIGKILL')
  await until(
    () => (taker.output().match(/: done/g) ?? []).length === 20,
    'all trials, with nobody there to collect them',
  )
  const second = bench(...args, '--queue', url, '--out', out)
  expect(await second.ended, second.output()).toBe(0)
  const ids = trialsOf(out).map(({ id }) => id)
  expect(new Set(ids).size).toBe(20)
  expect(taker.output().match(/: done/g)).toHaveLength(20)
})

it('Ctrl-C on the run stops the trials everywhere; Ctrl-C on a worker gives its trials back', async () => {
  const out = join(folder, 'run')
  const args = ['run', '--suite', 'tiny', '--methods', 'backprop', '--epochs', '100000', '--no-step-times']
  const producer = bench(...args, '--queue', url, '--out', out)
  const first = worker()
  await until(() => existsSync(join(folder, 'storage')), 'a checkpoint')
  first.child.kill('SIGINT')
  expect(await first.ended).toBe(0)
  const second = worker()
  await until(() => second.output().includes('goes on from step'), 'the second worker')
  producer.child.kill('SIGINT')
  expect(await producer.ended, producer.output()).toBe(130)
  expect(trialsOf(out).map(({ status }) => status)).toEqual(['interrupted'])
  await until(() => second.output().includes(': done'), 'the trial to end')
})

it('an address without a server is an error that names it', async () => {
  const { ended, output } = bench('run', '--suite', 'tiny', '--queue', 'redis://127.0.0.1:1')
  expect(await ended).toBe(2)
  expect(output()).toContain('--queue redis://127.0.0.1:1: Redis cannot be reached')
})
