export { type ImageFolderOptions, imageFolder } from './image-folder/image-folder'
