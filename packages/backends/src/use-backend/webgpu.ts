/**
 * WebGPU: in browsers through `navigator.gpu`, in Node through the `webgpu` package (Dawn). The device that tfjs itself
 * asks for has neither half floats nor subgroups; ours has what the adapter offers, with the adapter's own limits.
 */
import * as tf from '@tensorflow/tfjs-core'
import { type BackendDriver, isNode, messageOf } from './backend-driver'
import { importOptional, isMissing } from './optional-import'
import { keepDawnCallbacks, readSynchronously } from './synchronous-reads'

/** The part of WebGPU that choosing a device takes. */
export interface GpuAdapter {
  readonly features: ReadonlySet<string>
  readonly limits: object
  readonly info: { vendor: string; architecture: string; description: string; isFallbackAdapter?: boolean }
  requestDevice(descriptor: {
    requiredFeatures: string[]
    requiredLimits: Record<string, number>
  }): Promise<GpuDevice>
}
interface GpuDevice {
  readonly features: ReadonlySet<string>
  readonly lost: Promise<{ reason: string; message: string }>
}
interface Gpu {
  requestAdapter(options: { powerPreference: string }): Promise<GpuAdapter | null>
}

/** Asked for where the adapter has them. tfjs uses the last two. */
const wantedFeatures = ['shader-f16', 'subgroups', 'timestamp-query', 'bgra8unorm-storage']

const installHint =
  'Install it with `npm install webgpu`; on Linux it also needs the Vulkan loader (Debian: libvulkan1).'

const adapterHint = isNode
  ? 'Check that a Vulkan driver is installed. Without a GPU, SwiftShader runs WebGPU on the CPU, slowly, for tests: Debian ships ' +
    'it with chromium; set VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json (and install libvulkan1).'
  : 'Check chrome://gpu, or start Chromium with --enable-unsafe-webgpu.'

/** `navigator.gpu`, which in Node is made from the `webgpu` package and kept. */
async function findGpu(): Promise<Gpu | undefined> {
  const own = (globalThis.navigator as { gpu?: Gpu } | undefined)?.gpu
  if (own || !isNode) return own
  const dawn = await importOptional<{ create(options: string[]): Gpu; globals: object }>('webgpu')
  // tfjs reads constants such as GPUBufferUsage, and the gpu itself, from the global scope.
  Object.assign(globalThis, dawn.globals)
  if (!globalThis.navigator) Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true })
  keepDawnCallbacks()
  const gpu = dawn.create([])
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true })
  return gpu
}

const requestAdapter = async (gpu: Gpu) => gpu.requestAdapter({ powerPreference: 'high-performance' })

/** What to ask the adapter for: all it can do, of what computing uses. Limits that Chromium reserves come as undefined. */
export function deviceDescriptor(adapter: GpuAdapter) {
  const requiredLimits: Record<string, number> = {}
  for (const name in adapter.limits) {
    const value = (adapter.limits as Record<string, unknown>)[name]
    if (typeof value === 'number' && /^max(Compute|Storage|Buffer|Uniform|Bind)/.test(name))
      requiredLimits[name] = value
  }
  return { requiredFeatures: wantedFeatures.filter((name) => adapter.features.has(name)), requiredLimits }
}

const describeAdapter = ({ info, features }: GpuAdapter) =>
  [
    [info.vendor, info.architecture, info.description].filter(Boolean).join(' ') || 'unnamed adapter',
    ...wantedFeatures.slice(0, 3).filter((name) => features.has(name)),
  ].join(', ')

/** SwiftShader and its like run on the CPU, slower than wasm. */
const isSoftware = ({ info }: GpuAdapter) =>
  Boolean(info.isFallbackAdapter) ||
  /swiftshader|llvmpipe|lavapipe|warp/i.test(`${info.architecture} ${info.description}`)

async function load(): Promise<string> {
  if (tf.findBackend('webgpu')) return 'webgpu'
  let gpu: Gpu | undefined
  try {
    gpu = await findGpu()
  } catch (error) {
    if (isMissing(error, 'webgpu'))
      throw new Error(`useBackend: webgpu in Node needs the optional package \`webgpu\`. ${installHint}`)
    throw new Error(`useBackend: the \`webgpu\` package did not load: ${messageOf(error)}. ${installHint}`)
  }
  if (!gpu) throw new Error(`useBackend: this browser has no WebGPU. ${adapterHint}`)
  const adapter = await requestAdapter(gpu)
  if (!adapter) throw new Error(`useBackend: WebGPU has no adapter. ${adapterHint}`)
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu')
  const device = await adapter.requestDevice(deviceDescriptor(adapter))
  const backend = new WebGPUBackend(
    device as unknown as ConstructorParameters<typeof WebGPUBackend>[0],
    adapter.info as unknown as ConstructorParameters<typeof WebGPUBackend>[1],
  )
  if (isNode) readSynchronously(backend)
  // In a browser tfjs has registered a factory of its own, with its plain device.
  if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu')
  tf.registerBackend('webgpu', () => backend, 3)
  return 'webgpu'
}

async function probe(): Promise<{ available: boolean; detail: string }> {
  try {
    const gpu = await findGpu()
    const adapter = gpu && (await requestAdapter(gpu))
    if (!adapter) return { available: false, detail: gpu ? 'no adapter' : 'this browser has no WebGPU' }
    if (isSoftware(adapter))
      return { available: true, detail: `${describeAdapter(adapter)}: a software adapter, slower than wasm` }
    return { available: true, detail: describeAdapter(adapter) }
  } catch (error) {
    const detail = isMissing(error, 'webgpu')
      ? 'the optional package `webgpu` is not installed'
      : messageOf(error)
    return { available: false, detail }
  }
}

export const webgpu: BackendDriver = { probe, load }

/** Whether the adapter is one that computes on the CPU, so that 'auto' passes it by. */
export async function isSoftwareWebgpu(): Promise<boolean> {
  const gpu = await findGpu()
  const adapter = gpu && (await requestAdapter(gpu))
  return !adapter || isSoftware(adapter)
}
