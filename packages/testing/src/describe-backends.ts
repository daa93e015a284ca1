/**
 * Runs a suite once per backend. Backends come from the environment variable `TFGRAFT_BACKENDS`
 * (comma separated, `cpu,wasm` when unset). A backend that cannot start fails its suite; it is never skipped.
 */
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-layers' // registers tfjs's gradients
import { type BackendName, useBackend } from '@tfgraft/backends'
import { beforeAll, describe } from 'vitest'

const configured = (globalThis as { process?: { env: Record<string, string | undefined> } }).process?.env
  .TFGRAFT_BACKENDS

/** The backends under test. */
export const testedBackends = (configured ?? 'cpu,wasm')
  .split(',')
  .map((name) => name.trim()) as BackendName[]

/** `describe` on every tested backend, or on those of `only` that are tested. */
export function describeBackends(
  title: string,
  suite: (backend: BackendName) => void,
  only: readonly BackendName[] = testedBackends,
): void {
  describe.each(testedBackends.filter((backend) => only.includes(backend)))(`${title} [%s]`, (backend) => {
    beforeAll(async () => {
      await useBackend(backend)
    })
    suite(backend)
  })
}
