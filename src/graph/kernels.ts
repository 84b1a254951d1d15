export type { KernelName, Kernels } from '../runtime/tiers.ts'
