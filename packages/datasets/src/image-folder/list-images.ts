/** Finds the images of a folder with one subfolder per class. */
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'

/** One image file. */
export interface ImageFile {
  /** From the root, with `/` on every system. */
  path: string
  label: number
  bytes: number
  modified: number
}

/** What sharp's prebuilt binaries decode. */
const extensions = /\.(jpe?g|png|webp|gif|avif|tiff?|svg)$/i

const entries = (folder: string) =>
  readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`imageFolder: cannot read the folder ${folder}. ${error.message}`, { cause: error })
  })

/** Image files below `folder`, at any depth, sorted. Hidden files and folders are left out. */
async function imagesBelow(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await entries(folder)) {
    if (entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    const isFolder = entry.isDirectory() || (entry.isSymbolicLink() && (await stat(path)).isDirectory())
    if (isFolder) found.push(...(await imagesBelow(path)))
    else if (extensions.test(entry.name)) found.push(path)
  }
  return found.sort()
}

/** Classes, sorted by name, and their images. */
export async function listImages(root: string): Promise<{ classNames: string[]; files: ImageFile[] }> {
  const classNames: string[] = []
  let loose = 0
  for (const entry of await entries(root)) {
    if (entry.name.startsWith('.')) continue
    const isFolder =
      entry.isDirectory() || (entry.isSymbolicLink() && (await stat(join(root, entry.name))).isDirectory())
    if (isFolder) classNames.push(entry.name)
    else if (extensions.test(entry.name)) loose++
  }
  if (classNames.length === 0)
    throw new Error(
      `imageFolder: the folder must hold one subfolder per class, with images in it. Received ${root} with ` +
        `${loose ? `${loose} images and no subfolder` : 'no subfolder'}.`,
    )
  classNames.sort()
  const files: ImageFile[] = []
  for (const [label, name] of classNames.entries()) {
    const paths = await imagesBelow(join(root, name))
    if (paths.length === 0)
      throw new Error(`imageFolder: every class must have images. Received none in ${join(root, name)}.`)
    for (const path of paths) {
      const { size, mtimeMs } = await stat(path)
      files.push({
        path: relative(root, path).split(sep).join('/'),
        label,
        bytes: size,
        modified: Math.trunc(mtimeMs),
      })
    }
  }
  return { classNames, files }
}
