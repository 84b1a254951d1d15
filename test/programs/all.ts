import { addition } from './addition.ts'
import { boston } from './boston.ts'
import { characters } from './characters.ts'
import { convolvedDigits, denseDigits } from './digits.ts'
import { iris } from './iris.ts'
import { sentiment } from './sentiment.ts'
import { shapes } from './shapes.ts'
import type { Program } from './shared.ts'
import { variational } from './variational.ts'
import { weather } from './weather.ts'

/** In the manner of TensorFlow.js' tutorials. */
export const programs: Readonly<Record<string, Program>> = {
  iris,
  boston,
  denseDigits,
  convolvedDigits,
  addition,
  characters,
  weather,
  sentiment,
  shapes,
  variational,
}
