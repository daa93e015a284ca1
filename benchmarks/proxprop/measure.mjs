/** What the scripts of this folder share: the environment of a measurement, and order statistics. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import * as tf from '@tensorflow/tfjs-core'

/** What the numbers were measured on. */
export function environment(backend) {
  const git = (...args) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  const field = (key) =>
    readFileSync('/proc/cpuinfo', 'utf8').match(new RegExp(`^${key}\\s*: (.*)$`, 'm'))?.[1] ?? 'unknown'
  return {
    node: process.version,
    tfjs: tf.version_core,
    cpu: `${cpus()[0].model.trim()} (family ${field('cpu family')}, model ${field('model')})`,
    cores: cpus().length,
    backend,
    commit: git('rev-parse', '--short', 'HEAD'),
  }
}

export function quantile(values, q) {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const below = Math.floor(at)
  return sorted[below] + (at - below) * ((sorted[below + 1] ?? sorted[below]) - sorted[below])
}

export const median = (values) => quantile(values, 0.5)

/** 97.5 % quantiles of Student's t distribution by degrees of freedom, from 1. */
const studentT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]

/** Mean and half the width of its 95 % interval, from 2 to 10 independent values. */
export function meanWithInterval(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)
  return { mean, plusMinus: studentT[values.length - 2] * Math.sqrt(variance / values.length) }
}
