import * as tf from '@tensorflow/tfjs-core'
import { expect, it, vi } from 'vitest'
import { registerTrainingKernels } from '../training-kernels/register'
import { chooseAmong, findCandidates } from './choose-backend'
import { loadTensorflow, restoreUtilPredicate } from './tensorflow-node'
import { useBackend } from './use-backend'
import { deviceDescriptor, type GpuAdapter } from './webgpu'

const notFound = (name: string) =>
  Object.assign(new Error(`Cannot find package '${name}' imported from /x.js`), {
    code: 'ERR_MODULE_NOT_FOUND',
  })

it('makes the named backend current', async () => {
  expect(await useBackend('cpu')).toBe('cpu')
  expect(tf.getBackend()).toBe('cpu')
  expect(await useBackend('wasm')).toBe('wasm')
  expect(tf.getBackend()).toBe('wasm')
})

it('an unknown name is answered with the choices', async () => {
  await expect(useBackend('tpu' as 'cpu')).rejects.toThrow(
    'useBackend: `name` must be one of auto, cuda, node, webgpu, wasm, webgl, cpu. Received name="tpu".',
  )
})

it('registering a second time installs nothing', async () => {
  await useBackend('wasm')
  expect(registerTrainingKernels()).toEqual([])
})

it('auto says what it takes and why, and passes software adapters by', async () => {
  const info = vi.spyOn(console, 'info').mockImplementation(() => {})
  const taken = await useBackend()
  expect(info.mock.calls[0]![0]).toContain('is the fastest here that can train')
  expect(taken).toBe(tf.getBackend())
  info.mockRestore()
  expect(
    chooseAmong([
      { name: 'cuda', available: false, detail: 'not installed' },
      { name: 'webgpu', available: true, detail: 'SwiftShader', software: true },
      { name: 'wasm', available: true, detail: 'WebAssembly' },
      { name: 'cpu', available: true, detail: 'JavaScript' },
    ]),
  ).toEqual({
    name: 'wasm',
    why: 'wasm (WebAssembly) is the fastest here that can train; cuda: not installed; webgpu: SwiftShader.',
  })
})

it('an engine without WebAssembly SIMD is told so, and auto passes wasm by', async () => {
  const validate = vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
  await expect(useBackend('wasm')).rejects.toThrow(
    /^WasmKernels: the engine must run WebAssembly SIMD \(.*\)\. Received an engine without it\. .*useBackend\('webgl'\)/,
  )
  const candidates = await findCandidates()
  expect(candidates.find(({ name }) => name === 'wasm')).toMatchObject({
    available: false,
    detail: 'this runtime has no WebAssembly SIMD',
  })
  validate.mockRestore()
})

it('webgl outside a browser is refused', async () => {
  await expect(useBackend('webgl')).rejects.toThrow('useBackend: webgl needs a browser with WebGL 2.')
})

it('a native package that is missing, broken or without a GPU is answered with what to do', async () => {
  const fail = (error: Error) => () => Promise.reject(error)
  await expect(
    loadTensorflow('node', '@tensorflow/tfjs-node', fail(notFound('@tensorflow/tfjs-node'))),
  ).rejects.toThrow('useBackend: node needs the optional package `@tensorflow/tfjs-node`. Install it with')
  await expect(
    loadTensorflow(
      'node',
      '@tensorflow/tfjs-node',
      fail(new Error('tfjs_binding.node: cannot open shared object')),
    ),
  ).rejects.toThrow('did not load: tfjs_binding.node: cannot open shared object.')
  await expect(loadTensorflow('cuda', '@tensorflow/tfjs-node-gpu', async () => {})).rejects.toThrow(
    'found no CUDA device',
  )
})

it('the util predicate that Node 23 removed is given back, and an existing one is kept', () => {
  const util: { isNullOrUndefined?: (value: unknown) => boolean } = {}
  restoreUtilPredicate(util)
  expect([null, undefined, 0].map((value) => util.isNullOrUndefined!(value))).toEqual([true, true, false])
  const own = util.isNullOrUndefined
  restoreUtilPredicate(util)
  expect(util.isNullOrUndefined).toBe(own)
})

it('the WebGPU device has the features and the computing limits of its adapter', () => {
  const adapter = {
    features: new Set(['shader-f16', 'timestamp-query', 'texture-compression-bc']),
    limits: {
      maxBufferSize: 4,
      maxComputeWorkgroupSizeX: 256,
      maxTextureDimension2D: 8192,
      maxStorageBuffersPerShaderStage: undefined,
    },
  } as unknown as GpuAdapter
  expect(deviceDescriptor(adapter)).toEqual({
    requiredFeatures: ['shader-f16', 'timestamp-query'],
    requiredLimits: { maxBufferSize: 4, maxComputeWorkgroupSizeX: 256 },
  })
})
