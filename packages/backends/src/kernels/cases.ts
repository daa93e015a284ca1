/** Shapes and values on which every kernel of this folder is held against tfjs's cpu backend. */
import { arithmeticCases } from './arithmetic-cases'
import type { KernelCase } from './kernel-case'
import { movingCases } from './moving-cases'

export const kernelCases: KernelCase[] = [...movingCases, ...arithmeticCases]
