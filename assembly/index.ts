export { relu, reluGradient } from './activations';
