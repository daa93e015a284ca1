/** What an op is made of. {@link defineOp} puts it together. */
import type * as tf from '@tensorflow/tfjs-core'
import type { WasmHeap } from '../heap/wasm-heap'
import type { RunWgsl } from './webgpu-program'

/** Named input tensors. One that may be absent is declared with `?`. */
export type OpInputs<I> = { [K in keyof I]: tf.Tensor | undefined }

/** One tensor, or several. */
export type OpOutputs = tf.Tensor | tf.Tensor[]

/** As many tensor infos as the reference returns tensors. */
export type KernelOutputs<O extends OpOutputs> = O extends tf.Tensor
  ? tf.TensorInfo
  : { [K in keyof O]: tf.TensorInfo }

type KernelFunction<I, A, O extends OpOutputs, Tools> = (
  context: { inputs: I; attrs: A } & Tools,
) => KernelOutputs<O>

/** A kernel for one backend; `Tools` is what that backend offers. Kernels must not change their inputs. */
export type OpKernel<I, A, O extends OpOutputs, Tools> =
  | KernelFunction<I, A, O, Tools>
  | {
      /** Where this is false, the reference runs instead: say, for sizes that the kernel does not cover. */
      when: (inputs: I, attrs: A) => boolean
      run: KernelFunction<I, A, O, Tools>
    }

/** Kernels by the name of the backend. */
export interface OpKernels<I, A, O extends OpOutputs> {
  /** Works in place on the heap of tfjs's wasm backend. */
  wasm?: OpKernel<I, A, O, { heap: WasmHeap }>
  /** Runs WGSL programs on tfjs's WebGPU backend. `features`: what its device has, such as `shader-f16` and `subgroups`. */
  webgpu?: OpKernel<I, A, O, { run: RunWgsl; features: ReadonlySet<string> }>
}

/** What a gradient computes from. */
export interface GradientContext<I, A, O extends OpOutputs> {
  /** Upstream gradient of the (first) output. */
  dy: tf.Tensor
  /** Upstream gradients of all outputs; zeros for those that the loss does not depend on. */
  dys: tf.Tensor[]
  inputs: I
  /** All outputs, also those that the caller does not get. */
  outputs: O extends tf.Tensor ? [tf.Tensor] : O
  attrs: A
}

/**
 * Gradients by input, float32 and in the input's shape. A function runs only when that gradient is needed: use it for
 * one that costs extra. Inputs that have no gradient, such as integers, are left out.
 */
export type InputGradients<I> = { [K in keyof I]?: tf.Tensor | (() => tf.Tensor) }

export interface OpDefinition<I extends OpInputs<I>, A, O extends OpOutputs> {
  /** Globally unique: the package, then the op, as in `proxprop/SolveSpd`. */
  name: string
  /** Plain tf ops. Depends on nothing but its arguments. */
  reference: (inputs: I, attrs: A) => O
  /** Without it, tfjs differentiates the reference. Made of tf ops and other ops, it can be differentiated again. */
  gradient?: (context: GradientContext<I, A, O>) => InputGradients<I>
  kernels?: OpKernels<I, A, O>
  /**
   * `'first'`: the caller gets the first output only. The others are there for the gradient: row maxima, norms.
   * @default 'all'
   */
  returns?: 'all' | 'first'
}

/** A defined op, called as `op({ x }, { attribute })`. The caller owns the result, as with any tf op. */
export interface Op<I, A, O extends OpOutputs, R extends OpOutputs = O> {
  (inputs: I, attrs: A): R
  readonly opName: string
  /** The same from plain tf ops: what every kernel is held against. Returns all outputs. */
  readonly reference: (inputs: I, attrs: A) => O
  readonly returns: 'all' | 'first'
  /** Backends that have a kernel. */
  readonly backends: readonly string[]
}
