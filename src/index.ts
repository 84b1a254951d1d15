export { type CheckpointDescription, checkpoints } from './checkpoints/description.ts'
export { dispose, keep, memory, tidy } from './data/compatibility.ts'
export { math } from './data/confusion.ts'
export { Dataset } from './data/dataset.ts'

export {
  add,
  argMax,
  cast,
  concat,
  div,
  expandDims,
  max,
  mean,
  min,
  mul,
  reshape,
  slice,
  sqrt,
  square,
  squeeze,
  stack,
  sub,
  sum,
} from './data/eager.ts'
export {
  fill,
  linspace,
  oneHot,
  ones,
  randomNormal,
  randomUniform,
  range,
  util,
  zeros,
} from './data/making.ts'
export { seed } from './data/random.ts'
export { data } from './data/sources.ts'
export { scalar, Tensor, tensor, tensor1d, tensor2d, tensor3d, tensor4d, tensor5d } from './data/tensor.ts'
export {
  type IOHandler,
  io,
  type LoadedArtifacts,
  type SavedArtifacts,
  type SaveResult,
} from './formats/handlers.ts'
export type { Value } from './graph/value.ts'
export type { Layer, LayerFactory } from './layers/define.ts'
export { input } from './layers/input.ts'
export * as layers from './layers/names.ts'
export { required } from './layers/options.ts'
export {
  type CellBuilder,
  defineMergeLayer,
  defineOwnCell as defineCell,
  defineOwnLayer as defineLayer,
  type LayerBuilder,
  type LayerOptions,
  type OwnSteps as CellSteps,
} from './layers/own.ts'
export { serialization } from './layers/registry.ts'
export { SymbolicTensor } from './layers/symbolic.ts'
export type { CompileOptions } from './model/compiling.ts'
export type { EvaluateDatasetOptions, FitDatasetOptions } from './model/datasetOptions.ts'
export type { Inputs } from './model/fitData.ts'
export { Model, type ModelOptions, model } from './model/functional.ts'
export type { History, StopReason } from './model/history.ts'
export { type LoadOptions, loadLayersModel, models } from './model/loading.ts'
export type { MemoryPlan } from './model/memory.ts'
export type { FitOptions, Progress } from './model/options.ts'
export type { BatchElement, Batches } from './model/pass.ts'
export { findLearningRate, type RateRange, type RateRangeOptions } from './model/rateRange.ts'
export type { SaveOptions } from './model/saving.ts'
export { Sequential, type SequentialOptions, sequential } from './model/sequential.ts'

export { ops } from './ops/table.ts'
export { configure, type EngineInfo, type EngineOptions, engine } from './runtime/engine.ts'
export { BaseCallback, Callback, type CallbackState, type Logs } from './training/callback.ts'
export { callbacks } from './training/callbacks.ts'
export { constraints } from './training/constraints.ts'
export { datasets } from './training/datasets.ts'
export { type Initializer, initializers } from './training/initializers.ts'
export { losses } from './training/losses.ts'
export { metrics } from './training/metrics.ts'
export { train } from './training/optimizers.ts'
export {
  type Compute,
  defineLoss,
  defineMetric,
  type LossOptions,
  type MetricOptions,
} from './training/ownLosses.ts'
export { defineOptimizer, type OptimizerDefinition, type UpdateInputs } from './training/ownOptimizers.ts'
export { regularizers } from './training/regularizers.ts'
export { schedules } from './training/schedules.ts'
