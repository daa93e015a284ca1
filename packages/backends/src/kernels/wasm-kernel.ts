/** What the kernels of this folder have in common: they work in place on the heap of the wasm backend. */
import type * as tf from '@tensorflow/tfjs-core'
import { type KernelExports, kernels } from '../generated/kernels'
import { type WasmHeap, wasmHeap } from '../heap/wasm-heap'
import { findStock } from '../training-kernels/stock-kernels'

export interface WasmKernelContext<Inputs, Attributes> {
  inputs: Inputs
  attrs: Attributes
  heap: WasmHeap
  /** The compiled functions of `assembly/`. */
  wasm: KernelExports
  /** tfjs's own kernel, for what ours does not cover. */
  stock: () => tf.TensorInfo
}

/** Turns a function on the heap into what `tf.registerKernel` takes. `kernelName` is that of the stock kernel. */
export function wasmKernel<Inputs, Attributes>(
  kernelName: string,
  run: (context: WasmKernelContext<Inputs, Attributes>) => tf.TensorInfo | tf.TensorInfo[],
): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const heap = wasmHeap(backend)
    const stock = () => {
      const kernel = findStock(kernelName, 'wasm')
      if (!kernel) throw new Error(`${kernelName}: tfjs-backend-wasm has no kernel for these inputs.`)
      return kernel.kernelFunc({ inputs, attrs, backend }) as tf.TensorInfo
    }
    return run({
      inputs: inputs as unknown as Inputs,
      attrs: attrs as unknown as Attributes,
      heap,
      wasm: heap.kernels(kernels),
      stock,
    })
  }
}
