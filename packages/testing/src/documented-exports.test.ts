import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { exportsWithoutExample } from './documented-exports'

it('follows exports to their declarations and names those without an @example', () => {
  const root = mkdtempSync(join(tmpdir(), 'documented-'))
  mkdirSync(join(root, 'src', 'op'), { recursive: true })
  const files = {
    'index.ts':
      "export { op as renamed } from './op'\nexport { A, b, c, type T } from './x'\nexport { z } from 'z'\n",
    'op/index.ts': "import { op } from './op'\nexport { op }\n",
    'op/op.ts': '/** @example\n * x\n */\nexport function op(): void {}\n',
    'x.ts':
      '/**\n * @example x\n */\nexport class A {}\n/** No. */\nexport const b = () => {}\n' +
      '/** @example x */\nexport const c = () => {}\nexport type T = 1\n',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, 'src', name), text)
  expect(exportsWithoutExample(root, ['renamed', 'A', 'b', 'c', 'z'])).toEqual(['b'])
  rmSync(root, { recursive: true })
})
