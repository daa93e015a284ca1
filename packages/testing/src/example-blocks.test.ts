import { expect, it } from 'vitest'
import { docstringExamples, markdownExamples } from './example-blocks'

const source = `/** One line. */
const a = 1

/**
 * Doubles.
 *
 * \`\`\`ts
 * not(an).example
 * \`\`\`
 *
 * @example
 * Twice:
 * \`\`\`ts
 * import { double } from 'x'
 *
 * double(2)
 * \`\`\`
 * \`\`\`ts no-run
 * needsGpu()
 * \`\`\`
 * @returns \`x\`
 * \`\`\`ts
 * not(an).example
 * \`\`\`
 */
export const double = (x: number) => 2 * x
`

it('finds the examples of docstrings with their lines, and no other fences', () => {
  expect(docstringExamples(source, 'src/x.ts')).toEqual([
    { file: 'src/x.ts', line: 14, code: "import { double } from 'x'\n\ndouble(2)" },
  ])
})

it('finds the plain ts fences of a README', () => {
  const text = '# X\n```sh\nnpm i\n```\n```ts\nlet a = 1\n```\n```ts no-run\nb()\n```\n'
  expect(markdownExamples(text, 'README.md')).toEqual([{ file: 'README.md', line: 6, code: 'let a = 1' }])
  expect(() => markdownExamples('```ts\nlet a = 1', 'README.md')).toThrow('README.md:1: the code fence')
})
