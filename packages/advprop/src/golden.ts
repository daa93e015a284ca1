/** Reads the reference implementations' values from `fixtures/` (gzipped JSON, images NCHW, float64). */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import * as tf from '@tensorflow/tfjs-core'

export interface GoldenTensor {
  shape: number[]
  data: number[]
}

export function golden<T>(name: string): T {
  const file = new URL(`../fixtures/${name}.json.gz`, import.meta.url)
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as T
}

export const tensor = ({ shape, data }: GoldenTensor, dtype: 'float32' | 'int32' = 'float32') =>
  tf.tensor(data, shape, dtype)

/** NCHW to NHWC. */
export const nhwc = (value: GoldenTensor) => tf.transpose(tensor(value), [0, 2, 3, 1]) as tf.Tensor4D
