/**
 * Maximum pooling in two and three dimensions with its positions and gradient. tfjs-wasm starts the running maximum at the
 * smallest positive float, so a window of negative numbers has no maximum; tfjs-cpu numbers the positions of a 3-D window
 * with its height where its width belongs, which misplaces the gradient of windows that are not square.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type ArrayTensor, arrayKernel } from '../training-kernels/array-kernel'

interface PoolAttributes<Size> {
  filterSize: Size | number
  strides: Size | number
  pad: 'valid' | 'same' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

type Info = tf.backend_util.Conv3DInfo

/** A 2-D pool is a 3-D pool of depth one. */
const asThreeDimensional = (info: tf.backend_util.Conv2DInfo): Info =>
  ({
    ...info,
    inDepth: 1,
    outDepth: 1,
    filterDepth: 1,
    effectiveFilterDepth: 1,
    strideDepth: 1,
    dilationDepth: 1,
    padInfo: { ...info.padInfo, front: 0, back: 0 },
  }) as unknown as Info

/** The flat index in the input of the first maximum of every window, `[batch, depth, height, width, channels]`. */
function positionsOfMaxima(values: ArrayLike<number>, info: Info): Int32Array {
  const { batchSize, inDepth, inHeight, inWidth, inChannels: channels, padInfo } = info
  const positions = new Int32Array(batchSize * info.outDepth * info.outHeight * info.outWidth * channels)
  let at = 0
  for (let n = 0; n < batchSize; n++)
    for (let i = 0; i < info.outDepth; i++)
      for (let j = 0; j < info.outHeight; j++)
        for (let k = 0; k < info.outWidth; k++)
          for (let c = 0; c < channels; c++) {
            let [best, where] = [Number.NEGATIVE_INFINITY, -1]
            for (let a = 0; a < info.filterDepth; a++) {
              const z = i * info.strideDepth - padInfo.front + a * info.dilationDepth
              if (z < 0 || z >= inDepth) continue
              for (let b = 0; b < info.filterHeight; b++) {
                const y = j * info.strideHeight - padInfo.top + b * info.dilationHeight
                if (y < 0 || y >= inHeight) continue
                for (let w = 0; w < info.filterWidth; w++) {
                  const x = k * info.strideWidth - padInfo.left + w * info.dilationWidth
                  if (x < 0 || x >= inWidth) continue
                  const index = (((n * inDepth + z) * inHeight + y) * inWidth + x) * channels + c
                  const value = values[index]!
                  // A window of -Infinity still has a maximum; NaN wins, as it must stay visible.
                  if (value > best || where < 0 || (Number.isNaN(value) && !Number.isNaN(best)))
                    [best, where] = [value, index]
                }
              }
            }
            positions[at++] = where
          }
  return positions
}

const gathered = (values: ArrayLike<number>, positions: Int32Array) =>
  Float32Array.from(positions, (index) => values[index]!)

function scattered(dy: ArrayTensor, positions: Int32Array, shape: number[]): ArrayTensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  positions.forEach((index, i) => {
    values[index]! += dy.values[i]!
  })
  return { shape, values }
}

const info2d = (shape: number[], a: PoolAttributes<[number, number]>) =>
  tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    a.filterSize,
    a.strides,
    1,
    a.pad,
    a.dimRoundingMode,
  )

const info3d = (shape: number[], a: PoolAttributes<[number, number, number]>) =>
  tf.backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    a.filterSize,
    a.strides,
    1,
    a.pad,
    a.dimRoundingMode,
  )

export const maxPoolWithArgmax = arrayKernel<
  PoolAttributes<[number, number]> & { includeBatchInIndex: boolean }
>(({ x }, attributes) => {
  const info = info2d(x!.shape, attributes)
  const positions = positionsOfMaxima(x!.values, asThreeDimensional(info))
  const imageSize = info.inHeight * info.inWidth * info.inChannels
  const indices = attributes.includeBatchInIndex ? positions : positions.map((index) => index % imageSize)
  return [
    { shape: info.outShape, values: gathered(x!.values, positions) },
    { shape: info.outShape, values: indices, dtype: 'int32' },
  ]
})

export const maxPool3d = arrayKernel<PoolAttributes<[number, number, number]>>(({ x }, attributes) => {
  const info = info3d(x!.shape, attributes)
  return [{ shape: info.outShape, values: gathered(x!.values, positionsOfMaxima(x!.values, info)) }]
})

export const maxPool3dGrad = arrayKernel<PoolAttributes<[number, number, number]>>(
  ({ dy, input }, attributes) => [
    scattered(dy!, positionsOfMaxima(input!.values, info3d(input!.shape, attributes)), input!.shape),
  ],
)
