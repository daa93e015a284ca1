/** Puts generated tables into the README of `packages/advprop`. */
import { readFileSync, writeFileSync } from 'node:fs'

const readme = new URL('../../packages/advprop/README.md', import.meta.url)

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->`. */
export function writeBlock(name, markdown) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const text = readFileSync(readme, 'utf8')
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${readme.pathname} must have ${begin} and ${end}.`)
  writeFileSync(readme, `${text.slice(0, from + begin.length)}\n${markdown}\n${text.slice(to)}`)
}

/** A Markdown table; the first column is left-aligned. */
export const table = (head, rows) =>
  [head, head.map((_, i) => (i ? '---:' : '---')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
