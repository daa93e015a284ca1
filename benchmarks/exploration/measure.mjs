/** What the scripts of this folder share: the environment of a measurement, and order statistics. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'

/** What the numbers were measured on. */
export function environment(backend) {
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const field = (key) =>
    readFileSync('/proc/cpuinfo', 'utf8').match(new RegExp(`^${key}\\s*: (.*)$`, 'm'))?.[1] ?? 'unknown'
  return {
    node: process.version,
    cpu: `${cpus()[0].model.trim()} (family ${field('cpu family')}, model ${field('model')})`,
    cores: cpus().length,
    /** Processes that wanted a core when the measurement began: above the number of cores, rates suffer. */
    load: Math.round(loadavg()[0]),
    backend,
    commit: git('rev-parse', '--short', 'HEAD'),
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
