/** The tasks, and named selections of tasks and methods. */
import type { Task } from './task'
import { exploration } from './tasks/exploration'
import { fashionRobust, fashionShape } from './tasks/fashion-robust'
import { mnistMlp30, mnistMlp512 } from './tasks/mnist-mlp'
import { mnistRobust } from './tasks/mnist-robust'
import { mnistVit } from './tasks/mnist-vit'
import { mobyDick, ownText } from './tasks/moby-dick'
import { proxpropPaper } from './tasks/proxprop-paper'
import { recurrence } from './tasks/recurrence'
import { retrieval } from './tasks/retrieval'
import { tiny } from './tasks/tiny'

export const tasks: readonly Task[] = [
  mnistMlp30,
  mnistMlp512,
  mnistRobust,
  fashionRobust,
  fashionShape,
  mnistVit,
  recurrence,
  retrieval,
  mobyDick,
  ownText,
  exploration,
  ...Object.values(proxpropPaper).flat(),
  tiny,
]

export interface Suite {
  readonly name: string
  readonly summary: string
  /** Tasks with the methods that are compared on each, the baseline aside. */
  readonly entries: readonly {
    task: Task
    methods: string
    /** Instead of the task's own, and of all data. */
    epochs?: number
    limit?: number
  }[]
}

const mlp = [mnistMlp30, mnistMlp512].map((task) => ({ task, methods: 'proxprop' }))
const solvers = (selected: readonly Task[]) =>
  selected.map((task) => ({ task, methods: 'proxprop,proxprop-cg3,proxprop-cg5,proxprop-cg10' }))
const robust = [mnistRobust, fashionRobust, fashionShape].map((task) => ({
  task,
  methods: 'advprop,sparse-top-k,advprop+sparse-top-k',
}))
const vit = { task: mnistVit, methods: 'diff-attention,advprop,diff-attention+advprop' }
const attention = [recurrence, retrieval, mobyDick].map((task) => ({
  task,
  methods: 'diff-attention,diff-attention-v2',
}))
const everyBonus = {
  task: exploration,
  methods:
    'episodic-count,rnd,icm,ride,ngu,re3,e3b,pseudo-counts,disagreement,proxprop-policy,proxprop-policy+rnd',
}
const explore = { task: exploration, methods: 'episodic-count,rnd,proxprop-policy,proxprop-policy+rnd' }

/** The budgets are those of `suites/matrix.yaml`. */
const quick = [
  { ...mlp[0]! },
  { ...mlp[1]!, epochs: 3 },
  { task: mnistRobust, methods: 'advprop,sparse-top-k', epochs: 2, limit: 3000 },
  { task: retrieval, methods: 'diff-attention', epochs: 2, limit: 1600 },
  { task: exploration, methods: 'episodic-count,rnd' },
]

export const suites: readonly Suite[] = [
  {
    name: 'quick',
    summary: 'all four methods on real or faithful tasks, in minutes',
    entries: quick,
  },
  { name: 'mlp', summary: 'ProxProp against backpropagation on MNIST, two network sizes', entries: mlp },
  {
    name: 'proxprop',
    summary:
      "ProxProp's solvers on its paper's perceptron and ConvNet, shrunk, minibatches; MNIST, Fashion-MNIST",
    entries: solvers(proxpropPaper.miniBatch),
  },
  {
    name: 'proxprop-full-batch',
    summary: 'the same networks, each step on the whole training set',
    entries: solvers(proxpropPaper.fullBatch),
  },
  {
    name: 'proxprop-cifar10',
    summary: 'the same on CIFAR-10, whose folder the variable CIFAR10_FOLDER names',
    entries: solvers(proxpropPaper.cifar10),
  },
  {
    name: 'proxprop-full-size',
    summary: "the paper's own sizes and 50 epochs: 4000-1000-4000 units; for a GPU",
    entries: solvers(proxpropPaper.fullSize),
  },
  { name: 'robust', summary: 'AdvProp, SparseTopK and both, attacked and corrupted', entries: robust },
  { name: 'vit', summary: 'a vision transformer: differential attention, AdvProp, both', entries: [vit] },
  { name: 'attention', summary: 'differential against plain attention', entries: attention },
  {
    name: 'exploration',
    summary: 'PPO with and without bonuses for the new, all nine',
    entries: [everyBonus],
  },
  { name: 'all', summary: 'everything above', entries: [...mlp, ...robust, vit, ...attention, explore] },
  { name: 'tiny', summary: 'a check of the harness itself', entries: [{ task: tiny, methods: 'proxprop' }] },
]
