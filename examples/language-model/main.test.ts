import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readSafetensors } from '@tfgraft/diff-attention'
import { expect, it, vi } from 'vitest'

it("trains on the user's text, writes its characters, and saves the weights", {
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'language-model-'))
  const file = join(folder, 'text.txt')
  writeFileSync(file, 'The sea, the ship. '.repeat(300))
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  const before = process.argv
  process.argv = [...before, '--tiny', '--text', file, '--save', folder]
  try {
    await import('./main')
  } finally {
    process.argv = before
    log.mockRestore()
  }
  expect(lines.at(-2)).toMatch(/^step 10: \d\.\d\d bits per character$/)
  expect(lines.at(-1)).toMatch(/^The [Ttheasip., ]{200}$/)
  const weights = readSafetensors(readFileSync(join(folder, 'model.safetensors')))
  expect(Object.keys(weights).some((name) => name.includes('lambda_q1'))).toBe(true)
  rmSync(folder, { recursive: true })
})
