/** Imports a user's file. */
import { existsSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { UsageError } from './choices'

/** The default export of a file, TypeScript or not. `option` names the command line's option in errors. */
export async function importOwnFile(option: string, path: string): Promise<unknown> {
  const file = resolve(path)
  if (!existsSync(file)) throw new UsageError(`${option} ${path}: there is no such file.`)
  const address = pathToFileURL(file).href
  try {
    if (!/^\.[cm]?ts$/.test(extname(file))) return (await import(address)).default
    const { tsImport } = await import('tsx/esm/api')
    return (await tsImport(address, import.meta.url)).default
  } catch (error) {
    throw new UsageError(`${option} ${path}: ${(error as Error).message}`)
  }
}
