/**
 * How a package adds an op: a reference of tf ops, which is the truth and runs everywhere; a gradient, where a better
 * one exists than differentiating the reference; kernels for some backends.
 *
 * The op becomes a tfjs kernel of its name, so that `tf.profile` shows it, and its gradient is registered with tfjs.
 */
import * as tf from '@tensorflow/tfjs-core'
import { wasmHeap } from '../heap/wasm-heap'
import { differentiateReference } from './differentiate-reference'
import type { InputGradients, Op, OpDefinition, OpInputs, OpKernel, OpOutputs } from './op'
import { webgpuFeatures, wgslRunner } from './webgpu-program'

/** A call as it travels through tfjs, which takes an array of inputs, and attributes. */
interface Call<A> {
  names: string[]
  attrs: A
}

/** What each backend offers to kernels. */
const tools = {
  wasm: (backend: unknown) => ({ heap: wasmHeap(backend) }),
  webgpu: (backend: unknown) => ({ run: wgslRunner(backend), features: webgpuFeatures(backend) }),
}

/**
 * Defines an op and registers it with tfjs.
 *
 * On a backend with a kernel, the kernel runs. On others the reference does: with `gradient` when there is one, else
 * as the plain tf ops that it consists of.
 *
 * @param definition Reference, gradient, kernels. Two ops of one name replace each other.
 * @returns The op: `op(inputs, attrs)`. `attrs` may be omitted when its type is `void`.
 *
 * @example
 * ```ts
 * import '@tensorflow/tfjs-layers' // registers tfjs's gradients
 * import * as tf from '@tensorflow/tfjs-core'
 * import { defineOp, useBackend } from '@tfgraft/backends'
 *
 * const softCap = defineOp<{ x: tf.Tensor }, { cap: number }, tf.Tensor>({
 *   name: 'example/SoftCap',
 *   reference: ({ x }, { cap }) => tf.mul(tf.tanh(tf.div(x, cap)), cap),
 *   gradient: ({ dy, outputs: [y], attrs: { cap } }) => ({
 *     x: tf.mul(dy, tf.sub(1, tf.square(tf.div(y, cap)))),
 *   }),
 * })
 *
 * await useBackend('wasm')
 * tf.grad((x) => softCap({ x }, { cap: 5 }))(tf.tensor1d([0, 10])).print()
 * ```
 */
export function defineOp<I extends OpInputs<I>, A, O extends [tf.Tensor, ...tf.Tensor[]]>(
  definition: OpDefinition<I, A, O> & { returns: 'first' },
): Op<I, A, O, tf.Tensor>
export function defineOp<I extends OpInputs<I>, A, O extends OpOutputs>(
  definition: OpDefinition<I, A, O> & { returns?: 'all' },
): Op<I, A, O>
export function defineOp<I extends OpInputs<I>, A, O extends OpOutputs>(
  definition: OpDefinition<I, A, O>,
): Op<I, A, O, OpOutputs> {
  const { name, reference, gradient, kernels = {}, returns = 'all' } = definition
  const backends = (['wasm', 'webgpu'] as const).filter((backend) => kernels[backend])

  const runReference = ({ names, attrs }: Call<A>, tensors: tf.Tensor[]) =>
    tf.tidy(() => ownOutputs(reference(byName<I>(names, tensors), attrs), tensors))

  for (const backendName of backends) {
    const kernel = kernels[backendName] as OpKernel<I, A, O, object>
    const run = typeof kernel === 'function' ? kernel : kernel.run
    const when = typeof kernel === 'function' ? undefined : kernel.when
    registerKernel(name, backendName, (tensors, call: Call<A>, backend) => {
      const inputs = byName<I>(call.names, tensors)
      if (when && !when(inputs, call.attrs)) return runReference(call, tensors)
      return run({ inputs, attrs: call.attrs, ...tools[backendName](backend) })
    })
  }

  if (tf.getGradient(name)) tf.unregisterGradient(name)
  tf.registerGradient({
    kernelName: name,
    saveAllInputs: true,
    outputsToSave: new Array(maxOutputs).fill(true),
    gradFunc: (dy, saved, registered) => {
      const { names, attrs } = registered as unknown as Call<A>
      const dys = Array.isArray(dy) ? dy : [dy]
      const inputs = byName<I>(names, saved)
      const outputs = saved.slice(names.length)
      // In a nested gradient, the outputs for the gradient depend on the inputs too, which `gradient` may leave out.
      const nested = returns === 'first' && tf.engine().state.gradientDepth > 0
      const gradients: InputGradients<I> =
        gradient && !nested
          ? gradient({ dy: dys[0]!, dys, inputs, outputs: outputs as never, attrs })
          : differentiateReference((given) => reference(given, attrs), inputs, dys)
      return Object.fromEntries(
        names.map((input, i) => [
          i,
          () => {
            const dx = gradients[input as keyof I]
            if (!dx) throw new Error(`${name}: \`gradient\` must return the gradient of '${input}'.`)
            return typeof dx === 'function' ? (dx as () => tf.Tensor)() : (dx as tf.Tensor)
          },
        ]),
      )
    },
  })

  const op = (inputs: I, attrs: A): OpOutputs => {
    const names = Object.keys(inputs).filter((key) => inputs[key as keyof I])
    const tensors = names.map((key) => inputs[key as keyof I] as tf.Tensor)
    const call: Call<A> = { names, attrs }
    const backend = tf.getBackend()
    if (!tf.getKernel(name, backend)) {
      if (!gradient) return firstOf(() => reference(inputs, attrs))
      registerKernel(name, backend, (given, registered: Call<A>) => runReference(registered, given))
    }
    return firstOf(() => tf.engine().runKernel(name, tensors as never, call as never))
  }
  const firstOf = (outputs: () => OpOutputs): OpOutputs =>
    returns === 'all'
      ? outputs()
      : tf.tidy(() => {
          const tensors = outputs()
          return Array.isArray(tensors) ? tensors[0]! : tensors
        })

  return Object.assign(op, { opName: name, reference, returns, backends })
}

/** tfjs wants to know which outputs to save before it knows how many there are. */
const maxOutputs = 16

function byName<I>(names: string[], tensors: tf.Tensor[]): I {
  return Object.fromEntries(names.map((key, i) => [key, tensors[i]])) as I
}

/** tfjs's tape goes wrong when an output of a kernel is one of its inputs. */
function ownOutputs(outputs: OpOutputs, inputs: tf.Tensor[]): OpOutputs {
  const own = (tensor: tf.Tensor) => (inputs.includes(tensor) ? tensor.clone() : tensor)
  return Array.isArray(outputs) ? outputs.map(own) : own(outputs)
}

function registerKernel<A>(
  kernelName: string,
  backendName: string,
  run: (inputs: tf.Tensor[], call: A, backend: unknown) => tf.TensorInfo | tf.TensorInfo[],
): void {
  if (tf.getKernel(kernelName, backendName)) tf.unregisterKernel(kernelName, backendName)
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) =>
      run(inputs as unknown as tf.Tensor[], attrs as unknown as A, backend),
  })
}
