/**
 * Installs the kernels and gradients that stock tfjs lacks or gets wrong. What is replaced is remembered, so that a test can
 * hold ours against stock.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers' // registers tfjs's own gradients; ours must come after them
import { fuseActivations } from '../layers/fused-activations'
import { fuseDropout } from '../layers/fused-dropout'
import { fuseNormalization } from '../layers/fused-normalization'
import { fuseRecurrent } from '../layers/fused-recurrent'
import { pruneConv2d } from '../layers/pruned-conv2d'
import { fuseLosses } from '../losses/fused-losses'
import { gradients } from '../mends/gradient-list'
import { accelerateOptimizers } from '../optimizers/tfjs-optimizers'
import { withoutFusion } from './fusion'
import { type TrainingKernel, trainingKernels } from './kernel-list'
import { findStock, rememberStock } from './stock-kernels'

const stockGradients = new Map<string, tf.GradConfig>()
const installed = new Set<TrainingKernel>()
let gradientsInstalled = false

const keyOf = (kernel: { kernelName: string; backendName: string }) =>
  `${kernel.backendName}/${kernel.kernelName}`

/** tfjs returns undefined for an unknown name, whatever its types say. */
const findKernel = (kernelName: string, backendName: string) =>
  tf.getKernel(kernelName, backendName) as tf.KernelConfig | undefined

function presentOrThrow(present: tf.KernelConfig | undefined, kernel: TrainingKernel): tf.KernelFunc {
  if (!present) throw new Error(`registerTrainingKernels: there is no ${keyOf(kernel)} to build upon.`)
  return present.kernelFunc
}

function install(kernel: TrainingKernel): void {
  const { kernelName, backendName } = kernel
  const present = findKernel(kernelName, backendName)
  rememberStock(kernel, present)
  if (present) tf.unregisterKernel(kernelName, backendName)
  const kernelFunc = 'around' in kernel ? kernel.around(presentOrThrow(present, kernel)) : kernel.kernelFunc
  tf.registerKernel({ ...present, kernelName, backendName, kernelFunc })
  installed.add(kernel)
}

/**
 * Installs every missing, mended and faster kernel on the backends whose packages have been imported, and the missing and
 * mended gradients, which serve all backends. Calling it again is free, and picks up backends imported since.
 * `useBackend` calls it; call it yourself when you choose the backend through `tf.setBackend`.
 *
 * @returns the kernels installed by this call, as `backend/Kernel`.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core'
 * import '@tensorflow/tfjs-backend-wasm'
 * import { registerTrainingKernels } from '@tfgraft/backends'
 *
 * registerTrainingKernels()
 * await tf.setBackend('wasm')
 * const filter = tf.variable(tf.randomNormal([3, 3, 1, 2]))
 * const image = tf.ones([1, 8, 8, 1])
 * tf.variableGrads(() => tf.sum(tf.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same'))).value.print()
 * ```
 */
export function registerTrainingKernels(): string[] {
  const added: string[] = []
  for (const kernel of trainingKernels) {
    // Add is in every backend: it tells whether the backend's package has been imported.
    if (installed.has(kernel) || !findKernel('Add', kernel.backendName)) continue
    install(kernel)
    added.push(keyOf(kernel))
  }
  if (!gradientsInstalled) {
    gradientsInstalled = true
    accelerateOptimizers()
    fuseActivations()
    fuseDropout()
    fuseLosses()
    fuseRecurrent()
    fuseNormalization()
    pruneConv2d()
    for (const gradient of gradients) {
      const present = tf.getGradient(gradient.kernelName) as tf.GradConfig | undefined
      if (present) stockGradients.set(gradient.kernelName, present)
      tf.registerGradient(gradient)
    }
  }
  return added
}

/** What `withStock` puts back. */
interface Registration {
  kernels: { kernelName: string; backendName: string }[]
  gradients: string[]
}

function swapInStock({ kernels, gradients }: Registration) {
  const before = new Map<string, tf.KernelConfig>()
  const gradientsBefore = new Map<string, tf.GradConfig>()
  for (const kernel of kernels) {
    const present = findKernel(kernel.kernelName, kernel.backendName)
    if (present) before.set(keyOf(kernel), present)
    if (present) tf.unregisterKernel(kernel.kernelName, kernel.backendName)
    const next = findStock(kernel.kernelName, kernel.backendName)
    if (next) tf.registerKernel(next)
  }
  for (const name of gradients) {
    const present = tf.getGradient(name) as tf.GradConfig | undefined
    if (present) gradientsBefore.set(name, present)
    if (present) tf.unregisterGradient(name)
    const next = stockGradients.get(name)
    if (next) tf.registerGradient(next)
  }
  return () => {
    for (const kernel of kernels) {
      if (findKernel(kernel.kernelName, kernel.backendName))
        tf.unregisterKernel(kernel.kernelName, kernel.backendName)
      const ours = before.get(keyOf(kernel))
      if (ours) tf.registerKernel(ours)
    }
    for (const name of gradients) {
      if (tf.getGradient(name)) tf.unregisterGradient(name)
      const ours = gradientsBefore.get(name)
      if (ours) tf.registerGradient(ours)
    }
  }
}

/**
 * Runs `body` with tfjs's own kernels and gradients (or their absence) in place of ours: those named `names`, or all, and then
 * with its own layers and optimizers too. For tests and the coverage page.
 */
export function withStock<T>(body: () => T, names?: readonly string[]): T {
  const concerns = (name: string) => !names || names.includes(name)
  const ours = new Map([...installed].map((kernel) => [keyOf(kernel), kernel]))
  const restore = swapInStock({
    kernels: [...ours.values()].filter(({ kernelName }) => concerns(kernelName)),
    gradients: gradients.map(({ kernelName }) => kernelName).filter(concerns),
  })
  try {
    return names ? body() : withoutFusion(body)
  } finally {
    restore()
  }
}
