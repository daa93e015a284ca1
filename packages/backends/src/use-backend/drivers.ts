import type { BackendDriver } from './backend-driver'
import type { BackendName } from './backend-name'
import { cpu } from './cpu'
import { cuda, node } from './tensorflow-node'
import { wasm } from './wasm'
import { webgl } from './webgl'
import { webgpu } from './webgpu'

export const drivers: Record<BackendName, BackendDriver> = { cuda, node, webgpu, wasm, webgl, cpu }
