import { datasets as files } from '../data/datasets.ts'
import { makeBlobs, makeMoons, makeRegression, makeSpirals } from './generated.ts'
import { makeClassification } from './generatedClasses.ts'

/** Data sets to try things out with: read from files, or drawn. */
export const datasets = { ...files, makeMoons, makeSpirals, makeBlobs, makeClassification, makeRegression }
