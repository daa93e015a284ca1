/** The backends that `useBackend` knows, fastest first. */
export const backendNames = ['cuda', 'node', 'webgpu', 'wasm', 'webgl', 'cpu'] as const

export type BackendName = (typeof backendNames)[number]
