/**
 * Checks every public package as its users will meet it: packed, installed by plain npm beside plain
 * `@tensorflow/tfjs`, imported as ESM and CommonJS, type-checked, loaded by script tags, and within its size.
 *
 *   pnpm check:packages
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import vm from 'node:vm'
import { gzipSync } from 'node:zlib'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import ts from 'typescript'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

/** Ceilings of the gzipped module build and script-tag build in kB: a step up is a decision, not an accident. */
const ceilings = {
  '@tfgraft/core': [25, 14],
  // Its wasm is there twice: recurrent layers, losses, gelu, random numbers, depthwise gradients and linear algebra are 20 kB of it.
  '@tfgraft/backends': [140, 104],
  '@tfgraft/proxprop': [30, 20],
  '@tfgraft/advprop': [50, 28],
  '@tfgraft/diff-attention': [45, 30],
  '@tfgraft/rl-exploration': [65, 45],
  '@tfgraft/datasets': [18, 8],
}

/** The package manager that runs this script, or the one on the path. */
function pnpm(args, cwd) {
  const script = process.env.npm_execpath
  return script?.includes('pnpm')
    ? run(process.execPath, [script, ...args], { cwd })
    : run('pnpm', args, { cwd })
}

async function publicPackages() {
  const folders = await readdir(join(root, 'packages'))
  const packages = await Promise.all(
    folders.map(async (folder) => {
      const path = join(root, 'packages', folder)
      return { path, manifest: JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) }
    }),
  )
  // `core` and `backends` first: the script-tag builds of the others need their globals.
  const isBase = ({ manifest }) => ['@tfgraft/core', '@tfgraft/backends'].includes(manifest.name)
  return packages.filter(({ manifest }) => !manifest.private).sort((a, b) => isBase(b) - isBase(a))
}

async function pack({ path }, folder) {
  const { stdout } = await pnpm(['pack', '--json', '--pack-destination', folder], path)
  return JSON.parse(stdout).filename
}

/** What the tarball holds and how its manifest reads. */
async function checkTarball({ manifest }, tarball) {
  const { stdout } = await run('tar', ['-tzf', tarball])
  const files = stdout.split('\n').filter(Boolean)
  for (const needed of ['package/README.md', 'package/LICENSE'])
    if (!files.includes(needed)) throw new Error(`${needed} is missing`)
  const strays = files.filter((file) => /\.test\.|^package\/(src|fixtures|assembly)\//.test(file))
  if (strays.length) throw new Error(`should not be published: ${strays}`)
  const data = await readFile(tarball)
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)
  const { messages, pkg } = await publint({ pack: { tarball: buffer }, level: 'warning' })
  if (messages.length)
    throw new Error(messages.map((message) => formatMessage(message, pkg ?? manifest)).join('; '))
}

/** Whether the types resolve, and fit the code, for every way of importing every entry point. */
async function checkTypesResolve(tarball) {
  const { problems = [] } = await checkPackage(
    createPackageFromTarballData(new Uint8Array(await readFile(tarball))),
  )
  // Node 10 knows no `exports`: it finds the main entry point, but no further ones.
  const real = problems.filter(
    ({ resolutionKind, entrypoint }) => resolutionKind !== 'node10' || entrypoint === '.',
  )
  if (real.length) throw new Error(real.map((problem) => JSON.stringify(problem)).join('; '))
}

/** Importable names of a package: itself and its further entry points. */
const entryPoints = ({ manifest }) =>
  Object.keys(manifest.publishConfig.exports)
    .filter((key) => !key.endsWith('.json'))
    .map((key) => manifest.name + key.slice(1))

async function install(tarballs, folder) {
  const manifest = { name: 'check', private: true, dependencies: { '@tensorflow/tfjs': '4.22.0' } }
  for (const [name, tarball] of tarballs) manifest.dependencies[name] = `file:${tarball}`
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest))
  await run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder })
}

/** Names that an entry point exports in Node, in a process of its own. */
async function exportedNames(specifier, format, folder) {
  const load = format === 'esm' ? `await import('${specifier}')` : `require('${specifier}')`
  const code = `const names = Object.keys(${load}).filter((name) => name !== 'module.exports').sort()
    console.log(JSON.stringify(names))`
  const body =
    format === 'esm' ? `import '@tensorflow/tfjs'\n${code}` : `require('@tensorflow/tfjs')\n${code}`
  const file = join(folder, `load.${format === 'esm' ? 'mjs' : 'cjs'}`)
  await writeFile(file, body)
  const { stdout } = await run(process.execPath, [file], { cwd: folder })
  const names = JSON.parse(stdout.trim().split('\n').at(-1))
  if (!names.length) throw new Error(`${specifier} exports nothing`)
  return names
}

async function checkImports(pkg, format, folder) {
  for (const specifier of entryPoints(pkg)) {
    const [names, esm] = [
      await exportedNames(specifier, format, folder),
      await exportedNames(specifier, 'esm', folder),
    ]
    if (`${names}` !== `${esm}`) throw new Error(`${specifier}: ${format} exports ${names}, ESM ${esm}`)
  }
}

/** Type-checks a program that imports every entry point, as ESM and as CommonJS, and the package's own types. */
async function checkTypes(pkg, folder) {
  const files = ['mts', 'cts'].map((extension) => join(folder, `types.${extension}`))
  const lines = entryPoints(pkg).map(
    (specifier, i) => `import * as m${i} from '${specifier}'\nexport const n${i} = m${i}`,
  )
  for (const file of files)
    await writeFile(file, `import * as tf from '@tensorflow/tfjs'\nexport { tf }\n${lines.join('\n')}\n`)
  const program = ts.createProgram(files, {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    strict: true,
    noEmit: true,
  })
  // Types of tfjs itself have errors, which its users skip with `skipLibCheck`; ours must have none.
  const ours = program
    .getSourceFiles()
    .filter(({ fileName }) => /\/types\.[mc]ts$|\/@tfgraft\//.test(fileName))
  const diagnostics = ours.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ])
  if (diagnostics.length)
    throw new Error(
      ts.formatDiagnostics(diagnostics, {
        ...ts.sys,
        getCanonicalFileName: (f) => f,
        getNewLine: () => '\n',
      }),
    )
}

/** A page with script tags of tfjs and of the packages before: what every script-tag build runs in. */
function page(folder) {
  const require = createRequire(join(folder, 'page.cjs'))
  const wasm = require('@tensorflow/tfjs-backend-wasm')
  const browser = {
    console,
    setTimeout,
    clearTimeout,
    queueMicrotask,
    URL,
    TextEncoder,
    TextDecoder,
    performance,
    atob,
    btoa,
    fetch,
    crypto,
  }
  return vm.createContext({ ...browser, WebAssembly, tf: { ...require('@tensorflow/tfjs'), wasm } })
}

async function checkScriptTag(pkg, context, folder) {
  if (!pkg.manifest.unpkg) return 'none'
  const code = await readFile(join(folder, 'node_modules', pkg.manifest.name, pkg.manifest.unpkg), 'utf8')
  const globalName = /(?:^|\n)var (tfgraft\w+)\s*=/.exec(code)?.[1]
  if (!globalName) throw new Error('defines no global tfgraft...')
  vm.runInContext(code, context)
  const names = Object.keys(context[globalName]).sort()
  const esm = await exportedNames(pkg.manifest.name, 'esm', folder)
  if (`${names}` !== `${esm}`) throw new Error(`${globalName} has ${names}, ESM ${esm}`)
  return globalName
}

async function checkSize({ path, manifest }) {
  const gzipped = async (name) => gzipSync(await readFile(join(path, 'dist', name))).length / 1000
  // A package with several entry points has what they share in chunks of its own.
  const entry = await readFile(join(path, 'dist/index.mjs'), 'utf8')
  const chunks = [...entry.matchAll(/from ["']\.\/([\w.-]+\.mjs)["']/g)].map(([, name]) => name)
  const moduleSizes = await Promise.all(['index.mjs', ...chunks].map(gzipped))
  const sizes = [moduleSizes.reduce((sum, size) => sum + size, 0)]
  if (manifest.unpkg) sizes.push(await gzipped('index.iife.js'))
  const limits = ceilings[manifest.name]
  if (!limits) throw new Error('has no ceiling in tooling/check-packages.mjs')
  const text = sizes.map((size, i) => `${size.toFixed(1)}/${limits[i]}`).join(' ')
  if (sizes.some((size, i) => size > limits[i])) throw new Error(`${text} kB: over the ceiling`)
  return text
}

const folder = await mkdtemp(join(tmpdir(), 'tfgraft-packages-'))
const failures = []
const rows = []
try {
  await pnpm(['run', 'build'], root)
  const packages = await publicPackages()
  const tarballs = new Map()
  for (const pkg of packages) tarballs.set(pkg.manifest.name, await pack(pkg, folder))
  await install(tarballs, folder)
  const context = page(folder)
  for (const pkg of packages) {
    const tarball = tarballs.get(pkg.manifest.name)
    const checks = {
      tarball: () => checkTarball(pkg, tarball),
      'types resolve': () => checkTypesResolve(tarball),
      ESM: () => checkImports(pkg, 'esm', folder),
      CommonJS: () => checkImports(pkg, 'cjs', folder),
      TypeScript: () => checkTypes(pkg, folder),
      'script tag': () => checkScriptTag(pkg, context, folder),
      'gzip kB': () => checkSize(pkg),
    }
    const row = { package: pkg.manifest.name }
    for (const [name, check] of Object.entries(checks)) {
      try {
        row[name] = (await check()) ?? 'ok'
      } catch (error) {
        row[name] = 'FAILED'
        failures.push(`${pkg.manifest.name}, ${name}: ${error.stderr || error.message}`)
      }
    }
    rows.push(row)
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
console.table(Object.fromEntries(rows.map(({ package: name, ...row }) => [name, row])))
for (const failure of failures) console.error(`\n${failure}`)
process.exitCode = failures.length ? 1 : 0
