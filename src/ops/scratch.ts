/** Bytes of scratch that the weight-gradient product needs: one packed panel of a chunk of 256 rows. */
export const productGradientScratch = (): number => 256 * 64
