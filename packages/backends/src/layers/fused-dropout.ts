/**
 * tfjs's own Dropout layer, while training, in one pass and without a mask that is kept: only while the backend is wasm, and only
 * without a seed, because tfjs's numbers for a seed are fixed, and without a shape of its own for the noise.
 */
import { dropout } from '../ops/random'
import { isFused } from '../training-kernels/fusion'
import { prototypeOf, replaceCall } from './replace-call'

/** What we use of tfjs's layer. */
interface Dropout {
  rate: number
  noiseShape?: unknown
  seed?: number
}

/** Makes `tf.layers.dropout` run as one op on wasm. */
export function fuseDropout(): void {
  replaceCall<Dropout>(prototypeOf('Dropout'), {
    isCovered: ({ rate, noiseShape, seed }, x, { training }) =>
      isFused() &&
      training === true &&
      rate > 0 &&
      rate < 1 &&
      noiseShape == null &&
      seed == null &&
      x.dtype === 'float32',
    call: ({ rate }, x) => dropout(x, rate),
  })
}
