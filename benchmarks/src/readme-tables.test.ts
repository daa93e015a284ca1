import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkTables, withCurrentTables } from './readme-tables'

const benchmarks = join(import.meta.dirname, '..')
const committed = join(benchmarks, 'results', 'committed')

it('the tables of the README are those of the committed results (`pnpm bench:readme` makes them anew)', () => {
  const { text, current } = checkTables(join(benchmarks, 'README.md'), committed)
  expect(text).toContain('<!-- results:quick -->')
  expect(text).toBe(current)
})

it('only what is between the marks changes', () => {
  const text = 'before\n<!-- results:quick -->\nold\n<!-- /results -->\nafter\n'
  const current = withCurrentTables(text, committed)
  expect(current).toMatch(/^before\n<!-- results:quick -->\n\| task \| method \|/)
  expect(current).toMatch(/<!-- \/results -->\nafter\n$/)
  expect(current).not.toContain('old')
  expect(withCurrentTables(current, committed)).toBe(current)
  expect(withCurrentTables(text, join(committed, 'nowhere'))).toContain('Not measured yet')
})
