/** Makes one page of each package's README, so that a README is written once and read in both places. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const packages = readdirSync(new URL('packages/', root)).filter((name) => name !== 'testing')
mkdirSync(new URL('docs/packages/', root), { recursive: true })
for (const name of packages) {
  const readme = readFileSync(new URL(`packages/${name}/README.md`, root), 'utf8')
  // A README links to files beside it; from the site those live in the repository.
  const home = 'https://github.com/tfgraft/tfgraft'
  const withPictures = readme.replace(
    /!\[([^\]]*)\]\((?!https?:)([^)]+)\)/g,
    `![$1](${home}/raw/main/packages/${name}/$2)`,
  )
  const page = withPictures.replace(
    /\]\((?!https?:|#)(?:\.\/)?([^)]+)\)/g,
    `](${home}/blob/main/packages/${name}/$1)`,
  )
  writeFileSync(new URL(`docs/packages/${name}.md`, root), page)
}
console.log(`${packages.length} package pages`)
