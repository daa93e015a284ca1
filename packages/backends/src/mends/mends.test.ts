/** What stock tfjs does in the cases that we mend: each line fails there in the way it says, and is right with ours. */
import * as tf from '@tensorflow/tfjs-core'
import { describeBackends, testedBackends } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { opCases } from '../conformance/cases/all'
import { complaints, compute, measure, truthOf } from '../conformance/measure'
import { withStock } from '../training-kernels/register'

const casesByName = new Map(opCases.flatMap(({ cases }) => cases.map((c) => [c.name, c] as const)))

/** Case, what stock complains of, and the backends on which it does (all when not given). */
const mends: [name: string, stock: string | RegExp, backends?: string[]][] = [
  ['divNoNan', 'gradient function not found for Equal'],
  ['where, condition of the variable', 'gradient function not found for Greater'],
  ['logicalNot of the variable', 'gradient function not found for LogicalNot'],
  ['floorDiv', 'gradient: error 1.3'],
  ['maximum, broadcast', "has shape '4,5,3'"],
  ['minimum, broadcast', "has shape '4,5,3'"],
  ['squaredDifference, broadcast', "has shape '4,5,3'"],
  ['matMul, broadcast batch', "gradient of input 'b' has shape '3,4,5'"],
  ['matMul, matrix against batch', "gradient of input 'a' has shape '3,2,4'"],
  ['matMul, both broadcast', /forward: (18 elements instead of 36|error)/, ['cpu', 'wasm']],
  ['stridedSlice', 'gradient function not found for StridedSlice'],
  ['tile, rank 5', 'not implemented for rank-5'],
  ['mirrorPad, reflect', 'gradient: error 0.64'],
  ['mirrorPad, symmetric', 'gradient: error 1.4'],
  ['depthToSpace', 'gradient function not found for DepthToSpace'],
  ['diag', 'gradient function not found for Diag'],
  ['gather, batch dimension', 'split is not a function'],
  ['gatherND', 'gradient function not found for GatherNd'],
  ['scatterND', 'gradient function not found for ScatterNd'],
  ['tensorScatterUpdate', 'gradient function not found for TensorScatterUpdate'],
  ['unstack, one part', 'passed to stack must be'],
  ['topk', 'gradient function not found for TopK'],
  ['prod, axis 0', 'reshape is not a function'],
  ['prod, axis -1', 'rank of input 3 must match length of perm 0,1,2,-1'],
  ['cumsum, axis 0', "has shape '3,4,2'"],
  ['cumprod', 'gradient function not found for Cumprod'],
  ['einsum, attention', /gradient function not found for Einsum|'Einsum' not registered/],
  [
    'einsum, labels summed out of one input',
    /could not be broadcast|'Einsum' not registered/,
    ['cpu', 'wasm'],
  ],
  ['conv1d, dilated', 'dilation rates greater than 1'],
  ['conv2d, dilated', 'dilation rates greater than 1'],
  ['depthwiseConv2d, dilated', 'dilation rates greater than 1'],
  ['conv3dTranspose', 'gradient function not found for Conv3DBackpropInputV2'],
  ['avgPool, same', 'gradient: error 0.12'],
  ['avgPool3d, same', 'gradient: error 0.21'],
  ['resizeBilinear to 2,3, half-pixel centres', 'gradient: '],
  ['resizeNearestNeighbor to 2,3, half-pixel centres', 'gradient: '],
  ['cropAndResize, bilinear', 'gradient function not found for CropAndResize'],
  ['conv2d, numeric padding and a wide kernel', 'gradient', ['cpu']],
  ['tensorScatterUpdate leaves its input alone', 'forward: error 1.0', ['cpu']],
  ['maxPool3d, overlapping', 'gradient: error 0.57', ['cpu']],
  ['resizeBilinear to 5,7', "has shape '2,3,4,2'", ['cpu']],
  ['resizeNearestNeighbor to 5,7', 'gradient: error 0.29', ['cpu']],
  ['mul, rank 7 broadcast', 'forward: error', ['wasm']],
  ['clipByValue of NaN', 'forward: error Infinity', ['wasm']],
  ['cast 0.3 to bool', 'forward: error 4.0', ['wasm']],
  ['stridedSlice of integers', 'forward: error 1.0', ['wasm']],
  ['oneHot, float32', 'forward: error 1.0', ['wasm']],
  ['sum of a million', 'forward: error 0.0096', ['wasm']],
  ['mean over 200,000 rows', 'forward: error 0.0020', ['wasm']],
  ['fused matMul, relu, transposed', 'forward: error 0.54', ['wasm']],
  ['fused matMul, batched', 'forward: error 0.25', ['wasm']],
  ['conv3d', 'gradient: error', ['wasm']],
  ['conv3d, stride 2', 'gradient: error', ['wasm']],
  ['conv3dTranspose', 'forward: error 1.0', ['wasm']],
  ['maxPool, overlapping, negative', 'gradient: error 1.8', ['wasm']],
  ['maxPoolWithArgmax', 'forward: error 1.0', ['wasm']],
  ['maxPool3d, negative', 'forward: error 1.0', ['wasm']],
  ['dilation2d', 'forward: error 1.0', ['wasm']],
  ['fft, length 6', "'Complex' not registered", ['wasm']],
  ['cumsum, reverse, longer', 'forward: error', ['webgpu']],
  ['cumprod, reverse, longer', 'forward: error', ['webgpu']],
  ['sum of nothing', 'forward: ', ['webgpu']],
  ['prod, axes 0 and 2 kept', 'shape [3] instead of [1,3,1]', ['webgpu']],
  ['complex data', 'shape [6] instead of [3,2]', ['webgpu']],
  ['matMul over no inner dimension', 'forward: ', ['webgpu']],
  ['addN of 50', 'forward: ', ['webgpu']],
  ['transpose of integers', 'forward: error', ['webgpu']],
  ['transpose of a matrix of large integers', 'forward: error', ['webgpu']],
  ['transpose of booleans, rank 4', 'forward: error', ['webgpu']],
  ['transpose of booleans as floats', 'forward: error', ['webgpu']],
  ['sum of booleans as floats, axis 0', 'forward: error', ['webgpu']],
  ['sum of integers, axis 0', 'forward: error', ['webgpu']],
  ['sum of integers, axes 0 and 1 kept', 'forward: error', ['webgpu']],
  ['mean of integers, axis 1', 'forward: error', ['webgpu']],
  ['prod of integers, axis 0', 'forward: error', ['webgpu']],
  ['max of integers, axis 0', 'forward: error', ['webgpu']],
  ['min of integers, axis 1 kept', 'forward: error', ['webgpu']],
  ['argMax of integers, axis 0', 'forward: error', ['webgpu']],
  ['argMin of integers, axis 1', 'forward: error', ['webgpu']],
  ['all, axis 0', 'forward: error', ['webgpu']],
  ['any, axis 0', 'forward: error', ['webgpu']],
  ['cumsum of integers, axis 0', 'forward: error', ['webgpu']],
  ['cumprod of integers, axis 0', 'forward: error', ['webgpu']],
  ['batchToSpaceND of integers', 'forward: error', ['webgpu']],
  ['unsortedSegmentSum of integers', 'forward: error', ['webgpu']],
]

describeBackends('stock tfjs', (backend) => {
  it.each(mends.filter(([, , backends = testedBackends]) => backends.includes(backend)))(
    '%s: %s; ours is right',
    async (name, stock) => {
      const c = casesByName.get(name)!
      const truth = truthOf(c)
      // A program that was compiled for another row length must be in the cache for the stale one to be found.
      if (name === 'cumsum, reverse, longer')
        withStock(() => tf.cumsum(tf.ones([2, 4]), 1, false, true).dispose())
      if (name === 'cumprod, reverse, longer')
        withStock(() => tf.cumprod(tf.ones([2, 4]), 1, false, true).dispose())
      const computed = withStock(() => compute(c))
      expect(complaints(c, await measure(c, truth, computed)).join('; ')).toMatch(stock)
      expect(complaints(c, await measure(c, truth))).toEqual([])
    },
  )
})
