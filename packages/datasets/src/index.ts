export { CharacterText, type WindowBatches, type WindowOptions } from './character-text'
export { type FashionMnistOptions, fashionMnist } from './fashion-mnist'
export {
  type Batches,
  type BatchIterator,
  type BatchOptions,
  type FormOptions,
  type ImageArrays,
  type ImageSource,
  LabelledImages,
  type PixelStatistics,
} from './labelled-images'
export { type ImageDataset, type MnistOptions, mnist } from './mnist'
export { type MobyDickOptions, mobyDick } from './moby-dick'
export type { LoadProgress } from './package-files'
export { type RecurrenceOptions, recurrenceSequences } from './recurrence-sequences'
