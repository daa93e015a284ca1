/** Finds the runnable examples of a package: `@example` blocks of docstrings and blocks of the README. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ExampleBlock {
  /** File of the example, relative to the package. */
  file: string
  /** Line of its first line of code, from 1. */
  line: number
  code: string
}

/** Exactly ```` ```ts ````: a fence with more words, such as `ts no-run`, is not run. */
const OPENING = /^```ts\s*$/
const FENCE = /^```/
const TAG = /^@(\w+)/

/** Blocks in a text; `inExamples` keeps only those that follow an `@example` tag. */
function blocksOf(lines: string[], firstLine: number, file: string, inExamples: boolean): ExampleBlock[] {
  const blocks: ExampleBlock[] = []
  let wanted = !inExamples
  for (let i = 0; i < lines.length; i++) {
    const tag = TAG.exec(lines[i]!)
    if (tag && inExamples) wanted = tag[1] === 'example'
    if (!FENCE.test(lines[i]!)) continue
    const runs = wanted && OPENING.test(lines[i]!)
    const start = i + 1
    do i++
    while (i < lines.length && !FENCE.test(lines[i]!))
    if (i === lines.length) throw new Error(`${file}:${firstLine + start - 1}: the code fence never ends.`)
    if (runs) blocks.push({ file, line: firstLine + start, code: lines.slice(start, i).join('\n') })
  }
  return blocks
}

/** The ```` ```ts ```` blocks of a Markdown text. */
export function markdownExamples(text: string, file: string): ExampleBlock[] {
  return blocksOf(text.split('\n'), 1, file, false)
}

/** The `@example` blocks of all docstrings of a source text. */
export function docstringExamples(text: string, file: string): ExampleBlock[] {
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((comment) => {
    const firstLine = text.slice(0, comment.index).split('\n').length
    const lines = comment[0].split('\n').map((line) => line.replace(/^\s*(\/\*\*|\*(?!\/)) ?/, ''))
    return blocksOf(lines, firstLine, file, true)
  })
}

/** All examples of a package: its `src/**\/*.ts` without tests and generated files, and its README. */
export function packageExamples(root: string): ExampleBlock[] {
  const files = readdirSync(root, { withFileTypes: true }).some((entry) => entry.name === 'README.md')
    ? markdownExamples(readFileSync(join(root, 'README.md'), 'utf8'), 'README.md')
    : []
  const sources = (readdirSync(join(root, 'src'), { recursive: true }) as string[])
    .filter((path) => /\.tsx?$/.test(path) && !/\.test\.ts$|(^|\/)generated\//.test(path))
    .sort()
  return [
    ...files,
    ...sources.flatMap((path) =>
      docstringExamples(readFileSync(join(root, 'src', path), 'utf8'), join('src', path)),
    ),
  ]
}
