/** The tasks, and named selections of tasks and methods. */
import type { Task } from './task'
import { mnistMlp30, mnistMlp512 } from './tasks/mnist-mlp'
import { tiny } from './tasks/tiny'

export const tasks: readonly Task[] = [mnistMlp30, mnistMlp512, tiny]

export interface Suite {
  readonly name: string
  readonly summary: string
  /** Tasks with the methods that are compared on each, the baseline aside. */
  readonly entries: readonly { task: Task; methods: string }[]
}

export const suites: readonly Suite[] = [
  {
    name: 'quick',
    summary: 'backpropagation on MNIST, two network sizes',
    entries: [mnistMlp30, mnistMlp512].map((task) => ({ task, methods: 'backprop' })),
  },
  { name: 'tiny', summary: 'a check of the harness itself', entries: [{ task: tiny, methods: 'backprop' }] },
]
