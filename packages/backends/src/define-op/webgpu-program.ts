/** WGSL programs for tfjs's WebGPU backend, as data. */
import type * as tf from '@tensorflow/tfjs-core'
import { allowDirectives, type ShaderDevice } from './webgpu-directives'

/** One compute shader. tfjs declares the inputs, the output array `result` and the uniforms around {@link wgsl}. */
export interface WgslProgram {
  /** Shows in errors and in pipeline caches. */
  name: string
  /** Names of the input arrays in the shader, in the order in which tensors are given to `run`. */
  inputs: readonly string[]
  outputShape: readonly number[]
  /**
   * The code: `fn main(index : i32) { ... }` where `index` counts invocations. tfjs provides `uniforms.size` (elements
   * of the output), `uniforms.outShape`, and `uniforms.<input>Shape` for each input.
   */
  wgsl: string
  /** Further uniforms, in WGSL: `epsilon : f32, rows : i32,`. Their values go to `run`, in the same order. */
  uniforms?: string
  /** Extensions of WGSL that the code uses, such as `f16` and `subgroups`: the device must have them. @default none */
  enable?: readonly string[]
  /** @default [64, 1, 1] */
  workgroupSize?: [number, number, number]
  /** Workgroups. By default one invocation per output element. */
  workgroups?: [number, number, number]
}

/** Values of the program's own uniforms. */
export type UniformValues = { type: 'float32' | 'int32' | 'uint32'; data: number[] }[]

/** Runs a program. The output belongs to the kernel, which returns it, or gives it to the next program. */
export type RunWgsl = (
  program: WgslProgram,
  inputs: tf.TensorInfo[],
  options?: { dtype?: 'float32' | 'int32' | 'bool'; uniforms?: UniformValues },
) => tf.TensorInfo

/** What we use of tfjs's `WebGPUBackend`. */
interface WebGpuBackend {
  device: ShaderDevice & { features: ReadonlySet<string> }
  runWebGPUProgram(
    program: object,
    inputs: tf.TensorInfo[],
    dtype: string,
    uniforms?: UniformValues,
  ): tf.TensorInfo
}

export function wgslRunner(backend: unknown): RunWgsl {
  const webgpu = backend as Partial<WebGpuBackend>
  if (!webgpu.runWebGPUProgram) throw new Error('wgslRunner: the backend must be tfjs-backend-webgpu 4.22.')
  return (program, inputs, { dtype = 'float32', uniforms } = {}) => {
    if (program.enable?.length) allowDirectives((webgpu as WebGpuBackend).device)
    return (webgpu as WebGpuBackend).runWebGPUProgram(toTfjs(program), inputs, dtype, uniforms)
  }
}

/** What the device of tfjs's WebGPU backend can do beyond the core of WebGPU, such as `shader-f16` and `subgroups`. */
export const webgpuFeatures = (backend: unknown): ReadonlySet<string> =>
  (backend as WebGpuBackend).device.features

function toTfjs(program: WgslProgram) {
  const { name, inputs, outputShape, uniforms, enable = [], workgroupSize = [64, 1, 1] } = program
  const wgsl = [...enable.map((extension) => `enable ${extension};`), program.wgsl].join('\n')
  const size = outputShape.reduce((product, length) => product * length, 1)
  const perGroup = workgroupSize[0] * workgroupSize[1] * workgroupSize[2]
  return {
    variableNames: [...inputs],
    outputShape: [...outputShape],
    // Only tells tfjs that shaders index the output flat; `dispatch` is what counts.
    dispatchLayout: { x: outputShape.map((_, axis) => axis) },
    dispatch: program.workgroups ?? [Math.ceil(size / perGroup), 1, 1],
    workgroupSize,
    uniforms,
    size: true,
    // The whole code is the key: a key that leaves something out makes tfjs run a stale shader.
    shaderKey: `${name}\n${uniforms ?? ''}\n${wgsl}`,
    getUserCode: () => wgsl,
  }
}
