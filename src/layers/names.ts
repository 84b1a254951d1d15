// Every layer, also under TensorFlow.js' other names of some factories.
export {
  averagePooling1d as avgPool1d,
  averagePooling1d as avgPooling1d,
  averagePooling2d as avgPool2d,
  averagePooling2d as avgPooling2d,
  averagePooling3d as avgPool3d,
  averagePooling3d as avgPooling3d,
  globalMaxPooling1d as globalMaxPool1d,
  globalMaxPooling2d as globalMaxPool2d,
  maxPooling1d as maxPool1d,
  maxPooling2d as maxPool2d,
} from './pooling.ts'
export * from './table.ts'
