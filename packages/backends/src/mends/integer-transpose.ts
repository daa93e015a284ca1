/**
 * Tensors of integers or booleans on tfjs-webgpu, whose `transpose` hands the elements of the buffer to a function that takes
 * floats: with a buffer of integers the shader does not compile, the commands it was submitted with are dropped, and their
 * results read as zeros, or as what was in the buffers before. Reductions and scans off the last axis transpose inside. A float
 * made from booleans by `cast` counts as integers, since it shares their buffer. A matrix goes through floats, so it compiles,
 * but rounds what a float cannot hold.
 */
import * as tf from '@tensorflow/tfjs-core'
import { wgslRunner } from '../define-op/webgpu-program'
import { composedKernel } from '../training-kernels/composed-kernel'
import { unsortedSegmentSumKernel } from '../training-kernels/unsorted-segment-sum'

type Around = (present: tf.KernelFunc) => tf.KernelFunc

/** What we use of tfjs's `WebGPUBackend`. */
interface Backend {
  shouldExecuteOnCPU(inputs: tf.TensorInfo[]): boolean
  tensorMap: { get(dataId: object): { dtype: tf.DataType } }
}

const coordinates = ['x', 'y', 'z', 'w', 'u', 'v']
const vectors: Record<number, string> = {
  2: 'vec2<i32>',
  3: 'vec3<i32>',
  4: 'vec4<i32>',
  5: 'vec5',
  6: 'vec6',
}

/** Whether a shader sees integers: the buffer's type, not the tensor's. */
function isIntegerBuffer(backend: unknown, x: tf.TensorInfo): boolean {
  const { dtype } = (backend as Backend).tensorMap.get(x.dataId)
  return dtype === 'int32' || dtype === 'bool'
}

export const integerTransposeAround: Around = (present) => (params) => {
  const x = params.inputs.x!
  const vector = vectors[x.shape.length]
  const onCpu = (params.backend as Backend).shouldExecuteOnCPU([x])
  if (!vector || onCpu || !isIntegerBuffer(params.backend, x)) return present(params)
  const { perm } = params.attrs as { perm: number[] }
  const from = perm.map((_, axis) => `coords.${coordinates[perm.indexOf(axis)]}`)
  return wgslRunner(params.backend)(
    {
      name: 'integerTranspose',
      inputs: ['x'],
      outputShape: perm.map((axis) => x.shape[axis]!),
      wgsl: `
        fn main(index : i32) {
          if (index >= uniforms.size) { return; }
          let coords = getCoordsFromIndex(index);
          let place = getIndexFromCoords${perm.length}D(${vector}(${from}), uniforms.xShape);
          setOutputAtIndexI32(index, x[place]);
        }`,
    },
    [x],
    { dtype: x.dtype as 'int32' },
  )
}

/** The reductions, with the name of the attribute that holds their axes. */
export const integerReductions = {
  All: 'axis',
  Any: 'axis',
  ArgMax: 'axis',
  ArgMin: 'axis',
  Max: 'reductionIndices',
  Mean: 'axis',
  Min: 'axis',
  Prod: 'axis',
  Sum: 'axis',
}

/** Transposes through the kernel above before the one that is there, which then finds the axes where it wants them. */
export const integerReductionAround =
  (kernelName: string): Around =>
  (present) => {
    const attribute = integerReductions[kernelName as keyof typeof integerReductions]
    const transposed = composedKernel(({ x }: { x: tf.Tensor }, attrs: tf.NamedAttrMap) => {
      const axes = tf.util.parseAxisParam(attrs[attribute] as number[], x.shape)
      const perm = tf.backend_util.getAxesPermutation(axes, x.rank)!
      const innermost = tf.backend_util.getInnerMostAxes(axes.length, x.rank)
      const reduced = tf.engine().runKernel(
        kernelName,
        { x: tf.transpose(x, perm) },
        {
          ...attrs,
          keepDims: false,
          [attribute]: kernelName.startsWith('Arg') ? innermost[0]! : innermost,
        },
      ) as tf.Tensor
      return attrs.keepDims
        ? tf.reshape(reduced, tf.backend_util.expandShapeToKeepDim(reduced.shape, axes))
        : reduced
    })
    return (params) => {
      const x = params.inputs.x!
      const axes = tf.util.parseAxisParam(params.attrs![attribute] as number[], x.shape)
      const isInnermost = !tf.backend_util.getAxesPermutation(axes, x.shape.length)
      return isInnermost || !isIntegerBuffer(params.backend, x) ? present(params) : transposed(params)
    }
  }

/** As for reductions, for Cumsum and Cumprod: there and back. */
export const integerScanAround =
  (kernelName: string): Around =>
  (present) => {
    const transposed = composedKernel(({ x }: { x: tf.Tensor }, attrs: tf.NamedAttrMap) => {
      const axes = tf.util.parseAxisParam(attrs.axis as number, x.shape)
      const perm = tf.backend_util.getAxesPermutation(axes, x.rank)!
      const innermost = { ...attrs, axis: x.rank - 1 }
      const scanned = tf.engine().runKernel(kernelName, { x: tf.transpose(x, perm) }, innermost) as tf.Tensor
      return tf.transpose(scanned, tf.backend_util.getUndoAxesPermutation(perm))
    })
    return (params) => {
      const x = params.inputs.x!
      const [axis] = tf.util.parseAxisParam(params.attrs!.axis as number, x.shape)
      return axis === x.shape.length - 1 || !isIntegerBuffer(params.backend, x)
        ? present(params)
        : transposed(params)
    }
  }

/** BatchToSpaceND with the transpose above instead of the one inside. */
export const integerBatchToSpaceAround: Around = (present) => {
  const transposed = composedKernel(
    ({ x }: { x: tf.Tensor }, { blockShape, crops }: { blockShape: number[]; crops: number[][] }) => {
      const size = blockShape.reduce((a, b) => a * b, 1)
      const apart = tf.backend_util.getReshaped(x.shape, blockShape, size)
      const together = tf.backend_util.getReshapedPermuted(x.shape, blockShape, size)
      const perm = tf.backend_util.getPermuted(apart.length, blockShape.length)
      return tf.slice(
        tf.reshape(tf.transpose(tf.reshape(x, apart), perm), together),
        tf.backend_util.getSliceBeginCoords(crops, blockShape.length),
        tf.backend_util.getSliceSize(together, crops, blockShape.length),
      )
    },
  )
  return (params) =>
    isIntegerBuffer(params.backend, params.inputs.x!) ? transposed(params) : present(params)
}

/** UnsortedSegmentSum transposes there and back unless the segments are of scalars; a scatter does not. */
export const integerSegmentSumAround: Around = (present) => (params) => {
  const x = params.inputs.x!
  return x.shape.length > 1 && isIntegerBuffer(params.backend, x)
    ? unsortedSegmentSumKernel(params)
    : present(params)
}
