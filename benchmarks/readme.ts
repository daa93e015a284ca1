/** Makes the tables of the READMEs anew from the committed results: `pnpm bench:readme`. A test checks that they are current. */
import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { checkTables, committed, readmes } from './src/readme-tables'

for (const path of readmes) {
  const { text, current } = checkTables(path, committed)
  writeFileSync(path, current)
  console.log(`${relative('.', path)} ${text === current ? 'is current' : 'is written anew'}.`)
}
