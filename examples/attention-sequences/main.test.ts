import { expect, it, vi } from 'vitest'

it('trains for an epoch and continues a sequence', { timeout: 300_000 }, async () => {
  const lines: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  process.argv.push('--tiny')
  try {
    await import('./main')
  } finally {
    process.argv.pop()
    log.mockRestore()
  }
  expect(lines.join('\n')).toMatch(/epoch 1: loss \d\.\d+, test accuracy 0\.\d+/)
  expect(lines.at(-1)).toMatch(/the model continues with ( \d){12}$/)
})
