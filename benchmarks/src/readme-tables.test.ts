import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkTables, committed, readmes, withCurrentTables } from './readme-tables'

it.each(readmes)(
  'the tables of %s are those of the committed results (`pnpm bench:readme` makes them anew)',
  (path) => {
    const { text, current } = checkTables(path, committed)
    expect(text).toContain('<!-- results:matrix')
    expect(text).toBe(current)
  },
)

it('only what is between the marks changes', () => {
  const text = 'before\n<!-- results:matrix -->\nold\n<!-- /results -->\nafter\n'
  const current = withCurrentTables(text, committed)
  expect(current).toMatch(/^before\n<!-- results:matrix -->\n\| task \| method \|/)
  expect(current).toMatch(/<!-- \/results -->\nafter\n$/)
  expect(current).not.toContain('old')
  expect(withCurrentTables(current, committed)).toBe(current)
  expect(withCurrentTables(text, join(committed, 'nowhere'))).toContain('Not measured yet')
})

it('a suite selects its tasks and methods', () => {
  const of = (suite: string) =>
    withCurrentTables(`<!-- results:matrix suite:${suite} -->\n<!-- /results -->`, committed)
  expect(of('quick')).toContain('| mnist-robust | advprop |')
  expect(of('quick')).not.toContain('fashion-shape')
  expect(of('quick')).not.toContain('advprop+sparse-top-k')
  expect(of('mlp')).not.toContain('mnist-robust')
  expect(() => of('none')).toThrow("unknown suite 'none'")
})
