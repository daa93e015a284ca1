/**
 * Installs the kernels and gradients that stock tfjs lacks or gets wrong. What is replaced is remembered, so that a test can
 * hold ours against stock.
 */
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-layers' // registers tfjs's own gradients; ours must come after them
import { gradients } from '../mends/gradient-list'
import { accelerateOptimizers } from '../optimizers/tfjs-optimizers'
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

function install(kernel: TrainingKernel): void {
  const { kernelName, backendName, kernelFunc } = kernel
  const present = findKernel(kernelName, backendName)
  if (present) {
    rememberStock(present)
    tf.unregisterKernel(kernelName, backendName)
  }
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
    for (const gradient of gradients) {
      const present = tf.getGradient(gradient.kernelName) as tf.GradConfig | undefined
      if (present) stockGradients.set(gradient.kernelName, present)
      tf.registerGradient(gradient)
    }
  }
  return added
}

/** Runs `body` with tfjs's own kernel or gradient (or its absence) in place of ours. For tests. */
export function withStock<T>(kernelName: string, backendName: string, body: () => T): T {
  const ourKernel = findKernel(kernelName, backendName)
  const ourGradient = tf.getGradient(kernelName) as tf.GradConfig | undefined
  const kernelIsOurs = trainingKernels.some(
    (k) => k.kernelName === kernelName && k.backendName === backendName,
  )
  const gradientIsOurs = gradients.some((g) => g.kernelName === kernelName)
  const swap = (kernel: tf.KernelConfig | undefined, gradient: tf.GradConfig | undefined) => {
    if (kernelIsOurs) {
      if (findKernel(kernelName, backendName)) tf.unregisterKernel(kernelName, backendName)
      if (kernel) tf.registerKernel(kernel)
    }
    if (gradientIsOurs) {
      if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName)
      if (gradient) tf.registerGradient(gradient)
    }
  }
  swap(findStock(kernelName, backendName), stockGradients.get(kernelName))
  try {
    return body()
  } finally {
    swap(ourKernel, ourGradient)
  }
}
