/**
 * Complex tensors on tfjs-wasm, which has none: real and imaginary parts interleaved in the heap, `[re, im, re, im, ...]`,
 * which is also what `data()` of a complex tensor returns on every backend.
 */
import * as tf from '@tensorflow/tfjs-core'
import { composedKernel } from '../training-kernels/composed-kernel'
import { discreteFourierTransform } from './discrete-fourier-transform'

interface Wasm extends tf.KernelBackend {
  wasm: { HEAPU8: Uint8Array }
  dataIdMap: { get(dataId: object): { memoryOffset: number; dtype: tf.DataType } }
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo
}

const sizeOf = (shape: number[]) => shape.reduce((a, b) => a * b, 1)
const prepared = new WeakSet<Wasm>()

/** tfjs-wasm allocates eight bytes per complex element but refuses to read them. */
function prepare(backend: Wasm): Wasm {
  if (prepared.has(backend)) return backend
  prepared.add(backend)
  const readSync = backend.readSync.bind(backend)
  backend.readSync = (dataId: object, start?: number, end?: number) => {
    const { memoryOffset, dtype } = backend.dataIdMap.get(dataId)
    if (dtype !== 'complex64')
      return (readSync as (id: object, start?: number, end?: number) => tf.BackendValues)(dataId, start, end)
    const { shape } = backend.dataIdMap.get(dataId) as unknown as { shape: number[] }
    return new Float32Array(backend.wasm.HEAPU8.buffer, memoryOffset, 2 * sizeOf(shape)).slice()
  }
  return backend
}

/** A view of a tensor's floats; valid until the heap grows, so take it after every allocation. */
const floatsOf = (backend: Wasm, info: tf.TensorInfo) =>
  new Float32Array(
    backend.wasm.HEAPU8.buffer,
    backend.dataIdMap.get(info.dataId).memoryOffset,
    sizeOf(info.shape) * (info.dtype === 'complex64' ? 2 : 1),
  )

const complexKernel: tf.KernelFunc = ({ inputs, backend }) => {
  const wasm = prepare(backend as Wasm)
  const { real, imag } = inputs as { real: tf.TensorInfo; imag: tf.TensorInfo }
  const output = wasm.makeOutput(real.shape, 'complex64')
  const [re, im, z] = [real, imag, output].map((info) => floatsOf(wasm, info)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  for (let i = 0; i < re.length; i++) {
    z[2 * i] = re[i]!
    z[2 * i + 1] = im[i]!
  }
  return output
}

const partKernel =
  (part: 0 | 1): tf.KernelFunc =>
  ({ inputs, backend }) => {
    const wasm = backend as Wasm
    const input = inputs.input as tf.TensorInfo
    const output = wasm.makeOutput(input.shape, 'float32')
    const values = floatsOf(wasm, output)
    const source = floatsOf(wasm, input)
    if (input.dtype !== 'complex64') values.set(part === 0 ? source : new Float32Array(values.length))
    else for (let i = 0; i < values.length; i++) values[i] = source[2 * i + part]!
    return output
  }

const transformKernel =
  (inverse: boolean): tf.KernelFunc =>
  ({ inputs, backend }) => {
    const wasm = prepare(backend as Wasm)
    const input = inputs.input as tf.TensorInfo
    const output = wasm.makeOutput(input.shape, 'complex64')
    const [source, target] = [floatsOf(wasm, input), floatsOf(wasm, output)]
    const length = input.shape.at(-1)!
    for (let at = 0; at < source.length; at += 2 * length)
      target.set(discreteFourierTransform(source.subarray(at, at + 2 * length), inverse), at)
    return output
  }

const complexAbs = composedKernel(({ x }: { x: tf.Tensor }) => {
  const [re, im] = [tf.abs(tf.real(x)), tf.abs(tf.imag(x))]
  // Scaled by the larger part, so that squares neither overflow nor vanish.
  const larger = tf.maximum(re, im)
  const ratio = tf.divNoNan(tf.minimum(re, im), larger)
  return tf.mul(larger, tf.sqrt(tf.add(1, tf.square(ratio))))
})

export const complexKernels: Record<string, tf.KernelFunc> = {
  Complex: complexKernel,
  ComplexAbs: complexAbs,
  Real: partKernel(0),
  Imag: partKernel(1),
  FFT: transformKernel(false),
  IFFT: transformKernel(true),
}

const isComplex = (inputs: tf.NamedTensorInfoMap) =>
  Object.values(inputs).some((x) => x?.dtype === 'complex64')

/** Kernels that treat real and imaginary parts alike: moves, sums and differences. */
export const partwiseKernels = [
  'Add',
  'Concat',
  'Identity',
  'Reverse',
  'Slice',
  'Sub',
  'Tile',
  'Transpose',
  'ZerosLike',
]

export const partwiseAround =
  (kernelName: string) =>
  (present: tf.KernelFunc): tf.KernelFunc => {
    const apart = composedKernel((inputs: Record<string, tf.Tensor>, attrs: tf.NamedAttrMap) => {
      const run = (part: (x: tf.Tensor) => tf.Tensor) => {
        const entries = Object.entries(inputs).map(([name, x]) => [name, part(x)] as const)
        // Concat takes an array of inputs, the others take names.
        const parts = Array.isArray(inputs) ? entries.map(([, x]) => x) : Object.fromEntries(entries)
        return tf.engine().runKernel(kernelName, parts as tf.NamedTensorMap, attrs) as tf.Tensor
      }
      return tf.complex(
        run((x) => (x.dtype === 'complex64' ? tf.real(x) : tf.cast(x, 'float32'))),
        run((x) => (x.dtype === 'complex64' ? tf.imag(x) : tf.zeros(x.shape))),
      )
    })
    return (params) => (isComplex(params.inputs) ? apart(params) : present(params))
  }

export const complexMultiplyAround = (present: tf.KernelFunc): tf.KernelFunc => {
  const multiply = composedKernel(({ a, b }: { a: tf.Tensor; b: tf.Tensor }) => {
    const parts = (x: tf.Tensor) =>
      x.dtype === 'complex64' ? [tf.real(x), tf.imag(x)] : [tf.cast(x, 'float32'), tf.zeros(x.shape)]
    const [[ar, ai], [br, bi]] = [parts(a), parts(b)] as [[tf.Tensor, tf.Tensor], [tf.Tensor, tf.Tensor]]
    return tf.complex(tf.sub(tf.mul(ar, br), tf.mul(ai, bi)), tf.add(tf.mul(ar, bi), tf.mul(ai, br)))
  })
  return (params) => (isComplex(params.inputs) ? multiply(params) : present(params))
}

/** Real to complex, and complex to real. */
export const complexCastAround = (present: tf.KernelFunc): tf.KernelFunc => {
  const toComplex = composedKernel(({ x }: { x: tf.Tensor }) =>
    tf.complex(tf.cast(x, 'float32'), tf.zeros(x.shape)),
  )
  const toReal = composedKernel(({ x }: { x: tf.Tensor }, { dtype }: { dtype: tf.DataType }) =>
    tf.cast(tf.real(x), dtype),
  )
  return (params) => {
    const [from, to] = [params.inputs.x!.dtype, params.attrs!.dtype]
    if (from === to || (from !== 'complex64' && to !== 'complex64')) return present(params)
    return to === 'complex64' ? toComplex(params) : toReal(params)
  }
}
