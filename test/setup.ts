import { seed } from '../src/model/randomness.ts'

// Models begin with the same weights every time: a bound on a rounding error holds always or never.
seed(1)
