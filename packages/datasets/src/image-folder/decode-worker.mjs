// Decodes images in a worker thread, into shared memory. JavaScript, so that it runs from the sources as well as built.
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

const { sharpPath, pixels, height, width, channels, fit, background } = workerData
const { default: sharp } = await import(pathToFileURL(sharpPath).href)
sharp.concurrency(1) // one worker per core is enough threads
sharp.cache(false) // every file is read once

async function decode(index, file) {
  const { data, info } = await sharp(file)
    .autoOrient() // as the camera was held
    .flatten({ background })
    .resize({ width, height, fit, background })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  if (info.channels !== channels) throw new Error(`it has ${info.channels} channels`)
  pixels.set(data, index * data.length)
}

parentPort.on('message', ({ index, file }) =>
  decode(index, file).then(
    () => parentPort.postMessage({ index }),
    (error) => parentPort.postMessage({ index, error: error.message }),
  ),
)
