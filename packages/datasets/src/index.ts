export type { Augmentation, ImageBytes } from './augment/augmentation'
export { horizontalFlip } from './augment/horizontal-flip'
export { type RandAugmentOptions, randAugment } from './augment/rand-augment'
export { type RandomErasingOptions, randomErasing } from './augment/random-erasing'
export { type RandomResizedCropOptions, randomResizedCrop } from './augment/random-resized-crop'
export { CharacterText, type WindowBatches, type WindowOptions } from './character-text'
export { type Cifar10Options, cifar10 } from './cifar10'
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
