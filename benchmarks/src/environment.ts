/** What a number was measured on. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'

export interface Environment {
  node: string
  tfjs: string
  platform: string
  cpu: string
  cores: number
  memoryGiB: number
  backend: string
  /** Short hash, with `+` when the working tree differs from it; `unknown` outside a repository. */
  commit: string
}

/** Describes this process. Call it after the backend is set. @param backend Instead of tfjs's current one. */
export function environment(backend = tf.getBackend()): Environment {
  return {
    node: process.version,
    tfjs: tf.version_core,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpuModel(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    backend,
    commit: commit(),
  }
}

/** Virtual machines hide the model's name; family and model number still tell the generation. */
function cpuModel(): string {
  const name = cpus()[0]?.model.trim() ?? 'unknown'
  if (process.platform !== 'linux') return name
  try {
    const info = readFileSync('/proc/cpuinfo', 'utf8')
    const field = (key: string) => info.match(new RegExp(`^${key}\\s*: (.*)$`, 'm'))?.[1]
    return `${name} (family ${field('cpu family')}, model ${field('model')})`
  } catch {
    return name
  }
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--untracked-files=no') && '+')
  } catch {
    return 'unknown'
  }
}
