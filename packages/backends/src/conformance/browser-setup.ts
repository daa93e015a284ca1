/** What a test in a browser needs before its first import: the names of its backends, and where tfjs finds its wasm. */
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import plain from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'
import * as tf from '@tensorflow/tfjs-core'

declare const TFGRAFT_BACKENDS: string

Object.assign(globalThis, { process: { env: { TFGRAFT_BACKENDS } } })

setWasmPaths({
  'tfjs-backend-wasm.wasm': plain,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
})

// The pages are isolated for the test of our threads; what is measured otherwise is the build that most pages get.
tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
