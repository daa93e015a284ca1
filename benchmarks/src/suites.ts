/** The tasks, and named selections of tasks and methods. */
import type { Task } from './task'
import { exploration } from './tasks/exploration'
import { mnistMlp30, mnistMlp512 } from './tasks/mnist-mlp'
import { mnistRobust } from './tasks/mnist-robust'
import { mobyDick } from './tasks/moby-dick'
import { recurrence } from './tasks/recurrence'
import { retrieval } from './tasks/retrieval'
import { tiny } from './tasks/tiny'

export const tasks: readonly Task[] = [
  mnistMlp30,
  mnistMlp512,
  mnistRobust,
  recurrence,
  retrieval,
  mobyDick,
  exploration,
  tiny,
]

export interface Suite {
  readonly name: string
  readonly summary: string
  /** Tasks with the methods that are compared on each, the baseline aside. */
  readonly entries: readonly { task: Task; methods: string }[]
}

const mlp = [mnistMlp30, mnistMlp512].map((task) => ({ task, methods: 'proxprop' }))
const robust = { task: mnistRobust, methods: 'advprop,sparse-top-k,advprop+sparse-top-k' }
const attention = [recurrence, retrieval, mobyDick].map((task) => ({
  task,
  methods: 'diff-attention,diff-attention-v2',
}))
const explore = { task: exploration, methods: 'episodic-count,rnd' }

export const suites: readonly Suite[] = [
  { name: 'quick', summary: 'ProxProp against backpropagation on MNIST, two network sizes', entries: mlp },
  { name: 'robust', summary: 'AdvProp, SparseTopK and both together, under attack', entries: [robust] },
  { name: 'attention', summary: 'differential against plain attention', entries: attention },
  { name: 'exploration', summary: 'PPO with and without bonuses for the new', entries: [explore] },
  { name: 'all', summary: 'everything above', entries: [...mlp, robust, ...attention, explore] },
  { name: 'tiny', summary: 'a check of the harness itself', entries: [{ task: tiny, methods: 'proxprop' }] },
]
