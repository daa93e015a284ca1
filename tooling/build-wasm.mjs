/**
 * Compiles `assembly/index.ts` of the package in the working directory (AssemblyScript) into `src/generated/kernels.ts`:
 * the module as base64, twice (with and without relaxed SIMD, chosen at run time), and the types of its exports.
 *
 * The module lives on the heap of tfjs's own wasm backend. So its memory is imported, nothing allocates in it, and it
 * must not have a data segment: instantiation would copy that over memory of the backend. The build fails on one.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import asc from 'assemblyscript/asc'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const entry = relative(root, resolve('assembly/index.ts'))
const output = resolve('src/generated/kernels.ts')

async function compile({ relaxed }) {
  const files = new Map()
  const { error, stderr } = await asc.main(
    [
      entry,
      ...['--baseDir', root, '--outFile', 'kernels.wasm', '--bindings', 'raw'],
      ...['--runtime', 'stub', '--use', 'abort=', '-O3', '--noAssert', '--converge'],
      // The same limits as tfjs-wasm's memory, which may grow to 4 GiB.
      ...['--importMemory', '--noExportMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
      ...['--enable', relaxed ? 'simd,relaxed-simd' : 'simd'],
    ],
    { writeFile: (name, contents) => files.set(name, contents) },
  )
  if (error) throw new Error(`${entry} does not compile.\n${stderr.toString()}`)
  return { binary: files.get('kernels.wasm'), types: files.get('kernels.d.ts') }
}

/** Sections of a wasm binary: `[id, start of contents, end]`. */
function* sections(binary) {
  let at = 8
  while (at < binary.length) {
    const id = binary[at++]
    const [size, start] = leb128(binary, at)
    yield [id, start, start + size]
    at = start + size
  }
}

function leb128(binary, at) {
  let value = 0
  for (let shift = 0; ; shift += 7) {
    const byte = binary[at++]
    value |= (byte & 127) << shift
    if (byte < 128) return [value, at]
  }
}

/** Offset of the byte that says whether the imported memory is shared (3) or not (1). */
function memoryFlagOffset(binary) {
  const name = Buffer.from('\x03env\x06memory\x02', 'latin1')
  for (const [id, start, end] of sections(binary)) {
    if (id === 11 && leb128(binary, start)[0] > 0)
      throw new Error(`${entry}: the module has a data segment, which would overwrite the backend's memory.`)
    if (id !== 2) continue
    if (leb128(binary, start)[0] !== 1) throw new Error(`${entry}: the module may import its memory only.`)
    const found = Buffer.from(binary).indexOf(name, start)
    if (found >= 0 && found < end && binary[found + name.length] === 1) return found + name.length
  }
  throw new Error(`${entry}: the module does not import the memory \`env.memory\`.`)
}

/** `export declare function f(a: number): number;` of the generated bindings, with their comments left out. */
function exportTypes(types) {
  const signatures = [...types.matchAll(/export function (\w+)(\(.*\): \w+);/g)]
  if (!signatures.length) throw new Error(`${entry}: the module exports no function.`)
  return signatures.map(([, name, signature]) => `  ${name}${signature}`).join('\n')
}

const plain = await compile({ relaxed: false })
const relaxed = await compile({ relaxed: true })
const field = (binary) =>
  `{ memoryFlag: ${memoryFlagOffset(binary)}, base64: '${Buffer.from(binary).toString('base64')}' }`

await mkdir(dirname(output), { recursive: true })
await writeFile(
  output,
  `// Generated from assembly/ by tooling/build-wasm.mjs. Do not edit.

/** Pointers are byte addresses in the heap of the wasm backend. */
export interface KernelExports {
${exportTypes(plain.types)}
}

export const kernels: {
  readonly simd: { readonly memoryFlag: number; readonly base64: string }
  readonly relaxedSimd: { readonly memoryFlag: number; readonly base64: string }
  /** Only the type is there. */
  readonly exports?: KernelExports
} = {
  simd: ${field(plain.binary)},
  relaxedSimd: ${field(relaxed.binary)},
}
`,
)
