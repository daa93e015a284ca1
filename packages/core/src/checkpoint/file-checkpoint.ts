/**
 * A model on the file system of Node, in the format of tfjs (`model.json` beside its weights), replaced atomically:
 * new weights go to a file of their own, and the rename of `model.json` is the moment at which the new checkpoint
 * stands. Whenever the process dies, the folder holds one whole checkpoint, the old or the new.
 */
import * as tf from '@tensorflow/tfjs-core'

type FileSystem = typeof import('node:fs/promises')

/** Whether the current machine has a file system of Node's kind. */
export const hasFileSystem = () =>
  typeof process !== 'undefined' && typeof process.versions?.node === 'string'

const files = (): Promise<FileSystem> => import('node:fs/promises')

/** Writes and flushes to the disk, so that the rename that follows cannot overtake the data. */
async function writeDurably(fs: FileSystem, path: string, data: string | Uint8Array): Promise<void> {
  const file = await fs.open(path, 'w')
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** An IO handler for a folder. */
export function fileCheckpoint(folder: string): tf.io.IOHandler {
  return {
    async save(artifacts) {
      const fs = await files()
      await fs.mkdir(folder, { recursive: true })
      const { weightSpecs, weightData, ...rest } = artifacts
      const weightsName = `weights-${Date.now().toString(36)}-${process.pid}.bin`
      const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData))
      await writeDurably(fs, `${folder}/${weightsName}`, weights)
      const json = { ...rest, weightsManifest: [{ paths: [weightsName], weights: weightSpecs }] }
      await writeDurably(fs, `${folder}/model.json.tmp`, JSON.stringify(json))
      await fs.rename(`${folder}/model.json.tmp`, `${folder}/model.json`)
      for (const name of await fs.readdir(folder))
        if (/^weights-.*\.bin$/.test(name) && name !== weightsName) await fs.rm(`${folder}/${name}`)
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
    },
    async load() {
      const fs = await files()
      const { weightsManifest, ...rest } = JSON.parse(await fs.readFile(`${folder}/model.json`, 'utf8'))
      const [{ paths, weights }] = weightsManifest as [tf.io.WeightsManifestConfig[number]]
      const bytes = await fs.readFile(`${folder}/${paths[0]}`)
      const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
      return { ...rest, weightSpecs: weights, weightData: weightData as ArrayBuffer }
    },
  }
}
