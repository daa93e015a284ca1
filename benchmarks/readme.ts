/** Makes the tables of `benchmarks/README.md` anew from the committed results: `pnpm bench:readme`. A test checks that they are current. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkTables } from './src/readme-tables'

const path = join(import.meta.dirname, 'README.md')
const { text, current } = checkTables(path, join(import.meta.dirname, 'results', 'committed'))
writeFileSync(path, current)
console.log(text === current ? 'README.md is current.' : 'README.md is written anew.')
