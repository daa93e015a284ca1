import type { OpCase } from '../op-case'
import { arrayCases } from './arrays'
import { elementwiseCases } from './elementwise'
import { imageCases } from './images'
import { layerCases } from './layers'
import { productCases } from './products'

export const opCases: { area: string; cases: OpCase[] }[] = [
  { area: 'Elementwise', cases: elementwiseCases },
  { area: 'Arrays, reductions, scans', cases: arrayCases },
  { area: 'Products, normalisation, losses', cases: productCases },
  { area: 'Convolutions, pooling, resizing, spectra', cases: imageCases },
  { area: 'Layers', cases: layerCases },
]
